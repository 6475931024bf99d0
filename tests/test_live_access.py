"""The pads of the pages on a phone, for a keyboard, and for a screen reader."""

import itertools
import re
from collections.abc import Iterator

import book_site
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

expect.set_options(timeout=60_000)  # a busy machine takes its time

FIRST, DRAW, TRAIN = "book/intro.html", "notebooks/10_draw.html", "book/train.html"
OPERATE = "notebooks/09_feature_maps.html"
# What is smaller than a finger needs.
SMALL = """pad => [
    ...pad.querySelectorAll(":is(.draw, .offers, .bars) button, .switch, .file")]
    .filter(({offsetWidth: w, offsetHeight: h}) => w && Math.min(w, h) < 44)
    .map(({textContent}) => textContent)"""
# The part of a pad that holds the focus: its left and right edge, and its top.
STOP = """() => {
    const part = document.activeElement.closest(".switch, .stage > *");
    if (!part) return null;
    const { left, right, top } = part.getBoundingClientRect();
    return [left, right, Math.round(top + scrollY)]; }"""
# Found and read in one go: a redrawn chart has new words.
FILLS = """() => [...document.querySelectorAll(".pad svg text")]
    .map((word) => getComputedStyle(word).fill)"""
MOVING = """() => [
    getComputedStyle(document.querySelector(".bars i"), "::before").transitionDuration,
    getComputedStyle(document.documentElement).scrollBehavior,
    document.getAnimations().length]"""


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    yield page
    page.close()


def reach(page: Page, address: str, name: str, place: str = ".live-pad") -> Locator:
    """Open a page and have its pad fetch what it needs."""
    page.goto(f"{address}/{name}")
    pad = page.locator(place).first
    pad.locator(".sheet").focus()
    expect(pad).to_have_attribute("data-ready", "")
    return pad


def press(page: Page, keys: str) -> None:
    """Press keys, one after the other: "Space Right*3"."""
    for key in keys.split():
        name, _, times = key.partition("*")
        for _ in range(int(times or 1)):
            page.keyboard.press(name)


@pytest.mark.parametrize("name", [FIRST, DRAW, TRAIN])
def test_a_phone_shows_the_answer_while_one_draws(
    browser: Browser, address: str, name: str
) -> None:
    screen = {"width": 390, "height": 664}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{name}")
    pad = page.locator(".live-pad").first
    sheet = pad.locator(".sheet")
    sheet.wait_for()
    if name == FIRST:  # as it opens
        bars = pad.locator(".both").bounding_box()
        assert bars
        assert bars["y"] + bars["height"] <= 664
    header = page.locator(".bd-header-article").bounding_box()
    sheet.evaluate("sheet => sheet.scrollIntoView()")  # to below the page's header
    boxes = [pad.locator(part).bounding_box() for part in (".sheet", ".both", ".seen")]
    drawn, bars, seen = [box for box in boxes if box]
    assert header
    assert header["height"] <= drawn["y"] < drawn["y"] + drawn["height"] < bars["y"]
    assert seen["y"] == pytest.approx(drawn["y"], abs=1)
    assert seen["x"] > drawn["x"] + drawn["width"]
    assert bars["y"] + bars["height"] <= 664
    if name != TRAIN:
        offers = pad.locator(".offers").bounding_box()
        assert offers
        assert bars["y"] + bars["height"] < offers["y"]
    assert pad.evaluate(SMALL) == []
    assert book_site.barriers(page) == []
    context.close()


def test_a_finger_hits_all_on_a_phone_that_lies(browser: Browser, address: str) -> None:
    screen = {"width": 844, "height": 390}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    places = [(FIRST, ".live-pad"), (DRAW, ".live-pad"), (TRAIN, ".live-train")]
    for name, place in (*places, (OPERATE, ".live-surgery")):
        for width in (844, 640):
            page.set_viewport_size({"width": width, "height": 360})
            page.goto(f"{address}/{name}")
            pad = page.locator(place).first
            pad.locator(".sheet").wait_for()
            assert pad.evaluate(SMALL) == []
            sheet = pad.locator(".sheet").bounding_box()
            answer = pad.locator(".answer").bounding_box()
            assert sheet
            assert answer
            assert answer["x"] > sheet["x"] + sheet["width"]
            assert answer["y"] < sheet["y"]  # and so in view while one draws
            seen = pad.locator(".seen").bounding_box()
            assert seen
            assert seen["y"] == pytest.approx(sheet["y"], abs=1)
            lengths = "bars => Math.min(...bars.map(({clientWidth}) => clientWidth))"
            assert pad.locator(".bars:not([hidden]) i").evaluate_all(lengths) >= 40
    context.close()


@pytest.mark.parametrize("name", ["01_data", "04_mlp"])
def test_the_answer_is_beside_what_one_drags_on_a_phone_that_lies(
    browser: Browser, address: str, name: str
) -> None:
    screen = {"width": 640, "height": 360}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/notebooks/{name}.html")
    book_site.settle(page)
    page.locator(".live-figure").scroll_into_view_if_needed()
    book_site.settle(page)  # what is above it has its height
    page.locator(".shifter").evaluate("e => e.scrollIntoView({block: 'end'})")
    answer = page.locator(".live-figure .says").first.bounding_box()
    header = page.locator(".bd-header-article").bounding_box()
    assert answer
    assert header
    assert header["height"] <= answer["y"] < 180
    context.close()


@pytest.mark.parametrize("width", [360, 390, 844])
def test_a_finger_hits_one_of_many_maps(
    browser: Browser, address: str, width: int
) -> None:
    screen = {"width": width, "height": 664}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/{DRAW}")
    pad = page.locator(".live-pad").first
    pad.scroll_into_view_if_needed()
    pad.get_by_role("button", name="Draw a 4 for me").tap()
    expect(pad).to_have_attribute("data-prediction", "4")
    heading = pad.locator(".detail").get_by_role("heading")
    for block, count, size in ((1, 32, 12), (2, 64, 6), (4, 128, 6)):
        maps = pad.get_by_role("application", name=f"Maps of block {block}")
        # Its pixels: a line, and then each map with one after it.
        columns = (int(maps.get_attribute("width") or 0) - 1) // (size + 1)
        box = maps.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        side = box["width"] / columns
        assert side >= 44
        rows = -(-count // columns)
        assert box["height"] / rows == pytest.approx(side, abs=2)
        last = (count - 1) % columns
        y = box["height"] - side / 2
        maps.tap(position={"x": (last + 0.5) * side, "y": y})
        expect(heading).to_have_text(f"Block {block}, map {count - 1}")
        if last < columns - 1:  # beside it is none
            maps.tap(position={"x": box["width"] - side / 2, "y": y})
            expect(heading).to_have_text(f"Block {block}, map {count - 1}")
        # One in the middle stays under the finger, and opens right below its row.
        maps.evaluate("e => scrollBy(0, e.getBoundingClientRect().top - 100)")
        maps.tap(position={"x": side / 2, "y": 1.5 * side})
        expect(heading).to_have_text(f"Block {block}, map {columns}")
        above, below = maps.bounding_box(), pad.locator(".detail").bounding_box()
        assert above
        assert below
        assert above["height"] == pytest.approx(2 * side, abs=8)
        assert below["y"] == pytest.approx(above["y"] + above["height"], abs=20)
        assert above["y"] == pytest.approx(100, abs=3)
        rest = maps.locator("xpath=..").locator("> canvas").last
        if rows > 2:
            rest.tap(position={"x": side / 2, "y": side / 2})
            expect(heading).to_have_text(f"Block {block}, map {2 * columns}")
            expect(maps).to_be_focused()
    context.close()


@pytest.mark.parametrize(
    ("name", "place", "level"), [(DRAW, "drawing pad", 3), (TRAIN, "trainer", 2)]
)
def test_a_heading_and_a_link_lead_to_the_pad(
    page: Page, address: str, name: str, place: str, level: int
) -> None:
    page.goto(f"{address}/{name}")
    pad = page.locator(".live-pad")
    pad.locator(".pad").wait_for()
    expect(pad.get_by_role("heading", name=place, level=level)).to_have_count(1)
    part = pad.get_by_role("heading", name="You draw")
    expect(part).to_have_attribute("aria-level", str(level + 1))
    link = page.get_by_role("link", name=f"Skip to the {place}")
    expect(link).not_to_be_in_viewport()
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    press(page, "Tab")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    address_before = page.url
    press(page, "Enter")
    expect(pad).to_be_focused()
    expect(pad).to_be_in_viewport()
    assert page.url == address_before  # which holds the trainer's settings
    on_it = ".live-pad .pad :focus"
    press(page, "Tab")
    expect(page.locator(on_it)).to_be_visible()


def test_samples_and_bars_are_one_tab_stop_each(page: Page, address: str) -> None:
    pad = reach(page, address, FIRST)
    bars = pad.get_by_role("toolbar", name="How sure it is").get_by_role("button")
    samples = pad.get_by_role("toolbar", name="Draw a digit for me")
    digits, centred = (
        samples.get_by_role("button"),
        pad.get_by_label("Scale and centre"),
    )
    press(page, "Tab")
    expect(digits.nth(0)).to_be_focused()
    press(page, "ArrowRight*4 Enter")
    expect(pad).to_have_attribute("data-prediction", "4")
    press(page, "Tab")
    expect(centred).to_be_focused()
    press(page, "Tab")
    expect(bars.nth(0)).to_be_focused()
    press(page, "ArrowDown*3 ArrowUp")
    expect(bars.nth(2)).to_be_focused()
    press(page, "End ArrowRight")
    expect(bars.nth(9)).to_be_focused()
    press(page, "Shift+Tab*2")
    expect(digits.nth(4)).to_be_focused()  # where one was
    press(page, "Home Tab*2")
    expect(bars.nth(9)).to_be_focused()


@pytest.mark.parametrize(
    ("name", "place", "parts"),
    [(FIRST, ".live-pad", 4), (DRAW, ".live-pad", 4), (OPERATE, ".live-surgery", 3)],
)
@pytest.mark.parametrize(
    ("size", "finger"),
    [
        ((1440, 900), False),
        ((1280, 800), False),
        ((640, 400), False),
        ((390, 664), True),
        ((640, 360), True),
    ],
)
def test_the_tab_key_goes_the_way_that_one_reads(
    browser: Browser,
    address: str,
    name: str,
    place: str,
    parts: int,
    size: tuple[int, int],
    finger: bool,
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=finger
    )
    page = context.new_page()
    reach(page, address, name, place)
    press(page, "ArrowUp")  # the pen of the keyboard comes
    stops = []
    while stop := page.evaluate(STOP):
        stops.append(stop)
        press(page, "Tab")
    assert len({tuple(stop) for stop in stops}) == parts
    for (_, right, top), (x, _, y) in itertools.pairwise(stops):
        assert y >= top or x >= right, stops  # further down, or further to the right
    context.close()


@pytest.mark.parametrize("name", [FIRST, TRAIN])
def test_a_keyboard_draws_a_seven(page: Page, address: str, name: str) -> None:
    pad = reach(page, address, name)
    sheet, ring, said = (pad.locator(part) for part in (".sheet", ".ring", ".said"))
    expect(sheet).to_have_accessible_description(re.compile("Arrow keys move"))
    top = page.evaluate("scrollY")
    press(page, "ArrowLeft*7 ArrowUp*9")
    expect(ring).to_be_visible()
    expect(said).to_have_text("Pen up, column 7, row 5 of 27.")
    expect(pad).to_have_attribute("data-prediction", "")
    press(page, "Space")
    expect(said).to_have_text("Pen down, column 7, row 5 of 27.")
    press(page, "ArrowRight*14 " + "End ArrowDown " * 9)
    expect(said).to_have_text("Pen down, column 12, row 23 of 27.")
    if name == FIRST:
        expect(pad).to_have_attribute("data-prediction", "7")
        # A pen that rests is told of as one that was lifted is.
        expect(pad.get_by_role("status")).to_contain_text("reads a 7")
    press(page, "Enter")
    expect(said).to_contain_text("Pen up")
    press(page, "Home*30 PageDown")
    assert page.evaluate("scrollY") == top
    page.keyboard.down("Shift")
    press(page, "ArrowRight*5")
    page.keyboard.up("Shift")
    press(page, "ArrowRight")  # no longer with ink
    expect(said).to_have_text("Pen up, column 8, row 2 of 27.")
    press(page, "Backspace")
    if name == FIRST:
        expect(pad).to_have_attribute("data-prediction", "7")
    press(page, "Space Backspace Backspace")
    expect(said).to_contain_text("Pen up")
    expect(pad).to_have_attribute("data-prediction", "")
    press(page, "Escape")
    expect(sheet).not_to_be_focused()
    expect(ring).to_have_count(0)


@pytest.mark.parametrize("wish", ["no-preference", "reduce"])
def test_who_wants_no_motion_gets_none(
    browser: Browser, address: str, wish: str
) -> None:
    context = browser.new_context(reduced_motion=wish)
    page = context.new_page()
    pad = reach(page, address, DRAW)
    press(page, "3")
    expect(pad).to_have_attribute("data-prediction", "3")
    duration, scrolling, running = page.evaluate(MOVING)
    assert (duration == "0s") == (wish == "reduce")
    assert scrolling == "auto"
    assert wish != "reduce" or running == 0
    context.close()


@pytest.mark.parametrize("name", [FIRST, DRAW, TRAIN, OPERATE])
def test_axe_finds_nothing_on_a_page_with_a_pad(
    page: Page, address: str, name: str
) -> None:
    reach(page, address, name)
    press(page, "ArrowLeft Space ArrowDown*9")
    page.add_style_tag(content="* { transition: none !important }")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert book_site.barriers(page, book_site.ANY) == [], theme


@pytest.mark.parametrize("name", ["notebooks/02_one_layer", "book/train"])
def test_in_the_readers_own_colours_a_chart_can_be_read(
    browser: Browser, address: str, name: str
) -> None:
    page = browser.new_page(forced_colors="active", color_scheme="light")
    page.goto(f"{address}/{name}.html")
    page.locator(".live-pad").first.scroll_into_view_if_needed()
    expect(page.locator(".pad svg text").first).to_be_attached()
    assert {*page.evaluate(FILLS)} == {"rgb(0, 0, 0)"}
    page.close()


def test_in_the_readers_own_colours_a_bar_shows_its_share(
    browser: Browser, address: str
) -> None:
    page = browser.new_page(forced_colors="active", color_scheme="light")
    page.goto(f"{address}/notebooks/10_draw.html")
    page.locator(".live-pad").first.scroll_into_view_if_needed()
    bar = page.locator(".live-pad .bars i").first
    filled = bar.evaluate("bar => getComputedStyle(bar, '::before').backgroundColor")
    blank = bar.evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert filled == "rgb(0, 0, 0)"
    assert blank == "rgb(255, 255, 255)"
    page.close()
