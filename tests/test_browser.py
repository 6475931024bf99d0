"""The pads in a real JupyterLab, drawn on with mouse, pen and finger."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import book_site
import nbformat
import pytest
from jupyter_client.blocking import BlockingKernelClient
from lab import (
    FOLDERS,
    evaluate,
    kernel_of,
    open_and_run,
    running_lab,
    send_at_once,
    write_notebook,
)
from pen import ONE, SEVEN, ZERO
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Error, FloatRect, Locator, Page, expect

from mnistedu.data import CACHE_NAME, Digits, _write_cache
from mnistedu.strokes import Point

expect.set_options(timeout=30_000)  # a busy machine takes its time

Draw = Callable[[Locator, Sequence[Point]], None]

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
WITH_WIDGETS = [NOTEBOOKS / "05_cnn.ipynb", NOTEBOOKS / "10_draw.ipynb"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, offline: Digits) -> Path:
    """The folder of a JupyterLab whose chapters find few digits, and train quickly."""
    home = tmp_path_factory.mktemp("lab")
    _write_cache(offline, home / FOLDERS["XDG_CACHE_HOME"] / "mnistedu" / CACHE_NAME)
    return home


@pytest.fixture(scope="module")
def page(browser: Browser, home: Path) -> Iterator[Page]:
    """A notebook with both pads, run, the first one in view."""
    cells = ["from mnistedu.pad import *", "pad = DrawingPad(); pad"]
    write_notebook(home / "pads.ipynb", [*cells, "hand = HandwritingPad(); hand"])
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, has_touch=True
    )
    page = context.new_page()
    try:
        with running_lab(home) as address:
            open_and_run(page, address.format("pads.ipynb"))
            canvas = page.locator(".mnistedu-pad canvas")
            expect(canvas).to_have_count(2, timeout=120_000)
            yield page
            context.close()
    finally:
        print((home / "server.log").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def kernel(page: Page, home: Path) -> Iterator[BlockingKernelClient]:
    with kernel_of(home) as client:
        yield client


@pytest.fixture
def pad(page: Page) -> Iterator[Locator]:
    """The pad with a new sheet."""
    pad = page.locator(".mnistedu-pad").first
    pad.locator("canvas").scroll_into_view_if_needed()
    expect_answer(pad, None)
    yield pad
    if pad.locator(".gone").is_hidden() and pad.count():
        pad.get_by_role("button", name="Clear").click()
        expect_answer(pad, None)


def box(pad: Locator) -> FloatRect:
    """Where the canvas lies in the window."""
    rectangle = pad.locator("canvas").bounding_box()
    assert rectangle
    return rectangle


def mouse(pad: Locator, points: Sequence[Point]) -> None:
    corner = box(pad)
    for i, (x, y) in enumerate(points):
        pad.page.mouse.move(corner["x"] + x, corner["y"] + y, steps=5 if i else 1)
        if i == 0:
            pad.page.mouse.down()
    pad.page.mouse.up()


def pen(pad: Locator, points: Sequence[Point]) -> None:
    corner = box(pad)
    devtools = pad.page.context.new_cdp_session(pad.page)
    kinds = ["mousePressed", *["mouseMoved"] * len(points), "mouseReleased"]
    for kind, (x, y) in zip(kinds, [points[0], *points, points[-1]], strict=True):
        event = {"type": kind, "pointerType": "pen", "button": "left", "buttons": 1}
        where = {"x": corner["x"] + x, "y": corner["y"] + y, "clickCount": 1}
        devtools.send("Input.dispatchMouseEvent", event | where)


def finger(pad: Locator, points: Sequence[Point]) -> None:
    book_site.touch(pad.locator("canvas"), points)


def expect_answer(pad: Locator, digit: int | None) -> None:
    """The answer, and what the bars and the canvas must then show."""
    says = pad.locator("[data-prediction]")
    shown = "" if digit is None else str(digit)
    expect(says).to_have_attribute("data-prediction", shown)
    expect(says).to_have_text(shown or "Draw a digit")
    best = pad.locator(".best b")
    if digit is None:
        expect(best).to_have_count(0)
    else:
        expect(best).to_have_text(shown)
    expect_ink(pad, digit is not None)


def expect_ink(pad: Locator, inked: bool) -> None:
    pad.page.wait_for_function(
        """([canvas, inked]) => {
            const image = canvas.getContext("2d").getImageData(0, 0, 280, 280)
            return inked == image.data.some(value => value > 0)
        }""",
        arg=[pad.locator("canvas").element_handle(), inked],
    )


def expect_picture(pad: Locator) -> tuple[int, int]:
    """The size of the picture of what is inside, once it is there."""
    picture = pad.locator(".inside img")
    expect(picture).to_be_visible()
    pad.page.wait_for_function("image => image.complete", arg=picture.element_handle())
    width, height = picture.evaluate(
        "image => [image.naturalWidth, image.naturalHeight]"
    )
    return width, height


def look_inside(pad: Locator, view: str) -> None:
    pad.get_by_label("Look inside").select_option(view)


@pytest.mark.parametrize(
    ("draw", "digit", "points"),
    [(mouse, 7, SEVEN), (mouse, 0, ZERO), (pen, 7, SEVEN), (finger, 1, ONE)],
    ids=["mouse 7", "mouse 0", "pen 7", "finger 1"],
)
def test_reads_what_is_drawn(pad: Locator, draw: Draw, digit: int, points: list[Point]):
    draw(pad, points)
    expect_answer(pad, digit)


def test_none_of_200_fast_points_is_lost(pad: Locator, kernel: BlockingKernelClient):
    points = [(20 + i, 40 + 17 * i % 200) for i in range(200)]
    drawn = send_at_once(pad.locator("canvas"), points)
    expected = f"from mnistedu.strokes import rasterize; ink = rasterize([{drawn}])"
    for _ in range(300):
        difference = evaluate(kernel, expected, "float((pad.ink - ink).abs().max())")
        if float(difference) < 1e-3:
            break
        pad.page.wait_for_timeout(100)
    assert float(difference) < 1e-3


def test_a_stroke_goes_on_off_the_sheet_and_ends_with_the_button(
    pad: Locator, kernel: BlockingKernelClient
):
    mouse(pad, [(180, 60), (340, 60), (340, 160), (180, 160), (340, 220)])
    corner = box(pad)
    pad.page.mouse.move(corner["x"] + 60, corner["y"] + 240, steps=5)  # back again
    pad.page.wait_for_timeout(500)
    drawn = "rasterize([[(180, 60), (340, 60)], [(340, 160), (180, 160), (340, 220)]])"
    expected = f"from mnistedu.strokes import rasterize; ink = {drawn}"
    difference = evaluate(kernel, expected, "float((pad.ink - ink).abs().mean())")
    assert float(difference) < 0.01


def test_a_press_does_not_move_a_sheet_that_is_partly_out_of_sight(pad: Locator):
    pad.page.set_viewport_size({"width": 1280, "height": 400})
    canvas = pad.locator("canvas")
    canvas.evaluate("canvas => canvas.blur()")
    canvas.evaluate("canvas => canvas.scrollIntoView({block: 'start'})")
    panel = pad.page.locator(".jp-WindowedPanel-outer")
    panel.evaluate("panel => panel.scrollTop -= 100")
    before = box(pad)
    assert before["y"] + before["height"] > 400
    mouse(pad, [(60, 40), (60, 60)])
    expect_ink(pad, True)
    assert box(pad) == before
    pad.page.set_viewport_size({"width": 1280, "height": 800})


def test_only_the_left_button_draws(pad: Locator, kernel: BlockingKernelClient):
    corner, mouse = box(pad), pad.page.mouse
    for button in ("right", "middle"):
        mouse.move(corner["x"] + 60, corner["y"] + 60)
        mouse.down(button=button)
        mouse.move(corner["x"] + 200, corner["y"] + 200, steps=5)
        mouse.up(button=button)
        pad.page.keyboard.press("Escape")  # a menu of JupyterLab's
    pad.page.wait_for_timeout(500)
    assert evaluate(kernel, "", "bool(pad.ink.any())") == "False"


def test_while_a_cell_runs_the_pad_says_that_it_waits(
    pad: Locator, kernel: BlockingKernelClient
):
    waits = pad.locator(".waits")
    expect(waits).to_be_hidden()
    kernel.execute("import time; time.sleep(4)")
    expect(waits).to_be_visible()
    mouse(pad, SEVEN)
    expect(pad.locator(".digit")).to_have_count(0)
    expect(waits).to_be_hidden()
    expect_answer(pad, 7)


def test_undo_takes_back_a_stroke(pad: Locator):
    mouse(pad, SEVEN)
    expect_answer(pad, 7)
    mouse(pad, ZERO)
    expect(pad.locator(".digit")).not_to_have_text("7")
    pad.get_by_role("button", name="Undo").click()
    expect_answer(pad, 7)
    pad.locator("canvas").focus()
    pad.page.keyboard.press("Control+z")
    expect_answer(pad, None)


def test_the_brush_makes_thicker_strokes(pad: Locator):
    dark = """canvas => canvas.getContext("2d").getImageData(0, 0, 280, 280)
              .data.reduce((sum, value) => sum + value / 255, 0)"""
    canvas, areas = pad.locator("canvas"), []
    brush = pad.get_by_role("slider")
    for key in ("Home", "End"):
        brush.focus()
        pad.page.keyboard.press(key)
        mouse(pad, ONE)
        expect_answer(pad, 1)
        areas.append(canvas.evaluate(dark))
        pad.get_by_role("button", name="Undo").click()
        expect_answer(pad, None)
    assert areas[1] > 3 * areas[0] > 0
    brush.focus()
    for _ in range(20):
        pad.page.keyboard.press("ArrowLeft")


def test_reads_a_file_and_says_what_is_wrong_with_a_bad_one(pad: Locator, home: Path):
    photo = Image.new("L", (600, 400), 240)
    ImageDraw.Draw(photo).line([(x + 200, y + 40) for x, y in SEVEN], 30, 20, "curve")
    photo.save(home / "seven.png")
    (home / "bad.png").write_bytes((home / "seven.png").read_bytes()[:300])
    # Ten times what Jupyter's server takes if it is not told to take more.
    (home / "large.png").write_bytes(bytes(105_000_000))

    def upload(name: str) -> None:
        with pad.page.expect_file_chooser() as chooser:
            pad.get_by_role("button", name="Upload").click()
        chooser.value.set_files(home / name)

    for bad in ("bad.png", "large.png"):
        upload("seven.png")
        expect_answer(pad, 7)
        upload(bad)
        expect(pad.get_by_role("alert")).to_contain_text("damaged or no image")
        expect_answer(pad, 7)
        pad.get_by_role("button", name="Undo").click()
        expect(pad.get_by_role("alert")).to_have_count(0)
        expect_answer(pad, None)
    upload("seven.png")
    expect_answer(pad, 7)


def test_centring_can_be_turned_off_and_on(pad: Locator):
    mouse(pad, [(x / 3 + 190, y / 3 + 200) for x, y in SEVEN])
    expect_answer(pad, 7)
    expect_seen_on_top(pad, True)
    pad.get_by_label("Scale and centre").uncheck()
    expect_seen_on_top(pad, False)
    pad.get_by_label("Scale and centre").check()
    expect_seen_on_top(pad, True)
    expect_answer(pad, 7)


def expect_seen_on_top(pad: Locator, inked: bool) -> None:
    """Whether the upper half of the image that the network sees holds any ink."""
    pad.page.wait_for_function(
        """([image, inked]) => {
            const context = new OffscreenCanvas(28, 28).getContext("2d")
            context.drawImage(image, 0, 0)
            const {data} = context.getImageData(0, 0, 28, 14)
            return image.complete && inked == data.some(value => value < 255)
        }""",
        arg=[pad.locator(".seen").element_handle(), inked],
    )


def test_shows_the_maps_of_each_block_and_the_heatmap(pad: Locator):
    mouse(pad, SEVEN)
    expect_answer(pad, 7)
    for number, text, size in (
        (1, "32 feature maps of 12×12", (207, 25)),
        (2, "64 feature maps of 6×6", (111, 27)),
        (4, "128 feature maps of 6×6", (111, 55)),
    ):
        look_inside(pad, f"block {number}")
        expect(pad.locator(".inside")).to_contain_text(text)
        assert expect_picture(pad) == size
    look_inside(pad, "heatmap")
    expect(pad.locator(".inside")).to_contain_text("adds to the logit of a 7")
    expect(pad.locator(".inside")).to_contain_text("full colour is ±")
    assert expect_picture(pad) == (224, 224)
    seven = pad.locator(".inside img").get_attribute("src")
    pad.get_by_label("for", exact=True).select_option("2")
    expect(pad.locator(".inside")).to_contain_text("the logit of a 2")
    expect(pad.locator(".inside img")).not_to_have_attribute("src", seven or "")
    look_inside(pad, "nothing")
    expect(pad.locator(".inside img")).to_be_hidden()


def test_everything_but_drawing_works_from_the_keyboard(pad: Locator):
    keyboard = pad.page.keyboard
    mouse(pad, SEVEN)
    expect_answer(pad, 7)
    expect(pad.locator("canvas")).to_be_focused()
    keyboard.press("Shift+Tab")
    expect(pad.get_by_role("button", name="Clear")).to_be_focused()
    keyboard.press("Enter")
    expect_answer(pad, None)
    keyboard.press("Tab")
    expect(pad.locator("canvas")).to_be_focused()
    keyboard.press("Tab")
    expect(pad.get_by_role("button", name="Sample")).to_be_focused()
    for digit in (0, 1):
        keyboard.press("Enter")
        expect_answer(pad, digit)
    for control in (
        pad.get_by_role("button", name="Upload"),
        pad.get_by_role("slider"),
        pad.get_by_label("Scale and centre"),
        pad.get_by_label("Look inside"),
    ):
        keyboard.press("Tab")
        expect(control).to_be_focused()


def test_a_narrow_window_needs_no_sideways_scrolling(pad: Locator):
    page = pad.page
    mouse(pad, SEVEN)
    look_inside(pad, "block 3")
    expect_picture(pad)
    for width in (600, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        inner, outer, right, edge = pad.evaluate(
            """pad => [pad.scrollWidth, pad.clientWidth,
                Math.max(...[...pad.querySelectorAll("canvas, img, .bar, button")]
                    .map(part => part.getBoundingClientRect().right)),
                pad.getBoundingClientRect().right]"""
        )
        assert inner <= outer and right <= edge + 1
    look_inside(pad, "nothing")


def test_is_legible_in_both_themes(pad: Locator):
    page = pad.page
    mouse(pad, SEVEN)
    expect_answer(pad, 7)
    for theme in ("Dark", "Light"):
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.get_by_text("Theme", exact=True).hover()
        page.get_by_role("menuitem", name=f"JupyterLab {theme}", exact=True).click()
        expect(page.locator("body")).to_have_attribute(
            "data-jp-theme-light", "true" if theme == "Light" else "false"
        )
        page.wait_for_timeout(500)
        for text, least in (("h4", 4.5), (".bar span", 4.5), (".digit", 3)):
            assert contrast(pad.locator(text).first) >= least, (theme, text)


def contrast(text: Locator) -> float:
    """How much lighter or darker a text is than what lies behind it (WCAG 2.2)."""
    return text.evaluate(
        """text => {
            const rgb = color => color.match(/[\\d.]+/g).map(Number)
            const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
            let behind = text
            const background = () => rgb(getComputedStyle(behind).backgroundColor)
            while (background()[3] === 0) behind = behind.parentElement
            const [a, b] = [rgb(getComputedStyle(text).color), background()]
                .map(luminance).sort((a, b) => b - a)
            return (a + 0.05) / (b + 0.05)
        }"""
    )


def test_collects_a_hand(page: Page, kernel: BlockingKernelClient):
    hand = page.locator(".mnistedu-pad").nth(1)
    hand.locator("canvas").scroll_into_view_if_needed()
    for number, points in enumerate((SEVEN, ONE), start=1):
        expect(hand.locator("h4").first).to_contain_text(f"({number} of 20)")
        mouse(hand, points)
        expect_ink(hand, True)
        page.keyboard.press("Enter")
        expect_ink(hand, False)
    hand.get_by_role("button", name="Back").click()
    expect_ink(hand, True)
    expect(hand.locator("h4").first).to_contain_text("(2 of 20)")
    hand.get_by_role("button", name="Keep").click()
    expect(hand.locator("h4").first).to_contain_text("(3 of 20)")
    shapes = evaluate(kernel, "", "(tuple(hand.images.shape), len(hand.targets))")
    assert shapes == "((2, 1, 28, 28), 2)"


def reload(page: Page, check: Callable[[], None]) -> None:
    """Reload until all is well, as a reader would, at most three times.

    JupyterLab gives up widgets which the kernel has not described within four seconds;
    on a busy machine some then are missing, or dead.
    """
    for again in (True, True, False):
        page.reload()
        try:
            return check()
        except (AssertionError, Error):
            if not again:
                raise


def test_a_reloaded_page_shows_the_drawing_again(pad: Locator):
    page, seen = pad.page, pad.locator(".seen")
    mouse(pad, SEVEN)
    expect_answer(pad, 7)
    page.keyboard.press("Tab")
    page.locator('[data-command="docmanager:save"]').first.click()
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)

    def check() -> None:
        pad.locator("canvas").scroll_into_view_if_needed()
        expect_answer(pad, 7)
        seven = seen.get_attribute("src") or ""
        try:
            mouse(pad, ONE)
            expect(seen).not_to_have_attribute("src", seven)
        finally:
            pad.get_by_role("button", name="Undo").click()
        expect_answer(pad, 7)

    reload(page, check)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chapter", WITH_WIDGETS, ids=lambda path: path.stem)
def test_a_chapters_widgets_move_once_all_its_cells_have_run(
    page: Page, home: Path, chapter: Path
):
    # On few digits: on all of them the cells are run without a browser.
    cells = chapter.read_text("utf-8").replace("load()", r"load(\"offline\")")
    (home / chapter.name).write_text(cells, "utf-8")
    lab, *_ = page.url.split("/lab/")
    window = page.context.new_page()
    open_and_run(window, f"{lab}/lab/workspaces/{chapter.stem}/tree/{chapter.name}")
    expect(window.locator('[data-status="busy"]')).to_be_attached()
    expect(window.get_by_text("[*]:")).to_have_count(0, timeout=500_000)
    with kernel_of(home, busy=500) as kernel:
        widgets = window.locator(".mnistedu-living")
        count = widgets.count()
        assert count > 0
        for widget in widgets.all():
            move(widget)
        window.locator('[data-command="docmanager:save"]').first.click()
        expect(window.locator(".jp-mod-dirty")).to_have_count(0)

        def check() -> None:
            expect(widgets).to_have_count(count)
            for widget in widgets.all():
                move(widget)

        reload(window, check)
        assert not window.get_by_text("Error displaying").filter(visible=True).count()
        kernel.shutdown()
    window.close()
    for cell in nbformat.read(home / chapter.name, 4).cells:
        if cell.cell_type == "code":
            assert cell.execution_count
            assert all(out.output_type != "error" for out in cell.outputs), cell.source


def move(widget: Locator) -> None:
    """Draw on a pad, or move all controls of another widget; the picture follows."""
    widget.scroll_into_view_if_needed()
    if widget.locator("canvas").count():
        widget.get_by_role("button", name="Clear").click()
        expect_ink(widget, False)
        widget.locator("canvas").hover()  # once the page has come to rest
        mouse(widget, SEVEN)
        expect_ink(widget, True)
        return
    image = widget.locator("img")
    for control in widget.locator("[role=slider], input[type=number], select").all():
        before = image.get_attribute("src") or ""
        if control.evaluate("control => control.tagName") == "SELECT":
            first = control.evaluate("control => control.selectedIndex == 0")
            control.select_option(index=int(first))
        else:
            control.press("ArrowUp")
            control.press("Tab")
        expect(image).not_to_have_attribute("src", before)


def test_in_notebook_7_too_widgets_move_and_keep_their_keys(
    browser: Browser, tmp_path: Path
):
    """Its arrow keys lead from cell to cell; a slider's are its own."""
    window = "SlidingWindow(torch.rand(28, 28), torch.ones(3, 3))"
    cells = ["import torch", "from mnistedu.sliding import *", window]
    cells += ["from mnistedu.pad import *", "DrawingPad()"]
    write_notebook(tmp_path / "living.ipynb", cells)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    with running_lab(tmp_path, "notebook") as address:
        open_and_run(page, address.format("living.ipynb"))
        widgets = page.locator(".mnistedu-living")
        expect(widgets).to_have_count(2, timeout=120_000)
        for widget in widgets.all():
            move(widget)
        page.close()


def test_a_restarted_kernel_leaves_a_sentence_and_a_saved_notebook_too(pad: Locator):
    page = pad.page
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator('[data-command="kernelmenu:restart"]').click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(pad.locator(".gone")).to_be_visible()
    page.locator('[data-command="docmanager:save"]').first.click()
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    page.reload()
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    for sentence in page.locator(".mnistedu-saved").all():
        expect(sentence).to_be_visible()
    expect(page.locator(".mnistedu-saved")).to_have_count(2)
    expect(page.get_by_text("Error displaying").filter(visible=True)).to_have_count(0)
