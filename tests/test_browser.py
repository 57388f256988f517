"""A desk's morning in a real browser: find, read, look at the picture, mute, label; by mouse, keyboard and phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.responses import HTMLResponse

from monitor.config import load_config
from monitor.models import Article, Claim
from monitor.store import open_store
from monitor.web.folder import write_folder
from monitor.web.guard import Rules
from tests.browsers import ARGUMENTS, CHROMIUM, Watcher, listening, poll_mornings, served
from tests.deals import claim
from tests.test_alerts_hostile import TITLES
from tests.webs import NOW, delivered, desk, learn, state, story

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on this machine: apt-get install chromium"),
]
PAGES = ("/events", "/companies", "/graph", "/volumes", "/feeds", "/alerts", "/explain")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mornings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return poll_mornings(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def home(mornings: Path) -> Iterator[str]:
    with served(mornings) as address:
        yield address


@pytest.fixture
def page(browser: Browser, home: str) -> Iterator[Page]:
    """A window of its own on the demo's desk; nothing may go wrong in it."""
    context = browser.new_context(viewport=DESK, base_url=home)
    context.set_default_timeout(10_000)
    page = context.new_page()
    watcher = Watcher(page, home)
    yield page
    context.close()
    assert watcher.wrong == []


def names(page: Page) -> list[str]:
    return page.locator(".deals a.names:visible").all_inner_texts()


def test_filter_search_and_read_a_life(page: Page) -> None:
    page.goto("/")
    assert len(names(page)) > 8
    page.get_by_label("Status").select_option("denied")
    page.get_by_role("button", name="Filter").click()
    assert names(page) == ["Draymont and Kestrin Robotics"]
    page.get_by_role("link", name="Clear").click()
    page.get_by_label("Search").fill("takeover talks kestrin")
    page.get_by_label("Search").press("Enter")
    page.get_by_role("link", name="Draymont and Kestrin Robotics").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draymont and Kestrin Robotics")
    assert page.locator(".timeline h3").all_inner_texts()[0].startswith("Denied")
    expect(page.locator("mark.status", has_text="denies")).to_be_visible()
    expect(page.locator(".said .overtaken")).to_contain_text("rumour")
    article = page.locator(".claim h4 a").first
    assert article.get_attribute("rel") == "noopener noreferrer"
    page.get_by_role("complementary").get_by_role("link", name="Draymont").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draymont")


def test_the_picture_over_time(page: Page) -> None:
    page.goto("/graph")
    rumoured = page.locator("line.tie.is-rumour")
    assert rumoured.count() > 0
    dashes = rumoured.first.evaluate("line => getComputedStyle(line).strokeDasharray")
    assert dashes != "none"
    drawn = page.locator("line.tie:not(.is-unknown)")
    all_of_them = drawn.count()
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert 0 < drawn.count() < all_of_them
    assert slider.get_attribute("aria-valuetext") == page.locator("#until-day").inner_text()
    page.keyboard.press("End")
    assert drawn.count() == all_of_them
    page.locator("svg a[data-company='Meta']").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Meta")


def test_mute_and_hear_again(page: Page, mornings: Path) -> None:
    page.goto("/events?q=pellworth")
    page.locator("a.names").click()
    page.locator("summary", has_text="Mute").click()
    page.get_by_label("every deal of Pellworth and Tessaly").check()
    page.get_by_label("Why").last.fill("known to all")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("status")).to_contain_text("Muted")
    expect(page.get_by_text("Raises no alert:")).to_contain_text("known to all")
    assert load_config(mornings).mutes[0].names == ("Pellworth", "Tessaly")
    page.get_by_role("link", name="Alerts").click()
    page.get_by_role("button", name="Hear again").click()
    expect(page.get_by_text("Nothing is muted")).to_be_visible()
    assert load_config(mornings).mutes == ()


def test_label_and_correct(page: Page, mornings: Path) -> None:
    page.goto("/events?q=nordvinder")
    page.locator("a.names").click()
    page.get_by_role("button", name="Wrong").click()
    expect(page.get_by_text("Labelled: 1 article no deal")).to_be_visible()
    page.locator("summary", has_text="Correct the status").click()
    page.get_by_label("True status").select_option("terminated")
    page.get_by_role("button", name="Correct").click()
    expect(page.locator(".lede .badge")).to_have_text("called off")
    expect(page.get_by_text("Labelled: 1 article ended")).to_be_visible()
    assert '"status": "ended"' in (mornings.parent / "labels.jsonl").read_text("utf-8")


def test_explain_a_text_of_ones_own(page: Page) -> None:
    page.goto("/explain")
    page.get_by_label("Address of an article").fill("Meta and Midjourney sign licensing deal\nNo terms were given.")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".answer mark.party").first).to_have_text("Meta")


def test_an_alert_is_sent_again(page: Page, mornings: Path) -> None:
    page.goto("/alerts")
    page.get_by_role("button", name="Send again").first.click()
    expect(page.get_by_role("status")).to_contain_text("due again")
    store = open_store(load_config(mornings).state)
    assert "failed" in store.latest("deliveries").collect()["state"].to_list()


def test_by_keyboard_alone(page: Page) -> None:
    page.goto("/events")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("velmora")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=velmora**")
    link = page.get_by_role("link", name="Velmora and Cendrix")
    for _ in range(30):
        page.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            break
    outline = link.evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Velmora and Cendrix")


@pytest.mark.parametrize("path", [*PAGES, "/events/FIRST", "/companies/Meta"])
def test_nothing_is_wider_than_a_phone(page: Page, path: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(first(page) if path == "/events/FIRST" else path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_filters_fold_on_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/events")
    expect(page.get_by_label("Status")).to_be_hidden()
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Status").select_option("denied")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url("**status=denied**")
    expect(page.get_by_label("Status")).to_have_value("denied")
    assert names(page) == ["Draymont and Kestrin Robotics"]


@pytest.mark.parametrize("path", [*PAGES, "/events/FIRST", "/companies/Meta", "/nothing"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_a_screen_reader_stumbles_over(browser: Browser, home: str, path: str, scheme: Any) -> None:
    for size in (DESK, PHONE):
        context = browser.new_context(viewport=size, base_url=home, color_scheme=scheme)
        page = context.new_page()
        page.goto(first(page) if path == "/events/FIRST" else path)
        for box in page.locator("details").all():
            box.locator("summary").click()
        found = Axe().run(page).response["violations"]
        context.close()
        grave = [(v["id"], n["html"]) for v in found if v["impact"] in ("serious", "critical") for n in v["nodes"]]
        assert grave == []


def first(page: Page) -> str:
    """The address of the first deal of the list."""
    page.goto("/events?q=kestrin")
    return page.locator("a.names").first.get_attribute("href") or ""


# --- strangers --------------------------------------------------------------------------------------------------------


def poisoned() -> list[Claim]:
    """A deal per hostile title, with the title wherever an article can put words."""
    return [
        replace(
            claim(f"Vela, Orm{number}", deal_type="partnership", day=1),
            title=words, evidence=words, value=words[:80], outlet=words, terms=(words,), origin=words, rules=(words,),
            sourcing="named_report", url=f"javascript:alert({number})//{words}", spans=(f"0:5:party:{words}",),
            parties=("Vela", f"{words} {number}"),
        )
        for number, words in enumerate(TITLES)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    file, store = desk(folder), state(folder)
    events = learn(store, poisoned())
    store.append("deliveries", [delivered(event, detail=event.title) for event in events])
    articles = [Article(article_id="feed" + "0" * 12, title=TITLES[0], text="\n".join(TITLES), read_at=NOW)]
    store.append("articles", articles)
    return file


INERT = """() => ({
  alive: [...document.querySelectorAll('iframe, object, embed, base, form[action^="http"], meta[http-equiv=refresh],'
    + ' main script, main style, main img, [onload], [onerror], a[href^="javascript"], a[href^="data"]')]
    .map(one => one.outerHTML.slice(0, 200)),
  text: document.querySelector('main').innerText.length,
})"""


def assert_inert(page: Page, address: str) -> None:
    page.goto(address)
    seen = page.evaluate(INERT)
    assert seen["alive"] == [], address
    assert seen["text"] > 40


def test_hostile_words_are_only_words(browser: Browser, hostile: Path) -> None:
    with served(hostile) as home:
        page = browser.new_page()
        watcher = Watcher(page, home)
        for path in (*PAGES, "/companies/Vela", "/events?q=%3Cscript%3E&company=%22%3E%3Cimg+src%3Dx%3E"):
            assert_inert(page, home + path)
        page.goto(home + "/events")
        links = [link.get_attribute("href") for link in page.locator(".deals a.names").all()]
        assert len(links) > 40
        for link in links:
            assert_inert(page, f"{home}{link}")
        page.goto(f"{home}/explain?what=feed000000000000")
        assert page.evaluate(INERT)["alive"] == []
        page.close()
    assert watcher.wrong == []


def test_hostile_words_in_a_folder(browser: Browser, hostile: Path, tmp_path: Path) -> None:
    config = load_config(hostile)
    write_folder(tmp_path, config, open_store(config.state), NOW, 1000)
    page = browser.new_page()
    watcher = Watcher(page, tmp_path.as_uri())
    for file in [
        *tmp_path.glob("*.html"),
        *tmp_path.glob("events/*.html"),
        *list(tmp_path.glob("companies/*.html"))[:9],
    ]:
        assert_inert(page, file.as_uri())
    page.close()
    assert watcher.wrong == []


def test_the_policy_stops_what_autoescape_would_let_through(browser: Browser, home: str) -> None:
    page = browser.new_page()
    page.goto(f"{home}/events")
    ran = page.evaluate("""() => {
        const one = document.createElement('script'); one.textContent = 'window.ran = true';
        const refused = new Promise(resolve => document.addEventListener('securitypolicyviolation', resolve));
        document.body.append(one);
        return refused.then(event => [window.ran === true, event.effectiveDirective]);
    }""")
    page.close()
    assert ran == [False, "script-src-elem"]


def test_another_site_gets_nothing(browser: Browser, home: str, mornings: Path) -> None:
    """A page of another origin on this machine tries to read, to frame and to write."""
    attack = f"""<!doctype html><title>evil</title><iframe src="{home}/events"></iframe><img src="{home}/events">
        <form method=post action="{home}/mutes/off"><input name=name0 value=Vela><button>go</button></form>"""

    async def evil(scope: Any, receive: Any, send: Any) -> None:
        await HTMLResponse(attack)(scope, receive, send)

    with listening(evil) as other:
        page = browser.new_page()
        answers: dict[str, int] = {}
        page.on("response", lambda r: answers.update({f"{r.request.resource_type} {r.url}": r.status}))
        page.goto(other.replace("127.0.0.1", "localhost"))
        assert answers.get(f"image {home}/events", 403) == 403  # or not even handed over by the browser
        assert answers[f"document {home}/events"] == 403
        assert (
            page.evaluate("address => fetch(address).then(() => 'read', () => 'refused')", f"{home}/events")
            == "refused"
        )
        page.get_by_role("button").click()
        page.wait_for_url(f"{home}/mutes/off")
        assert answers[f"document {home}/mutes/off"] == 403
        page.close()


def test_sign_in_and_out(browser: Browser, mornings: Path) -> None:
    rules = Rules(token="a long enough token")
    with served(mornings, rules) as home, listening(_link(f"{home}/events?q=kestrin")) as mail:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{home}/events?q=kestrin")
        assert Axe().run(page).response["violations"] == []
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Token").fill(rules.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name="Draymont and Kestrin Robotics")).to_be_visible()
        page.goto(mail.replace("127.0.0.1", "localhost"))  # a link in a mail, while signed in
        page.get_by_role("link").click()
        expect(page.get_by_role("link", name="Draymont and Kestrin Robotics")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{home}/events")
        expect(page.get_by_label("Token")).to_be_visible()
        context.close()


def _link(address: str) -> Any:
    async def mail(scope: Any, receive: Any, send: Any) -> None:
        await HTMLResponse(f'<!doctype html><title>mail</title><a href="{address}">the deal so far</a>')(
            scope, receive, send
        )

    return mail


# --- from disk --------------------------------------------------------------------------------------------------------


def test_the_folder_opens_from_disk(browser: Browser, mornings: Path, tmp_path: Path) -> None:
    config = load_config(mornings)
    shown, known = write_folder(tmp_path, config, open_store(config.state), NOW, 1000)
    assert shown == known > 8
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(10_000)
    watcher = Watcher(page, tmp_path.as_uri())
    page.goto((tmp_path / "index.html").as_uri())
    assert page.evaluate("getComputedStyle(document.querySelector('.top')).position") == "sticky"  # the style is there
    page.get_by_label("Status").select_option("denied")
    expect(page.locator("#total")).to_have_text("1 deal")
    assert names(page) == ["Draymont and Kestrin Robotics"]
    page.get_by_label("Status").select_option("")
    page.get_by_label("Search").fill("ten-year battery")
    assert names(page) == ["Velmora and Cendrix"]
    page.get_by_role("link", name="Velmora and Cendrix").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Velmora and Cendrix")
    assert page.locator("form").count() == 0
    page.get_by_role("link", name="Graph").click()
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    assert page.locator("line.tie.is-unknown").count() > 0
    page.locator("svg a[data-company='Meta']").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Meta")
    page.close()
    assert watcher.wrong == []


def test_every_link_of_the_folder_leads_somewhere(tmp_path: Path) -> None:
    file, store = desk(tmp_path), state(tmp_path)
    learn(store, story())
    out = tmp_path / "report"
    write_folder(out, load_config(file), store, NOW, 1000)
    pages = list(out.rglob("*.html"))
    assert len(pages) > 8
    for one in pages:
        for link in re.findall(r'(?:href|src|action)="([^"#]+)"', one.read_text("utf-8")):
            if not link.startswith("https://news.example"):
                assert (one.parent / link.partition("?")[0]).is_file(), (one, link)
