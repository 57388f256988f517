"""`serve` and `report`: the page, live or as a folder of files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.cli import output
from monitor.cli.looking import open_state

DEFAULT_PORT = 8750


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 = any free one."
)
@click.option("--read-only", is_flag=True, help="Nothing can be muted, corrected, labelled or sent from the page.")
@click.pass_obj
def serve(config: Path | None, host: str, port: int, read_only: bool) -> None:
    """Show the page: deals, their lives, companies, feeds, alerts.

    For this machine alone unless --host says otherwise; then readers need a token: [page] token in monitor.toml.

    \b
    Example:
      $ deal-monitor serve
      the page: http://127.0.0.1:8750/   (Ctrl-C ends it)
    """
    import socket

    import uvicorn

    from monitor.config import find_config, load_config
    from monitor.errors import ConfigError
    from monitor.web.app import make_app
    from monitor.web.guard import LOOPBACK, Rules, known_hosts

    file = find_config(config)
    loaded = load_config(file)
    rules = Rules(
        hosts=known_hosts(host, loaded.page_url, loaded.page.hosts),
        token=loaded.page.token.get_secret_value(),
        secure=loaded.page_url.startswith("https:"),
    )
    if host not in LOOPBACK and not rules.token:
        raise ConfigError(
            str(file), "page.token", f"--host {host} lets others in, and there is no token that they must know",
            'add [page] with token = "env:DEAL_MONITOR_TOKEN", or leave --host away',
        )  # fmt: skip
    app = make_app(file, rules, read_only=read_only)
    settings = uvicorn.Config(app, log_level="warning", server_header=False, date_header=False)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(128)  # who follows the printed address at once waits, and is not turned away
        except OSError as error:
            raise click.ClickException(
                f"{host}:{port}: cannot listen there ({error.strerror}); give another --port, or --port 0 for any"
            ) from None
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"the page: http://{shown}:{door.getsockname()[1]}/   (Ctrl-C ends it)")
        uvicorn.Server(settings).run(sockets=[door])


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
@click.option("--limit", type=click.IntRange(1), default=2000, show_default=True, help="The newest so many deals.")
@click.pass_obj
def report(config: Path | None, out: Path, limit: int) -> None:
    """Write the page as a folder of files that opens from disk.

    The same pages as `serve` shows, without what writes; needs no server and asks nobody anything.

    \b
    Example:
      $ deal-monitor report --out report
      12 of 12 deals: report/index.html
    """
    from monitor.web.folder import write_folder

    loaded, store = open_state(config)
    with output.progress() as step:
        shown, known = write_folder(
            out, loaded, store, datetime.now(UTC), limit, lambda done, total: step("report", done, total)
        )
    click.echo(f"{shown} of {known} deals: {out / 'index.html'}")
