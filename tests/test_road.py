"""The road under the title of each chapter: where it lies, and where it leads."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import book_site
import pytest
import yaml
from playwright.sync_api import BrowserContext, Locator, Page, expect

ROOT = Path(__file__).parents[1]
PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
CHAPTERS = [chapter["file"] for chapter in PARTS[0]["chapters"]]
FIRST = "book/intro"
# Of each link its row, what a finger can hit, and the size of its letters.
BOXES = """links => links.map(link => {
    const {top, width, height} = link.getBoundingClientRect()
    return [top, width, height, parseFloat(getComputedStyle(link).fontSize)]
})"""


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


def find_road(page: Page) -> Locator:
    return page.get_by_role("navigation", name="A digit’s way through the course")


def heading(site: Path, name: str) -> str:
    """A page's title with its number, as one reads it."""
    (title,) = re.findall(
        "<h1>(<span.*?)<a", (site / f"{name}.html").read_text("utf-8")
    )
    return re.sub("<.*?>", "", title)


@pytest.mark.parametrize("name", [*CHAPTERS, FIRST])
def test_a_page_lights_its_own_part_of_a_road_to_all_chapters(
    site: Path, page: Page, address: str, name: str
) -> None:
    page.goto(f"{address}/{name}.html")
    links = find_road(page).get_by_role("link")
    expect(links).to_have_count(len(CHAPTERS))
    for link, chapter in zip(links.all(), CHAPTERS, strict=True):
        leads = link.evaluate("link => link.href").rstrip("#")
        assert leads == f"{address}/{chapter}.html"
        expect(link).to_have_accessible_name(
            re.compile(rf"^[\w ]+ {re.escape(heading(site, chapter))}$")
        )
        current = link.get_attribute("aria-current")
        assert current == ("page" if chapter == name else None)
    assert len(find_road(page).evaluate("road => road.outerHTML").encode()) < 6000


def test_other_pages_have_no_road(site: Path) -> None:
    having = {
        path.relative_to(site).with_suffix("").as_posix()
        for path in book_site.pages(site)
        if "road" in re.findall(r'<nav class="(\w+)"', path.read_text("utf-8"))
    }
    assert having == {*CHAPTERS, FIRST}


@pytest.mark.parametrize("builder", ["singlehtml", "epub"])
def test_the_book_as_a_file_has_no_road(
    monkeypatch: pytest.MonkeyPatch, builder: str
) -> None:
    monkeypatch.syspath_prepend(ROOT / "book" / "extensions")
    road = importlib.import_module("road")
    app = SimpleNamespace(
        builder=SimpleNamespace(name=builder), config=SimpleNamespace(root_doc=FIRST)
    )
    context = {"body": "<h1>Meet the digits</h1>"}
    road.insert(app, CHAPTERS[0], "page.html", context, None)
    assert context == {"body": "<h1>Meet the digits</h1>"}


@pytest.mark.parametrize(("width", "rows"), [(320, 2), (390, 2), (768, 1), (1280, 1)])
def test_the_parts_fit_the_screen_and_a_finger(
    page: Page, address: str, width: int, rows: int
) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"{address}/{CHAPTERS[0]}.html")
    links = find_road(page).get_by_role("link")
    boxes = links.evaluate_all(BOXES)
    assert len({top for top, *_ in boxes}) == rows
    for _, across, high, letters in boxes:
        assert min(across, high) >= 44
        assert letters >= 11
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pointing_at_a_part_or_reaching_it_by_key_shows_its_title(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/{CHAPTERS[0]}.html")
    links = find_road(page).get_by_role("link")
    clipped = "link => getComputedStyle(link.querySelector('span')).clipPath"
    assert links.nth(2).evaluate(clipped) != "none"
    links.nth(2).hover()
    assert links.nth(2).evaluate(clipped) == "none"
    links.nth(4).focus()
    page.keyboard.press("Tab")
    expect(links.nth(5)).to_be_focused()
    assert links.nth(5).evaluate(clipped) == "none"


def test_paper_has_no_road(page: Page, address: str) -> None:
    page.goto(f"{address}/{CHAPTERS[0]}.html")
    expect(page.locator("nav.road")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("nav.road")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_on_a_page_with_a_road(
    page: Page, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"{address}/{CHAPTERS[1]}.html")
    book_site.expect_no_barriers(page)
