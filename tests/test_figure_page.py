"""The page of all figures leads to each of them, and is there for everybody."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import book_site
import pytest
from playwright.sync_api import BrowserContext, Page, expect

expect.set_options(timeout=60_000)  # a busy machine takes its time

TRAINER = "book/train.html"
CAPTION = (
    r'<figure [^>]*id="(\w+)">(?:(?!</figure>).)*?<span class="caption-number">(.*?) '
    r'</span><span class="caption-text">(.*?)</span>'
)
LISTED = r'href="\.\./(notebooks/\w+\.html)#(\w+)">(Fig\. [\d.]+)</a>: (.*?)</p>'


def table(site: Path) -> list[str]:
    """Where the table of what moves leads, from the site's root."""
    text = (site / "book/figures.html").read_text("utf-8")
    body = text.split('<section id="to-show-in-class">')[1].split("<tbody>")[1]
    links = re.findall(r'href="([^"]+)"', body.split("</tbody>")[0])
    return [unescape(f"book/{link}").replace("book/../", "") for link in links]


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


def test_all_that_moves_is_in_the_table(site: Path, page: Page, address: str) -> None:
    places = [
        f"{path.relative_to(site).as_posix()}#{name}"
        for path in book_site.pages(site)
        for name in re.findall(
            r'<section id="([^"]+)" class="live-pad', path.read_text("utf-8")
        )
    ]
    page.goto(f"{address}/{TRAINER}")
    states = page.locator(".states a")
    expect(states).not_to_have_count(0)
    hashes = [state.get_attribute("href") for state in states.all()]
    expected = {place for place in places if TRAINER not in place}
    expected |= {f"{TRAINER}{name}" for name in hashes}
    assert len(places) > 10
    assert set(table(site)) == expected


def test_its_links_show_what_they_name(site: Path, page: Page, address: str) -> None:
    for link in table(site):
        page.goto("about:blank")  # from one state to the next no page is opened
        page.goto(f"{address}/{link}")
        name, fragment = link.split("#")
        place = page.locator(".live-train" if name == TRAINER else f"#{fragment}")
        expect(place).to_have_class(re.compile(r"\bready\b"))
        expect(place).to_be_in_viewport()
        if name == TRAINER:
            current = page.locator(".states [aria-current=true]")
            expect(current).to_have_attribute("href", f"#{fragment}")


def test_the_list_has_every_figure_with_its_number(site: Path) -> None:
    text = (site / "book/figures.html").read_text("utf-8")
    listed = re.findall(LISTED, text, re.S)
    numbered = [
        (path.relative_to(site).as_posix(), *figure)
        for path in sorted(site.glob("notebooks/*.html"))
        for figure in re.findall(CAPTION, path.read_text("utf-8"), re.S)
    ]
    assert len(numbered) > 50
    assert listed == numbered


@pytest.mark.parametrize("name", ["figures", "references"])
def test_axe_finds_nothing_on_the_page(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/book/{name}.html")
    book_site.expect_no_barriers(page)
