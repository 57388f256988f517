"""The page: what is known, for people with a browser. `serve` shows it live, `report` writes it as a folder of files.

    snapshot  the tables, held in memory the way pages ask of them
    search    which deals a reader wants to see
    life      one deal: its versions, the articles behind each, where outlets differ
    network   who deals with whom, and where each company stands on the picture
    volumes   how much happened when
    links     where each page is, on the server or in the folder
    pages     all of this as HTML; the templates are in `templates/`
    guard     who may ask: hosts, origins, token
    app       the live page; `actions` is what it may write
    folder    the same pages as files

Pages are made here and not in the browser: they work without script, and no word of a stranger's ever reaches one.
"""
