"""What a word or a work at a link shows in a popover: hover, keyboard, finger."""

import re
from collections.abc import Iterator
from pathlib import Path

import book_site
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

expect.set_options(timeout=60_000)  # a busy machine takes its time

LAYER, MLP = "notebooks/02_one_layer.html", "notebooks/04_mlp.html"
TRAIN, CLASS = "book/train.html", "book/class.html"
# What axe cannot judge while it moves.
STILL = "* { transition: none !important }"


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


def word(page: Page, name: str) -> Locator:
    """A link to an entry of the glossary, or to a work by its key."""
    return page.locator(f'article a[href*=".html#{name}"]').first


def popover(page: Page) -> Locator:
    return page.get_by_role("tooltip")


def fetched(requests: list[str]) -> list[str]:
    found = (re.search(r"/book/(glossary|references)\.html$", url) for url in requests)
    return [match[1] for match in found if match]


def test_every_work_that_is_named_is_led_to(site: Path) -> None:
    entries = re.findall(
        r'class="citation" id="([^"]+)"', (site / "book/references.html").read_text()
    )
    leads = [
        (path.name, *link)
        for path in book_site.pages(site)
        for link in re.findall(
            r'href="[^"]*references\.html(?:#([^"]*))?"><span class="[^"]*">'
            r"([^<]*\b\d{4}\)?)</span>",
            path.read_text("utf-8"),
        )
    ]
    assert len(leads) > 20
    assert [lead for lead in leads if lead[1] not in entries] == []


def test_the_pointer_opens_it_and_it_is_fetched_once(page: Page, address: str) -> None:
    requests, _ = book_site.collect(page)
    page.goto(f"{address}/{LAYER}")
    book_site.settle(page)
    assert fetched(requests) == []
    word(page, "nat").hover()
    expect(popover(page)).to_have_text(re.compile(r"nat: The unit of (?!\\)"))
    expect(popover(page).locator("mjx-container")).to_have_count(2)
    assert "\\" not in popover(page).inner_text()
    expect(word(page, "nat")).to_have_accessible_description(
        re.compile("nat: The unit")
    )
    word(page, "loss").hover()
    expect(popover(page)).to_have_text(re.compile("loss: "))
    word(page, "rosenblatt1958").hover()
    expect(popover(page)).to_have_text(re.compile("Frank Rosenblatt.*1958"))
    assert fetched(requests) == ["glossary", "references"]


def test_a_work_in_full_lies_below_its_link(page: Page, address: str) -> None:
    page.goto(f"{address}/{CLASS}")
    link = word(page, "lecun1998")
    link.hover()
    expect(popover(page)).to_have_text(re.compile("Yann LeCun"))
    at, box = link.bounding_box(), popover(page).bounding_box()
    assert at and box
    assert box["x"] == pytest.approx(at["x"], abs=1)
    assert 0 < box["y"] - at["y"] - at["height"] < 10


def test_it_stays_under_the_pointer_and_goes_with_it(page: Page, address: str) -> None:
    page.goto(f"{address}/{LAYER}")
    word(page, "nat").hover()
    expect(popover(page)).to_be_visible()
    popover(page).hover()
    page.wait_for_timeout(600)  # twice as long as it waits
    expect(popover(page)).to_be_visible()
    page.mouse.move(5, 5)
    expect(popover(page)).to_be_hidden()
    word(page, "nat").hover()
    expect(popover(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(popover(page)).to_be_hidden()


def test_the_keyboard_opens_and_closes_it(page: Page, address: str) -> None:
    page.goto(f"{address}/{MLP}")
    link = word(page, "belkin2019")
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(popover(page)).to_have_text(re.compile("Mikhail Belkin.*Reconciling modern"))
    page.mouse.move(5, 5)
    page.wait_for_timeout(600)  # twice as long as a pointer's would stay
    expect(popover(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(popover(page)).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(popover(page)).to_be_visible()
    page.keyboard.press("Tab")
    expect(popover(page)).not_to_have_text(re.compile("Reconciling"))


def test_a_page_without_formulas_sets_those_of_an_entry(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/{TRAIN}")
    assert page.evaluate("typeof MathJax") == "undefined"
    word(page, "relu").hover()
    expect(popover(page).locator("mjx-container")).to_have_count(1)
    expect(popover(page)).to_be_visible()
    expect(page.locator("mjx-container")).to_have_count(1)
    expect(page.locator("mjx-container[tabindex]")).to_have_count(0)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    screen = {"width": 390, "height": 664}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_finger_opens_it_and_then_follows(
    phone: Page, address: str, theme: str
) -> None:
    phone.emulate_media(color_scheme=theme)
    phone.goto(f"{address}/{LAYER}")
    phone.add_style_tag(content=STILL)
    word(phone, "cross-entropy").tap()
    expect(popover(phone)).to_contain_text("cross-entropy: The mean")
    expect(popover(phone)).to_contain_text("To the glossary")
    assert phone.url.endswith(LAYER)
    expect(popover(phone)).to_be_in_viewport(ratio=1)
    assert book_site.barriers(phone, book_site.ANY) == []
    phone.get_by_role("heading", name="What should a wrong answer cost?").tap()
    expect(popover(phone)).to_be_hidden()
    word(phone, "rosenblatt1958").tap()
    popover(phone).get_by_role("link", name="To the references").tap()
    phone.wait_for_url("**/book/references.html#rosenblatt1958")
    phone.go_back()
    word(phone, "nat").tap()
    expect(popover(phone)).to_be_visible()
    word(phone, "nat").tap()
    phone.wait_for_url("**/book/glossary.html#nat")


def test_what_cannot_be_fetched_is_followed_at_once(phone: Page, address: str) -> None:
    phone.goto(f"{address}/{LAYER}")
    phone.route("**/glossary.html", lambda route: route.abort(), times=1)
    word(phone, "nat").tap()
    phone.wait_for_url("**/book/glossary.html#nat")


def test_without_a_script_links_are_links(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{LAYER}")
    word(page, "nat").click()
    page.wait_for_url("**/book/glossary.html#nat")
    context.close()
