"""Bodies made to hurt parsers: attacks on XML and HTML, and good bodies damaged at random. All made here, by rule."""

from __future__ import annotations

import json
import random

RSS = '<rss version="2.0"><channel><title>T</title>{}</channel></rss>'
ITEM = "<item><title>A title</title><link>https://a.test/1</link>{}</item>"


def xml_attacks() -> dict[str, bytes]:
    """36 feeds that take for ever, take all memory or reach outside, if a parser lets them."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(12))
    attributes = " ".join(f'a{n}="x"' for n in range(60_000))
    same = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(20_000))
    item = ITEM.format
    found = {
        "billion_laughs": f"<!DOCTYPE rss [{laughs}]>" + RSS.format(item("<description>&l11;</description>")),
        "quadratic_entity": f'<!DOCTYPE rss [<!ENTITY a "{"a" * 100_000}">]>' + RSS.format("&a;" * 50_000),
        "recursive_entity": '<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]>' + RSS.format("&a;"),
        "external_entity": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + RSS.format(item("&x;")),
        "external_http": '<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>' + RSS.format(item("&x;")),
        "external_dtd": '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">' + RSS.format(item("")),
        "device_entity": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///dev/zero">]>' + RSS.format(item("&x;")),
        "parameter_entities": "<!DOCTYPE rss [<!ENTITY % a \"<!ENTITY b SYSTEM 'file:///etc/passwd'>\">%a;]>" + RSS,
        "include": '<rss xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></rss>',
        "stylesheet": '<?xml-stylesheet href="file:///etc/passwd"?>' + RSS.format(item("")),
        "attributes": RSS.format(f"<item {attributes}/>"),
        "attributes_broken": RSS.format(f"<item {attributes}/>&nbsp;"),
        "namespaces": f"<rss {same}><channel>{item('')}</channel></rss>",
        "namespaces_broken": f"<rss {same}><channel>{item('')}&nbsp;</channel></rss>",
        "deep": RSS.format("<a>" * 200_000),
        "deep_closed": RSS.format("<a>" * 100_000 + "</a>" * 100_000),
        "deep_items": RSS.format("<item>" * 50_000),
        "deep_html": RSS.format(item(f"<description>{'&lt;div&gt;' * 200_000}</description>")),
        "wide": RSS.format("<a/>" * 1_500_000),
        "many_items": RSS.format(item("") * 100_000),
        "many_items_broken": RSS.format(item("") * 20_000 + "&nbsp;"),
        "long_title": RSS.format(f"<item><title>{'word ' * 1_800_000}</title></item>"),
        "long_title_broken": RSS.format(f"<item><title>{'word ' * 1_800_000}&nbsp;</title></item>"),
        "long_name": RSS.format(f"<{'a' * 5_000_000}/>"),
        "long_attribute": RSS.format(f'<item a="{"b" * 9_000_000}"/>'),
        "open_tags": RSS.format("<" * 3_000_000),
        "ampersands": RSS.format(f"<item><title>{'&' * 2_000_000}</title></item>"),
        "references": RSS.format(f"<item><title>{'&#65;' * 1_500_000}</title></item>"),
        "huge_reference": RSS.format(f"<item><title>&#{'9' * 100_000};</title></item>"),
        "cdata": RSS.format("<![CDATA[" * 800_000),
        "comments": RSS.format("<!--" * 1_500_000),
        "instructions": RSS.format("<?a " * 1_500_000),
        "scripts_in_title": RSS.format(f"<item><title>{'&lt;script&gt;' * 500_000}</title></item>"),
        "half_tags_in_title": RSS.format(f"<item><title>{'&lt;a ' * 1_000_000}</title></item>"),
        "bad_dates": RSS.format(item(f"<pubDate>{'1' * 500_000} Jan</pubDate>") * 10),
        "bad_links": RSS.format(f"<item><title>t</title><link>http://{'[' * 900}</link></item>" * 5000),
        "json_deep": '{"items": ' + "[" * 2_000_000,
        "json_numbers": '{"items": [' + "9" * 4_000_000 + "]}",
        "json_items": json.dumps({"items": [{"title": "<a " * 50, "id": n} for n in range(40_000)]}),
        "sitemap": '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
        + "<url><news:news><news:title>t</news:title></news:news></url>" * 100_000,
    }
    encoded = {name: text.encode() for name, text in found.items()}
    encoded["utf_7"] = b'<?xml version="1.0" encoding="utf-7"?>' + RSS.format(item("")).encode("utf-7")
    encoded["undefined_encoding"] = b'<?xml version="1.0" encoding="undefined"?>' + RSS.format(item("")).encode()
    encoded["zeros"] = bytes(9_000_000)
    encoded["noise"] = random.Random(1).randbytes(3_000_000)
    return encoded


def html_attacks() -> dict[str, bytes]:
    """31 pages that do the same to HTML parsers and article finders."""
    words = "some words that make a sentence, as sentences go. "

    def page(body: str, head: str = "") -> str:
        return f"<!doctype html><html><head><title>T</title>{head}</head><body>{body}</body></html>"

    attributes = " ".join(f'a{n}="x"' for n in range(100_000))
    found = {
        "table": page("<table>" + "<tr><td>x</td></tr>" * 150_000 + "</table>"),
        "table_cells": page("<table><tr>" + f"<td>{words}</td>" * 60_000),
        "nested_tables": page("<table><tr><td>" * 30_000),
        "breaks": page("<article>" + "<br>" * 400_000),
        "breaks_and_words": page("<article>" + f"{words}<br>" * 60_000),
        "paragraphs": page("<article>" + f"<p>{words}</p>" * 60_000),
        "empty_paragraphs": page("<article>" + "<p>" * 400_000),
        "attributes": page(f"<div {attributes}>{words}</div>"),
        "long_attribute": page(f'<div class="{"a " * 1_500_000}">{words}</div>'),
        "deep_divs": page("<div>" * 300_000 + words),
        "deep_closed": page("<div>" * 50_000 + words + "</div>" * 50_000),
        "deep_spans": page("<p>" + "<span>" * 200_000 + words),
        "deep_lists": page("<ul><li>" * 100_000 + words),
        "deep_quotes": page("<blockquote>" * 100_000 + words),
        "wide_list": page("<ul>" + f"<li>{words}" * 60_000),
        "links": page(f'<p><a href="x">{words}</a></p>' * 40_000),
        "forms": page("<form>" * 100_000 + "<select><option>" * 100_000),
        "formatting": page("<b><i>" * 100_000 + words),
        "misnested": page("<b><p></b><i></p>" * 80_000),
        "headings": page(f"<h1>{words}</h1>" * 40_000),
        "metas": page(words, '<meta property="og:title" content="x">' * 80_000),
        "json_ld": page(words, '<script type="application/ld+json">' + "[" * 2_000_000 + "</script>"),
        "json_ld_text": page(
            words,
            '<script type="application/ld+json">'
            + json.dumps({"@type": "NewsArticle", "articleBody": "<a " * 1_000_000})
            + "</script>",
        ),
        "scripts": page("<script>" * 300_000),
        "comments": page("<!--" * 800_000),
        "entities": page("<p>" + "&amp;" * 800_000),
        "long_word": page("<article><p>" + "x" * 4_500_000),
        "long_text": page("<article><p>" + words * 90_000),
        "open_tags": "<" * 4_000_000,
        "dates": page("<p>2026-11-20 </p>" * 100_000 + "<time datetime='2026'>" * 50_000),
        "frames": page("<iframe>" * 100_000 + "<svg>" * 100_000 + "<math>" * 100_000),
        "base_and_links": page('<link rel="canonical" href="x">' * 100_000),
        "nul": page("\0" * 2_000_000 + words),
    }
    return {name: text.encode()[: 5 << 20] for name, text in found.items()}


def mutate(rng: random.Random, body: bytes, words: list[bytes]) -> bytes:
    """The body with a few random damages: bits, cuts, repeats, swaps, and words that parsers know."""
    data = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(7):
            case 0 if data:
                data[place % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                del data[place : place + rng.choice((1, 3, 20, 300))]
            case 2:
                data[place:place] = data[place : place + rng.choice((5, 50, 500))] * rng.choice((1, 2, 20))
            case 3:
                data[place:place] = rng.choice(words)
            case 4:
                data[place : place + rng.choice((1, 10))] = rng.randbytes(rng.choice((1, 4, 30)))
            case 5:
                other = rng.randrange(len(data) + 1)
                data[place:place] = data[other : other + 80]
            case _:
                del data[place : None if rng.random() < 0.2 else place + 2]
    return bytes(data)


XML_WORDS = [
    b'encoding="undefined"',
    b'encoding="utf-7"',
    b'encoding="utf-16"',
    b'encoding="idna"',
    b"\xff\xfe",
    b"\x00",
    b"&",
    b"<",
    b">",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"&nbsp;",
    b"&#0;",
    b"&#xD800;",
    b"&#1114112;",
    b"<?xml ?>",
    b"<!DOCTYPE x [",
    b'xml:base="http://[::1"',
    b"http://xn--\xc3\xbc.test/",
    b"https://[bad]/",
    b"mailto:x",
    b"</channel>",
    b"</item>",
    b"<item>",
    b"<entry>",
    b"<feed xmlns='http://www.w3.org/2005/Atom'>",
    b"<link href='//['/>",
    b"<pubDate>32 Foo 99999</pubDate>",
    b"<dc:date>-1</dc:date>",
    b"<ttl>1e99</ttl>",
    b'isPermaLink="maybe"',
    b"\xed\xa0\x80",
    b"<content:encoded>",
    b'type="xhtml"',
    b'mode="base64"',
    b"<georss:point>x y</georss:point>",
    b"<media:content url='x'/>",
    b"<itunes:duration>::</itunes:duration>",
    b"<gml:pos>1</gml:pos>",
    b"<enclosure length='x'/>",
    b"{",
    b"[",
    b'"items": 5',
]
HTML_WORDS = [
    b"<table>",
    b"</table>",
    b"<tr><td>",
    b"<p>",
    b"</p>",
    b"<div>",
    b"</div>",
    b"<script>",
    b"</script>",
    b"<!--",
    b"-->",
    b"<meta charset=utf-16>",
    b"<meta charset=undefined>",
    b"<base href='//['>",
    b"&#0;",
    b"&#xD800;",
    b"\x00",
    b"\xff\xfe",
    b"<svg>",
    b"<math>",
    b"<frameset>",
    b"<html>",
    b"</html>",
    b"<body>",
    b"<h1>",
    b"<time datetime='99999-99-99'>",
    b"<a href=",
    b"<article>",
    b"<ul><li>",
    b"<blockquote>",
    b"<pre>",
    b"<code>",
    b"<br/>",
    b"<q>",
    b"<sup>",
    b"<form>",
    b"<textarea>",
    b'<script type="application/ld+json">{"@type":["NewsArticle"],"articleBody":5}</script>',
    b"<title>",
    b"\xed\xa0\x80",
]
