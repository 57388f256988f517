"""The catalogue loads fast, one name stands for one company, names that are words are known as such; search ranks."""

from __future__ import annotations

import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitor.companies import clashes, load_catalogue, plain, search
from monitor.config import load_watchlist
from monitor.errors import ConfigError
from monitor.models import Company

SEEDS = Path(__file__).parent.parent / "seeds"
RULES = Path(__file__).parent.parent / "monitor" / "rules"
DATA = Path(__file__).parent / "data" / "companies"


@pytest.fixture(scope="module")
def catalogue() -> tuple[Company, ...]:
    return load_catalogue(SEEDS / "companies.toml")


def seed(name: str) -> dict[str, Any]:
    return tomllib.loads((SEEDS / f"{name}.toml").read_text(encoding="utf-8"))


def names_of(company: Company) -> tuple[str, ...]:
    return (company.name, *company.aliases, *company.products)


# ---------------------------------------------------------------------------------------------- the shipped catalogue


def test_it_loads_in_a_moment() -> None:
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        load_catalogue(SEEDS / "companies.toml")
        best = min(best, time.process_time() - start)
    assert best < 0.3, f"{best:.3f} s"


def test_it_knows_the_companies_that_the_news_writes_about(catalogue: tuple[Company, ...]) -> None:
    assert len(catalogue) >= 4000
    sectors = Counter(group for company in catalogue for group in company.groups)
    for sector, least in {
        "ai": 100, "chips": 100, "software": 100, "cybersecurity": 25, "telecom": 60, "media": 60, "games": 25,
        "sports": 15, "pharma": 60, "biotech": 60, "medtech": 30, "bank": 100, "private equity": 40,
        "venture capital": 25, "insurance": 60, "payments": 25, "crypto": 30, "retail": 80, "food": 50, "beverages": 25,
        "luxury": 20, "cars": 50, "ev": 20, "batteries": 20, "oil & gas": 70, "utilities": 60, "mining": 40,
        "chemicals": 35, "defence": 60, "aerospace": 30, "space": 40, "airline": 80, "shipping": 25, "logistics": 40,
        "it services": 40, "public body": 25,
    }.items():  # fmt: skip
        assert sectors[sector] >= least, f"{sector}: {sectors[sector]}"


def test_it_is_sorted_filled_and_clean(catalogue: tuple[Company, ...]) -> None:
    names = [company.name for company in catalogue]
    assert names == sorted(names, key=lambda name: (name.casefold(), name))
    for raw in seed("companies")["companies"]:
        for field, value in raw.items():
            assert value, f"{raw['name']}: {field} is empty: leave it out"
            for text in [value] if isinstance(value, str) else value:
                assert text == " ".join(text.split()), f"{raw['name']}: {text!r}"
                assert not set(text) & set("’‘“”\u00a0;|{}"), f"{raw['name']}: {text!r}"
    for company in catalogue:
        written = names_of(company)
        assert len(written) == len(set(written)), company.name
        assert company.groups, company.name
        assert all(group == group.lower() for group in company.groups), company.name
        assert not any(ticker.isdigit() for ticker in company.tickers), company.name


def test_a_market_symbol_belongs_to_one_company(catalogue: tuple[Company, ...]) -> None:
    times = Counter(ticker for company in catalogue for ticker in company.tickers)
    assert [ticker for ticker, count in times.items() if count > 1] == []


@pytest.mark.parametrize(
    ("written", "company"),
    [
        ("Alphabet", "Google"), ("YouTube", "Google"), ("Waymo", "Google"), ("DeepMind", "Google"),
        ("Facebook", "Meta"), ("WhatsApp", "Meta"), ("AWS", "Amazon"), ("Whole Foods", "Amazon"),
        ("GM", "General Motors"), ("Hon Hai", "Foxconn"), ("J&J", "Johnson & Johnson"),
        ("Pentagon", "US Department of Defense"),
        ("Nestlé", "Nestle"), ("L’Oréal", "L'Oreal"), ("Ørsted", "Orsted"), ("BofA", "Bank of America"),
        ("Merck KGaA", "Merck KGaA"), ("MSD", "Merck"), ("Chrysler", "Stellantis"), ("JLR", "Jaguar Land Rover"),
        ("ChatGPT", "OpenAI"), ("Claude", "Anthropic"), ("NBCUniversal", "Comcast"), ("TikTok", "TikTok"),
        ("Douyin", "ByteDance"), ("Square", "Block"), ("Square Enix", "Square Enix"), ("Three", "CK Hutchison"),
        ("American Airlines", "American Airlines"), ("Delta", "Delta Air Lines"), ("NASA", "NASA"),
    ],
)  # fmt: skip
def test_a_name_finds_its_company(catalogue: tuple[Company, ...], written: str, company: str) -> None:
    assert [c.name for c in catalogue if plain(written) in map(plain, names_of(c))] == [company]


def test_one_name_stands_for_one_company(catalogue: tuple[Company, ...]) -> None:
    assert list(clashes(catalogue)) == []


# ---------------------------------------------------------------------------------------------- names that need care


def careful() -> dict[str, dict[str, str]]:
    return {entry["name"]: entry for entry in seed("names")["names"]}


def unlisted(companies: tuple[Company, ...], listed: set[str], words: set[str]) -> list[str]:
    """Names that are words as they stand and that names.toml does not list."""
    names = {name for company in companies for name in names_of(company)}
    return sorted(name for name in names - listed if name.lower() in words or (len(name) <= 3 and name.isalpha()))


def test_every_name_that_is_a_word_a_person_a_place_or_a_few_letters_is_listed(catalogue: tuple[Company, ...]) -> None:
    """Against the detector's common words, the people and places, and a list of words that firms take as names."""
    words = {word.lower() for words in seed("people_places").values() for word in words}
    words |= set((RULES / "words.txt").read_text(encoding="utf-8").split())
    words |= set((DATA / "words.txt").read_text(encoding="utf-8").split())
    assert [name for name in unlisted(catalogue, set(careful()), words) if name.isascii()] == []
    made_up = (
        Company(name="Zephyr"),
        Company(name="Nvidia", aliases=("QQ",)),
        Company(name="X", products=("Houston",)),
    )
    assert unlisted(made_up, {"X"}, words) == ["Houston", "QQ", "Zephyr"]


def test_the_names_that_issue_three_calls_out_are_listed_with_the_care_they_take() -> None:
    needs = {name: entry["needs"] for name, entry in careful().items()}
    for name in ("Target", "Gap", "Visa", "Block", "Square", "Match", "Snap", "Unity", "Box", "Three", "Orange",
                 "Delta", "United", "Wing", "Max", "Gemini", "Bard", "Here", "Signal", "Alexa", "Sharp"):  # fmt: skip
        assert needs[name] == "support", name
    for name in ("Meta", "Apple", "Arm", "Oracle", "Shell", "Intel", "Amazon", "Ford", "Stripe", "Tesla"):
        assert needs[name] == "case", name


def test_the_list_of_careful_names_is_sorted_and_well_formed() -> None:
    entries = seed("names")["names"]
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names))
    assert names == sorted(names, key=lambda name: (name.casefold(), name))
    for entry in entries:
        assert entry.keys() == {"name", "kind", "needs"}, entry
        assert entry["kind"] in {"word", "person", "place", "letter", "outlet"}, entry
        assert entry["needs"] in {"case", "support"}, entry


def test_a_company_whose_own_name_needs_support_has_a_name_that_gives_it(catalogue: tuple[Company, ...]) -> None:
    """ "Target" counts only beside "Target Corp" or "Shipt": somebody must be able to give that support."""
    needs = {name: entry["needs"] for name, entry in careful().items()}
    lonely = [
        c.name
        for c in catalogue
        if needs.get(c.name) == "support"
        and all(needs.get(name) == "support" for name in (*c.aliases, *c.products))
        and not c.tickers
    ]
    assert lonely == []


def test_phrases_that_hide_a_name_hold_it(catalogue: tuple[Company, ...]) -> None:
    phrases = seed("names")["not_names"]
    assert len(phrases) >= 300
    known = {name for company in catalogue for name in names_of(company)} | set(careful())
    for entry in phrases:
        assert entry.keys() == {"phrase", "hides"}, entry
        assert entry["hides"].casefold() in entry["phrase"].casefold(), entry
        assert entry["hides"] != entry["phrase"], entry
        assert entry["hides"] in known, entry
    pairs = {(entry["phrase"], entry["hides"]) for entry in phrases}
    assert len(pairs) == len(phrases)
    assert {
        ("Apple Daily", "Apple"), ("Amazon rainforest", "Amazon"), ("Meta Financial", "Meta"),
        ("Oracle of Omaha", "Oracle"), ("Ford Foundation", "Ford"), ("Bank of America", "America"),
        ("Price Target", "Target"), ("Manchester United", "United"), ("Three Mile Island", "Three"),
        ("Golden Visa", "Visa"),
    } <= pairs  # fmt: skip


# ---------------------------------------------------------------------------------------------- the lists beside it


def test_the_outlets_are_many_of_known_kinds_and_named_once() -> None:
    outlets = seed("outlets")["outlets"]
    assert len(outlets) >= 300
    kinds = {"wire", "newspaper", "broadcaster", "magazine", "online", "trade", "aggregator", "analyst_site", "blog"}
    owners: dict[str, str] = {}
    for outlet in outlets:
        assert outlet.keys() <= {"name", "aliases", "kind"}, outlet
        assert outlet["kind"] in kinds, outlet
        for name in (outlet["name"], *outlet.get("aliases", ())):
            assert owners.setdefault(name, outlet["name"]) == outlet["name"], name
    assert {"Reuters", "WSJ", "FT", "The Information", "Nikkei", "ts2.tech", "Stock Titan", "Axios"} <= owners.keys()


def test_people_and_places_are_sorted_lists_without_repeats() -> None:
    lists = seed("people_places")
    least = {
        "countries": 190, "demonyms": 120, "states": 50, "cities": 250, "regions": 100, "people": 150, "surnames": 150,
        "regulators": 120, "titles": 60, "indices": 80, "calendar": 60,
    }  # fmt: skip
    assert lists.keys() == least.keys()
    for key, names in lists.items():
        assert len(names) >= least[key], key
        assert names == sorted(set(names), key=lambda name: (name.casefold(), name)), key


def test_the_starter_watchlist_says_what_the_catalogue_says_but_for_names_that_are_words(
    catalogue: tuple[Company, ...],
) -> None:
    known = {company.name: company for company in catalogue}
    needs = {name: entry["needs"] for name, entry in careful().items()}
    for company in load_watchlist(SEEDS / "watchlist.toml"):
        ours = known[company.name]
        for field in ("aliases", "products", "tickers"):
            theirs, all_of_them = getattr(company, field), getattr(ours, field)
            left_out = [name for name in all_of_them if name not in theirs]
            assert [name for name in all_of_them if name not in left_out] == list(theirs), company.name
            assert all(needs.get(name) == "support" for name in left_out), f"{company.name}: {left_out}"


# ---------------------------------------------------------------------------------------------- loading and searching


def write(path: Path, *companies: str) -> Path:
    path.write_text("".join(f"[[companies]]\n{company}\n" for company in companies), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("second", "name"),
    [
        ('aliases = ["First Ltd"]', "First Ltd"),
        ('products = ["first ltd"]', "first ltd"),
        ('aliases = ["Café"]', "Café"),
        ('products = ["O’Thing"]', "O’Thing"),
    ],
)
def test_a_name_of_two_companies_is_refused_with_both(tmp_path: Path, second: str, name: str) -> None:
    first = 'name = "First"\naliases = ["First Ltd", "Cafe", "O\'Thing"]'
    path = write(tmp_path / "c.toml", first, f'name = "Second"\n{second}')
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    assert str(caught.value) == (
        f'{path}: company "Second": the name "{name}" belongs to "First" already; '
        "keep it with the company that the news means by it, and take it out of the other"
    )


def test_two_companies_may_share_a_ticker_and_a_group(tmp_path: Path) -> None:
    shared = 'tickers = ["ABC"]\ngroups = ["abc"]'
    path = write(tmp_path / "c.toml", f'name = "First"\n{shared}', f'name = "Second"\n{shared}')
    assert [c.name for c in load_catalogue(path)] == ["First", "Second"]


@pytest.mark.parametrize("content", ["[[companies]]\nnam = 1\n", "[[companies]\n", '[[companies]]\nname = ""\n'])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    assert caught.value.file == str(path)
    assert caught.value.remedy


SMALL = (
    Company(name="Acme", aliases=("Roadrunner Traps",), products=("Anvil One",), tickers=("ACM",), groups=("tools",)),
    Company(name="Acme Foods", aliases=("Nestlé Acme",), groups=("food",)),
    Company(name="Big Anvil", tickers=("ACME",), groups=("metal", "tools")),
    Company(name="Desert Supply", aliases=("The Acme Company",), products=("Acme",)),
    Company(name="Levi's", groups=("acme",)),
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("acme", ["Acme", "Big Anvil", "Desert Supply", "Levi's", "Acme Foods"]),  # whole: name, ticker, product, group
        ("Acme Foods", ["Acme Foods"]),
        ("ACM", ["Acme", "Acme Foods", "Desert Supply", "Levi's"]),  # the ticker whole beats the name's beginning
        ("anvil", ["Acme", "Big Anvil"]),  # the beginning of a product beats a later word of a name
        ("one anvil", ["Acme"]),  # in any order
        (["traps", "road"], ["Acme"]),
        ("nestle", ["Acme Foods"]),
        ("NESTLÉ ACME", ["Acme Foods"]),
        ("levi’s", ["Levi's"]),
        ("tools", ["Acme", "Big Anvil"]),
        ("  ", []),
        ([], []),
        ("nobody", []),
        ("acme nobody", []),
    ],
)
def test_search_ranks_whole_names_first(words: str | list[str], found: list[str]) -> None:
    assert [company.name for company in search(SMALL, words)] == found


def test_search_does_not_depend_on_the_order_of_the_catalogue() -> None:
    for words in ("acme", "anvil", "tools"):
        assert search(tuple(reversed(SMALL)), words) == search(SMALL, words)


def test_search_finds_what_people_type(catalogue: tuple[Company, ...]) -> None:
    for words, name in {
        "google": "Google", "alphabet": "Google", "goog": "Google", "gm": "General Motors",
        "estee lauder": "Estee Lauder", "bank america": "Bank of America", "jp morgan": "JPMorgan",
        "mcdonald’s": "McDonald's", "loreal": "L'Oreal",
        "hon hai": "Foxconn", "deep mind": "", "sk hynix": "SK Hynix", "pentagon": "US Department of Defense",
    }.items():  # fmt: skip
        found = search(catalogue, words)
        assert (found[0].name if found else "") == name, words
