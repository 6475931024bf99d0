"""The pad in the pages of the book: drawn on in Chromium, compared with torch."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import book_site
import numpy as np
import onnx
import pytest
import torch
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Route,
    expect,
)
from torch import Tensor

from mnistedu.activations import capture_activations
from mnistedu.checkpoints import load_pretrained
from mnistedu.export import export_onnx
from mnistedu.gradcam import enlarge, hires_cam
from mnistedu.models import MLP, ConvNet
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import SAMPLES, Point, rasterize

expect.set_options(timeout=60_000)  # a busy machine takes its time

ALL = "notebooks/10_draw.html"
# The numbers behind the picture, out of the page's own modules.
READ = """async ([folder, strokes, centered]) => {
    const {rasterize} = await import(folder + "ink.js")
    const {Ours} = await import(folder + "ours.js")
    const network = await Ours.first()
    const {digit, logits, maps, heat} = await network.read(rasterize(strokes), centered)
    const list = ({data, size}) => ({data: [...data], size})
    return {digit: [...digit], logits: [...logits], heat: list(heat),
            limit: heat.limit, maps: maps.map(list)}
}"""
ENLARGE = """async ([folder, values, height, width]) => {
    const {enlarge} = await import(folder + "seen.js")
    return enlarge({values, height, width})
}"""
# How much blue, and how much red that the ink's amber is not, a picture holds.
COLOURS = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, 560, 560)
    let [blue, red] = [0, 0]
    for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, alpha] = data.slice(i, i + 4)
        if (b > r) blue += (b - r) * alpha
        else if (g < r / 2) red += (r - b) * alpha
    }
    return [blue, red]
}"""
EXPLAIN = """async ([folder, strokes, block, channel, row, column]) => {
    const {rasterize} = await import(folder + "ink.js")
    const {Ours} = await import(folder + "ours.js")
    const {explain, normalized} = await import(folder + "convolution.js")
    const network = await Ours.first()
    const {digit, maps} = await network.read(rasterize(strokes), true)
    const input = block ? maps[block - 1] : normalized(digit)
    return explain(network.weights, block, channel, row, column, input, maps[block])
}"""

BREAK = """async (module) => {
    const {Ours} = await import(module)
    const {read} = Ours.prototype
    Ours.prototype.read = async () => { throw new Error("out of memory") }
    globalThis.mend = () => { Ours.prototype.read = read }
}"""
# What stands over the bars while the second network reads, for who points at one.
POINTED_AT_WHILE_IT_READS = """pad => {
    const network = pad.querySelector("select")
    network.value = "1"
    network.dispatchEvent(new Event("change"))
    pad.querySelectorAll(".bars button")[7].dispatchEvent(new Event("pointerenter"))
    return pad.querySelector(".bars h3").textContent
}"""


@pytest.fixture(scope="module")
def pad(context: BrowserContext, address: str) -> Locator:
    """The pad of the last chapter, which shows everything."""
    page = context.new_page()
    page.goto(f"{address}/{ALL}")
    return reach(page)


@pytest.fixture(autouse=True)
def new_sheet(request: pytest.FixtureRequest) -> None:
    if "pad" in request.fixturenames:
        pad = request.getfixturevalue("pad")
        pad.get_by_role("button", name="Clear").click()
        expect(pad).to_have_attribute("data-prediction", "")


def reach(page: Page) -> Locator:
    pad = page.locator(".live-pad")
    pad.locator(".sheet").focus()
    expect(pad).to_have_attribute("data-ready", "")
    return pad


def corner(pad: Locator) -> tuple[float, float, float]:
    """Where the sheet lies in the window, and how large it is there."""
    sheet = pad.locator(".sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box
    return box["x"], box["y"], box["width"] / 280


def mouse(pad: Locator, strokes: Sequence[Sequence[Point]]) -> None:
    left, top, scale = corner(pad)
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            pad.page.mouse.move(left + x * scale, top + y * scale)
            if i == 0:
                pad.page.mouse.down()
        pad.page.mouse.up()


def finger(pad: Locator, strokes: Sequence[Sequence[Point]]) -> None:
    for stroke in strokes:
        book_site.touch(pad.locator(".sheet"), stroke)


def expect_answer(pad: Locator, digit: int) -> None:
    """The answer, wherever it stands."""
    expect(pad).to_have_attribute("data-prediction", str(digit))
    expect(pad.locator(".says")).to_have_text(str(digit))
    expect(pad.locator(".bars").first.locator(".best b")).to_have_text(str(digit))
    expect(pad.get_by_role("status")).to_contain_text(f"reads a{'n' * (digit == 8)} ")


def live(address: str) -> str:
    return f"{address}/_static/live/"


@pytest.mark.parametrize("digit", SAMPLES)
def test_reads_what_the_mouse_draws(pad: Locator, digit: int) -> None:
    mouse(pad, SAMPLES[digit])
    expect_answer(pad, digit)


@pytest.mark.parametrize("digit", [2, 5])
def test_reads_what_a_finger_draws(pad: Locator, digit: int) -> None:
    finger(pad, SAMPLES[digit])
    expect_answer(pad, digit)


@pytest.mark.parametrize("digit", SAMPLES)
def test_samples_by_keyboard(pad: Locator, digit: int) -> None:
    pad.locator(".sheet").focus()
    pad.page.keyboard.press(str(digit))
    expect_answer(pad, digit)


def test_a_stroke_is_taken_back(pad: Locator) -> None:
    mouse(pad, [SAMPLES[7][0]])
    mouse(pad, SAMPLES[0])
    pad.get_by_role("button", name="Undo").click()
    expect_answer(pad, 7)
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("Backspace")
    expect(pad).to_have_attribute("data-prediction", "")


def test_a_stroke_is_the_left_buttons_on_the_sheet_and_off_it(pad: Locator) -> None:
    mouse = pad.page.mouse
    left, top, scale = corner(pad)

    def move(x: float, y: float) -> None:
        mouse.move(left + x * scale, top + y * scale)

    for button in ("right", "middle"):
        move(140, 40)
        mouse.down(button=button)
        move(140, 240)
        mouse.up(button=button)
    pad.page.keyboard.press("Escape")
    expect(pad).to_have_attribute("data-prediction", "")
    # A 7 whose corner lies off the sheet.
    move(60, 40)
    mouse.down()
    move(290, 40)
    move(200, 150)
    mouse.down(button="right")
    mouse.up()
    move(20, 20)  # with the right button still down
    mouse.up(button="right")
    move(60, 60)
    expect_answer(pad, 7)


@pytest.mark.parametrize("key", ["Delete", "Control+z", "8"])
def test_a_key_pressed_while_the_pen_is_down_lifts_it(pad: Locator, key: str) -> None:
    errors: list[str] = []
    pad.page.on("pageerror", lambda error: errors.append(str(error)))
    mouse, keyboard = pad.page.mouse, pad.page.keyboard
    left, top, scale = corner(pad)
    mouse.move(left + 20 * scale, top + 20 * scale)
    mouse.down()
    keyboard.press(key)
    mouse.move(left + 200 * scale, top + 200 * scale)
    mouse.up()
    if key == "8":
        expect_answer(pad, 8)
    else:
        expect(pad).to_have_attribute("data-prediction", "")
    keyboard.press("Delete")
    finger(pad, SAMPLES[7])
    expect_answer(pad, 7)
    assert errors == []


def test_a_sample_on_its_way_covers_nothing_that_was_drawn_meanwhile(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    held: list[Route] = []
    page.route("**/live.json", lambda route: held.append(route))
    page.goto(f"{address}/{ALL}")
    pad = page.locator(".live-pad")
    pad.locator(".samples button").nth(3).click()
    mouse(pad, SAMPLES[7])
    expect(pad.locator(".invitation")).to_be_hidden()
    for route in held:
        route.continue_()
    expect_answer(pad, 7)
    page.wait_for_timeout(1000)  # in which a 3 would have come
    expect_answer(pad, 7)
    page.close()


def test_the_page_scrolls_beside_the_sheet_and_not_on_it(pad: Locator) -> None:
    action = "element => getComputedStyle(element).touchAction"
    assert pad.locator(".sheet").evaluate(action) == "none"
    for part in (".pad", ".seen", ".bars >> nth=0"):
        assert pad.locator(part).evaluate(action) == "auto", part


@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("digit", [2, 7])
def test_the_page_computes_what_torch_computes(
    pad: Locator, address: str, digit: int, centered: bool
) -> None:
    strokes = SAMPLES[digit]
    got = pad.page.evaluate(READ, [live(address), strokes, centered])
    model = load_pretrained()
    assert isinstance(model, ConvNet)

    ink = rasterize(strokes)
    small = torch.nn.functional.avg_pool2d(ink, 10)
    image = center_digit(ink) if centered else small
    close(got["digit"], image, 1e-4)
    images = normalize(image)
    with torch.no_grad(), capture_activations(model, *model.blocks) as captured:
        close(got["logits"], model(images), 1e-3)
    for maps, block in zip(got["maps"], model.blocks, strict=True):
        assert maps["size"] == [*captured[block].shape[1:]]
        close(maps["data"], captured[block], 1e-3)
    heat = torch.cat([hires_cam(model, images, "blocks", c) for c in range(10)])
    assert got["heat"]["size"] == [*heat.shape]
    close(got["heat"]["data"], heat, 1e-3)
    assert got["limit"] == pytest.approx(heat.abs().max().item(), abs=1e-3)


def close(numbers: list[float], expected: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(
        torch.tensor(numbers).float(), expected.flatten(), atol=tolerance, rtol=0
    )


@pytest.mark.parametrize("shape", [(6, 6), (12, 12), (3, 1)])
def test_a_heatmap_is_enlarged_as_torch_does(
    pad: Locator, address: str, shape: tuple[int, int]
) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    got = pad.page.evaluate(ENLARGE, [live(address), values.flatten().tolist(), *shape])
    close(got, enlarge(values[None], (28, 28)), 1e-5)


@pytest.mark.parametrize("block", [0, 1, 2, 3])
def test_a_number_of_a_map_is_the_sum_that_is_shown(
    pad: Locator, address: str, block: int
) -> None:
    model = load_pretrained()
    assert isinstance(model, ConvNet)
    images = normalize(center_digit(rasterize(SAMPLES[3])))
    layers = f"blocks.{block}", f"blocks.{block}.0"
    with torch.no_grad(), capture_activations(model, *layers) as captured:
        model(images)
    maps, sums = (captured[layer][0] for layer in layers)
    channel, row, column = (int(i) for i in (maps == maps.max()).nonzero()[0])
    place = [live(address), SAMPLES[3], block, channel, row, column]
    found = pad.page.evaluate(EXPLAIN, place)
    pool = found["pool"]
    window = sums[channel, row * pool :, column * pool :][:pool, :pool]
    assert found["sum"] == pytest.approx(window.max().item(), abs=1e-2)
    assert sum(found["added"]) == pytest.approx(found["sum"], abs=1e-3)
    assert found["result"] == pytest.approx(maps.max().item(), abs=1e-2)


def test_a_map_is_enlarged_with_its_numbers(pad: Locator) -> None:
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("3")
    expect_answer(pad, 3)
    maps = pad.get_by_role("application", name="Maps of block 2")
    expect(pad.locator(".block").nth(1)).to_contain_text("64 maps of 6×6, from 0 to 63")
    said = pad.locator(".maps [aria-live]")  # the one live region of the maps
    maps.click(position={"x": 5, "y": 5})
    place = r"Row \d, column \d: \d+\.\d\d$"
    expect(said).to_have_text(re.compile(f"^Block 2, map 0. {place}"))
    detail = pad.locator(".detail")
    expect(detail.get_by_role("heading")).to_have_text("Block 2, map 0")
    expect(detail.get_by_role("heading")).to_have_attribute("aria-level", "4")
    expect(detail.locator("table")).to_have_count(2)
    before = detail.locator(".sum").inner_text()
    large = detail.get_by_role("application", name="Map 0 of block 2")
    large.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowRight"):
        pad.page.keyboard.press(key)
    expect(said).to_have_text(re.compile(f"^{place}"))
    expect(detail.locator(".sum")).not_to_have_text(before)
    maps.focus()
    pad.page.keyboard.press("ArrowRight")
    expect(detail.get_by_role("heading")).to_have_text("Block 2, map 1")
    maps.press("End")
    expect(detail.get_by_role("heading")).to_have_text("Block 2, map 63")
    expect(said).to_contain_text("Block 2, map 63.")
    assert book_site.barriers(pad.page) == []
    inputs = detail.locator(".inputs button")
    names = inputs.all_inner_texts()
    assert all(0 <= int(re.findall(r"\d+", name)[0]) < 32 for name in names)
    inputs.nth(1).press("Enter")
    expect(inputs.nth(1)).to_be_focused()
    for name, shown in (("Next", 0), ("Next", 1), ("Previous", 0)):
        detail.get_by_role("button", name=f"{name} map").press("Enter")
        expect(detail.get_by_role("heading")).to_have_text(f"Block 2, map {shown}")
        expect(detail.get_by_role("button", name=f"{name} map")).to_be_focused()
    # Another block's map stays where it is, though the one above closes.
    third = pad.get_by_role("application", name="Maps of block 3")
    third.scroll_into_view_if_needed()
    third.evaluate("e => scrollBy(0, e.getBoundingClientRect().top - 150)")
    third.click(position={"x": 5, "y": 5})
    expect(detail.get_by_role("heading")).to_have_text("Block 3, map 0")
    box = third.bounding_box()
    assert box
    assert box["y"] == pytest.approx(150, abs=2)
    detail.get_by_role("button", name="Close").click()
    expect(detail).to_be_hidden()
    expect(third).to_be_focused()
    third.press("Enter")
    detail.get_by_role("button", name="Next map").press("Escape")
    expect(detail).to_be_hidden()
    expect(third).to_be_focused()


def test_the_heatmap_follows_the_class_that_is_pointed_at(pad: Locator) -> None:
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("4")
    expect_answer(pad, 4)
    hint = pad.locator(".answer .hint")
    pad.page.mouse.move(0, 0)  # no bar may scroll under the pointer
    beside = pad.get_by_label("beside it")
    beside.select_option("none")
    expect(hint).to_contain_text("Blue adds to the logit of a 4, red takes from it: ")
    beside.select_option(index=2)
    expect(hint).to_contain_text("In “4 blocks” blue adds to the logit of a 4, red ")
    bars = pad.locator(".bars").first.get_by_role("button")
    bars.nth(9).focus()
    expect(hint).to_contain_text("a 9,")
    bars.nth(7).hover()
    expect(hint).to_contain_text("a 7,")
    bars.nth(8).click()
    expect(bars.nth(8)).to_have_attribute("aria-pressed", "true")
    expect(pad.locator(".told")).to_contain_text("of an 8, red takes from it: ")
    pad.locator(".seen").hover()
    pad.locator(".sheet").focus()
    expect(hint).to_contain_text("an 8,")
    bars.nth(8).click()


def test_all_ten_classes_have_one_scale_and_a_bar_says_what_it_is(
    pad: Locator, address: str
) -> None:
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("4")
    expect_answer(pad, 4)
    got = pad.page.evaluate(READ, [live(address), SAMPLES[4], True])
    heat = torch.tensor(got["heat"]["data"]).view(10, 6, 6)
    most = f"{heat.abs().max():.2f}"
    ends = pad.locator(".scale span")
    bars = pad.locator(".bars").first.get_by_role("button")
    seen = pad.locator(".seen > canvas").first
    blue, red = [], []
    pad.page.mouse.move(0, 0)  # no bar may scroll under the pointer
    for digit in range(10):
        bars.nth(digit).focus()
        sum_, logit = heat[digit].sum().item(), got["logits"][digit]
        said = f"a{'n' * (digit == 8)} {digit}, red takes from it: {sum_:.2f} in all, "
        said += f"{logit:.2f} with the bias."
        expect(pad.locator(".answer .hint")).to_contain_text(said.replace("-", "−"))
        expect(ends).to_have_text([f"−{most}", f"+{most}"])
        row, column = divmod(int(heat[digit].argmax()), 6)
        for_it = f"for it: row {row}, column {column}, +{heat[digit].max():.2f}; "
        expect(seen).to_have_attribute("aria-label", re.compile(re.escape(for_it)))
        colours = seen.evaluate(COLOURS)
        blue.append(colours[0])
        red.append(colours[1])
    assert torch.tensor(got["logits"]).softmax(0)[4] > 0.99
    others = [i for i in range(10) if i != 4]
    assert max(blue[i] for i in others) < blue[4] / 3  # at 0 % nothing glows like it
    assert min(red[i] for i in others) > red[4]
    expect(pad.locator(".scale small")).to_contain_text("one of 36 places")
    assert book_site.barriers(pad.page) == []
    pad.get_by_role("button", name="Clear").click()
    expect(pad.locator(".scale")).to_be_hidden()


def test_what_is_hardly_a_digit_is_said(pad: Locator) -> None:
    remark = pad.locator(".remark")
    expect(remark).to_have_text("It can only answer with a digit from 0 to 9.")
    mouse(pad, [[(60, 230), (75, 50), (140, 190), (205, 50), (220, 230)]])
    expect(remark).to_have_text("This looks like none of the digits that it knows.")
    expect(pad).to_have_class(re.compile(r"\bdoubted\b"))
    assert book_site.barriers(pad.page) == []
    pad.get_by_role("button", name="Clear").click()
    mouse(pad, [[(80, 60), (80, 220)], [(200, 60), (200, 220)]])
    expect(remark).to_have_text("These look like 2 digits: draw one at a time.")
    expect(pad).to_have_attribute("data-prediction", "")
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("7")
    expect_answer(pad, 7)
    expect(remark).to_have_text("It can only answer with a digit from 0 to 9.")


def test_a_dot_is_seen_and_is_no_digit(pad: Locator) -> None:
    finger(pad, [[(60, 60)]])
    ink = "sheet => [...sheet.getContext('2d').getImageData(120, 120, 1, 1).data]"
    assert pad.locator(".sheet").evaluate(ink) == [255, 181, 69, 255]
    expect(pad.locator(".remark")).to_have_text("This is a dot: draw a whole digit.")


def test_without_centring_the_network_sees_the_sheet(pad: Locator) -> None:
    small = [[(x / 3 + 185, y / 3 + 185) for x, y in s] for s in SAMPLES[7]]
    mouse(pad, small)
    expect(pad.locator(".says")).to_contain_text("7")  # one network says 8
    inked = """canvas => {
        const {data} = canvas.getContext("2d").getImageData(0, 0, 560, 300)
        const amber = (i) => data[i] > 200 && data[i + 1] > 150 && data[i + 3] > 99
        return data.some((_, i) => i % 4 == 0 && amber(i))
    }"""
    assert pad.locator(".seen > canvas").first.evaluate(inked)
    pad.get_by_label("Scale and centre").uncheck()
    pad.page.wait_for_function(
        f"canvas => !({inked})(canvas)",
        arg=pad.locator(".seen > canvas").first.element_handle(),
    )
    pad.get_by_label("Scale and centre").check()
    expect(pad.locator(".says")).to_contain_text("7")


def test_two_networks_answer_side_by_side(pad: Locator, site: Path) -> None:
    listed = site / "_static" / "live" / "live.json"
    if len(json.loads(listed.read_text("utf-8"))["models"]) < 2:
        pytest.skip("The package ships one network.")
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("6")
    expect(pad.locator(".bars:visible")).to_have_count(2)
    for i in range(2):
        expect(pad.locator(".bars").nth(i).locator(".best b")).to_have_text("6")
    both = re.compile(r"^The network “.+” reads a 6, \d.* sure; “.+” reads a 6\.")
    expect(pad.get_by_role("status")).to_have_text(both)
    pad.get_by_label("beside it").select_option("none")
    expect(pad.locator(".bars:visible")).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "name",
    ["book/intro.html", "notebooks/05_cnn.html", "notebooks/09_feature_maps.html", ALL],
)
def test_what_comes_moves_nothing(
    browser: Browser, address: str, name: str, width: int
) -> None:
    screen = {"width": width, "height": 844}
    page = browser.new_page(viewport=screen, has_touch=width < 500)
    held: list[Route] = []
    page.route("**/pad.js", lambda route: held.append(route))
    page.goto(f"{address}/{name}")
    pad = page.locator("#live-pad")
    pad.scroll_into_view_if_needed()
    kept = pad.evaluate("pad => pad.offsetHeight")
    held[0].continue_()
    pad.locator(".pad").wait_for()
    before = book_site.heights(pad)
    assert kept == pytest.approx(before[0], abs=48)
    pad.locator(".samples button").nth(4).click()
    expect_answer(pad, 4)
    if "compare" in (pad.get_attribute("data-show") or ""):
        expect(pad.locator(".bars .best")).to_have_count(2)
    assert book_site.heights(pad) == pytest.approx(before, abs=1)
    pad.locator(".bars button").nth(9).click()
    expect(pad.locator(".answer .hint")).to_contain_text("a 9,")
    assert book_site.heights(pad) == pytest.approx(before, abs=1)
    page.close()


def choose(pad: Locator, path: Path) -> None:
    pad.get_by_label("Use my own model").set_input_files(path)


def test_the_readers_own_network_runs(pad: Locator, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MLP()
    with torch.no_grad():
        [*model.parameters()][-1][5] = 1000  # the last bias: a 5, whatever it sees
    export_onnx(model, tmp_path / "mine.onnx")
    pad.get_by_label("beside it").select_option("none")  # it would read a 1
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("1")
    expect_answer(pad, 1)
    choose(pad, tmp_path / "mine.onnx")
    expect_answer(pad, 5)
    expect(pad.get_by_role("status")).to_contain_text("mine.onnx")
    expect(pad.locator(".maps")).to_contain_text("holds no feature maps")
    pad.get_by_role("combobox", name="Network").select_option(index=0)
    expect_answer(pad, 1)


def test_a_network_that_the_trainer_wrote_reads_what_is_scaled_and_centred(
    pad: Locator, address: str, tmp_path: Path
) -> None:
    """It says 5 to ink in the middle and 3 to ink in the upper left corner."""
    file = pad.page.evaluate(
        """async (folder) => {
            const { onnx } = await import(`${folder}train/onnx.js`);
            const weights = new Float32Array(28 * 28 * 10);
            for (let row = 0; row < 28; row++)
                for (let column = 0; column < 28; column++)
                    weights[(row * 28 + column) * 10 + (row + column < 20 ? 3 : 5)] = 1;
            const file = onnx([weights, new Float32Array(10)], { layers: 0 });
            return [...new Uint8Array(await file.arrayBuffer())];
        }""",
        live(address),
    )
    (tmp_path / "trained-here.onnx").write_bytes(bytes(file))
    pad.get_by_label("beside it").select_option("none")
    choose(pad, tmp_path / "trained-here.onnx")
    mouse(pad, [[(20, 40), (90, 20), (40, 90)]])  # a small 7 in the corner
    centred = pad.get_by_label("Scale and centre")
    centred.uncheck()
    expect_answer(pad, 3)
    centred.check()
    expect_answer(pad, 5)
    pad.get_by_role("combobox", name="Network").select_option(index=0)


class Nine(torch.nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)[:, :9]


def test_a_file_that_does_not_fit_is_refused_in_one_sentence(
    pad: Locator, tmp_path: Path
) -> None:
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("1")
    expect_answer(pad, 1)
    said = pad.get_by_role("status")
    (tmp_path / "text.onnx").write_text("no network")
    choose(pad, tmp_path / "text.onnx")
    expect(said).to_contain_text("text.onnx is no ONNX file")
    torch.onnx.export(
        Nine().eval(),
        (torch.rand(1, 1, 28, 28),),
        tmp_path / "bare.onnx",
        dynamo=True,
    )
    choose(pad, tmp_path / "bare.onnx")
    expect(said).to_contain_text("bare.onnx is an ONNX file, but has no “canvas”")
    export_onnx(MLP([4]), tmp_path / "failed.onnx")
    failed = onnx.load(tmp_path / "failed.onnx")
    for weights in failed.graph.initializer:
        if list(weights.dims) == [10]:  # the last bias
            nan = np.full(10, np.nan, np.float32)
            weights.CopyFrom(onnx.numpy_helper.from_array(nan, weights.name))
    onnx.save(failed, tmp_path / "failed.onnx")
    choose(pad, tmp_path / "failed.onnx")
    expect(said).to_contain_text("failed.onnx gives logits that are not finite")
    expect(pad).to_have_attribute("data-prediction", "1")


def endless(path: Path, blank: float) -> None:
    """A network that goes round as often as the canvas has ink, and ``blank`` tells."""
    graph = onnx.parser.parse_graph(
        """own (float[1,1,280,280] canvas)
           => (float[1,1,28,28] digit, float[1,10] logits)
        <float blank = {BLANK}, float often = {1e9}, bool yes = {1}> {
            ink = ReduceSum <keepdims = 0> (canvas)
            more = Mul (ink, often)
            times = Add (more, blank)
            trips = Cast <to = 7> (times)
            digit = AveragePool <kernel_shape = [10, 10], strides = [10, 10]> (canvas)
            row = ReduceMean <axes = [1, 2], keepdims = 0> (digit)
            few = Slice <starts = [0], ends = [10], axes = [1]> (row)
            logits = Loop (trips, yes, few) <body = body
                (int64 i, bool on, float[1,10] old) => (bool same, float[1,10] next)
                { same = Identity (on)  next = Sin (old) }>
        }""".replace("BLANK", str(blank))
    )
    opset = onnx.helper.make_opsetid("", 9)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


@pytest.mark.parametrize("blank", [0, 1e15])
def test_a_network_of_the_readers_that_never_ends_is_ended(
    pad: Locator, tmp_path: Path, blank: float
) -> None:
    """At the first drawing, or already when it is tried on a blank sheet."""
    sentence = "endless.onnx gave no answer within five seconds and was ended"
    said = pad.get_by_role("status")
    network = pad.get_by_role("combobox", name="Network")
    endless(tmp_path / "endless.onnx", blank)
    choose(pad, tmp_path / "endless.onnx")
    if not blank:
        expect(network.locator("option:checked")).to_have_text("endless.onnx")
        pad.locator(".sheet").focus()
        pad.page.keyboard.press("4")
    expect(said).to_contain_text(sentence)
    expect(pad).to_have_attribute("data-prediction", "")
    network.select_option(index=0)
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("5")
    expect_answer(pad, 5)


def test_nothing_is_fetched_until_the_reader_reaches_for_the_pad(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{address}/book/intro.html")
    page.locator(".pad").wait_for()
    page.locator(".pad canvas").first.hover()  # who passes by does not reach for it
    book_site.settle(page)
    heavy = re.compile(r"safetensors|onnx|wasm|ort\.")
    assert not [url for url in fetched if heavy.search(url)]
    pad = reach(page)
    finger(pad, SAMPLES[3])
    expect_answer(pad, 3)
    (weights,) = [url for url in fetched if heavy.search(url)]  # and no engine
    assert weights.endswith("convnet.safetensors")
    page.close()


@pytest.mark.parametrize("part", ["live.json", ".safetensors"])
def test_what_did_not_arrive_is_asked_for_again(
    browser: Browser, address: str, part: str
) -> None:
    page = browser.new_page()
    missing = re.compile(re.escape(part))
    page.route(missing, lambda route: route.abort())
    page.goto(f"{address}/book/intro.html")
    page.locator(".sheet").focus()
    said = page.locator(".live-pad [role=status]")
    expect(said).to_contain_text("check the connection, then touch the pad again")
    expect(page.locator(".live-pad progress")).to_be_hidden()
    page.unroute(missing)
    page.locator(".sheet").blur()
    pad = reach(page)
    page.keyboard.press("4")
    expect_answer(pad, 4)
    page.close()


def test_a_network_of_the_readers_is_not_lost_to_the_courses_that_come_late(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    export_onnx(MLP([4]), tmp_path / "mine.onnx")
    page = browser.new_page()
    page.route("**/*.safetensors", lambda route: route.abort())
    page.goto(f"{address}/{ALL}")
    pad = page.locator(".live-pad")
    pad.get_by_label("Use my own model").wait_for()
    choose(pad, tmp_path / "mine.onnx")
    expect(pad.get_by_role("status")).to_contain_text("check the connection")
    page.wait_for_timeout(3000)  # in which it might be opened
    page.unroute("**/*.safetensors")
    listed = pad.get_by_role("combobox", name="Network").locator("option")
    before = {*listed.all_inner_texts()} - {"loads at a touch"}
    pad.locator(".sheet").click()
    expect(pad).to_have_attribute("data-ready", "")
    expect(listed).not_to_have_count(1)
    assert before <= {*listed.all_inner_texts()}
    page.close()


def test_a_network_that_still_reads_is_not_mixed_with_another(
    pad: Locator, tmp_path: Path
) -> None:
    """The bars' name is that of the network whose answer they show."""
    export_onnx(MLP([4]), tmp_path / "slow.onnx")
    choose(pad, tmp_path / "slow.onnx")
    network = pad.get_by_role("combobox", name="Network")
    expect(network.locator("option:checked")).to_have_text("slow.onnx")
    beside = pad.get_by_label("beside it")
    beside.select_option(label="slow.onnx")
    network.select_option(index=0)
    pad.locator(".sheet").focus()
    pad.page.keyboard.press("7")
    expect(pad).to_have_attribute("data-prediction", "7")
    first, then = network.locator("option").all_inner_texts()[:2]
    title = pad.locator(".bars h3").first
    expect(title).to_have_text(first)
    named = pad.evaluate(POINTED_AT_WHILE_IT_READS)
    assert named == first
    expect(title).to_have_text(then)
    network.select_option(index=0)


@pytest.mark.parametrize("part", ["ort.wasm.bundle", ".wasm"])
def test_the_engine_comes_with_the_readers_own_network(
    browser: Browser, address: str, tmp_path: Path, part: str
) -> None:
    export_onnx(MLP([4]), tmp_path / "mine.onnx")
    context = browser.new_context()  # a page's routes are not for its workers
    missing = re.compile(re.escape(part))
    context.route(missing, lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{address}/{ALL}")
    pad = reach(page)
    choose(pad, tmp_path / "mine.onnx")
    said = pad.get_by_role("status")
    expect(said).to_contain_text("check the connection, then choose the file again")
    expect(pad.locator("progress")).to_be_hidden()
    context.unroute(missing)
    choose(pad, tmp_path / "mine.onnx")
    expect(pad.locator("select option:checked").first).to_have_text("mine.onnx")
    context.close()


def test_a_reading_that_fails_is_said_and_the_next_one_counts(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/book/intro.html")
    pad = reach(page)
    page.evaluate(BREAK, f"{address}/_static/live/ours.js")
    page.keyboard.press("4")
    said = page.locator(".live-pad [role=status]")
    expect(said).to_contain_text("could not read this drawing")
    page.evaluate("mend()")
    page.keyboard.press("5")
    expect_answer(pad, 5)
    page.close()


def test_a_phone_shows_the_pad_within_its_width(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    for name in ("book/intro.html", ALL):
        page.goto(f"{address}/{name}")
        page.locator(".pad").wait_for()
        wide = "document.documentElement.scrollWidth"
        assert page.evaluate(wide) <= 390, name
        sheet = page.locator(".sheet").bounding_box()
        assert sheet
        assert sheet["width"] >= 200
        assert sheet["x"] + sheet["width"] <= 290  # room for a finger that scrolls
    context.close()


@pytest.mark.parametrize("why", ["a file", "no WebAssembly", "no JavaScript", "paper"])
def test_a_picture_stands_in_where_nothing_can_run(
    browser: Browser, site: Path, address: str, why: str
) -> None:
    context = browser.new_context(java_script_enabled=why != "no JavaScript")
    context.add_init_script("delete globalThis.WebAssembly" * (why == "no WebAssembly"))
    page = context.new_page()
    start = site.as_uri() if why == "a file" else address
    page.goto(f"{start}/book/intro.html")
    if why == "paper":
        page.locator(".pad").wait_for()
        page.emulate_media(media="print")
    expect(page.locator(".live-pad img")).to_be_visible()
    expect(page.locator(".live-pad .pad")).to_be_hidden()
    expected = {"a file": "make serve", "no WebAssembly": "current Firefox"}
    said = page.locator(".live-pad figcaption")
    expect(said).to_contain_text(expected.get(why, "make serve"))
    context.close()


def test_an_answer_takes_milliseconds(pad: Locator) -> None:
    """The limit is wide: how fast it is says benchmarks/, on a quiet machine."""
    pad.page.evaluate("performance.clearMeasures()")
    for digit in [*SAMPLES] * 3:
        pad.locator(".sheet").focus()
        pad.page.keyboard.press(str(digit))
        pad.page.wait_for_timeout(30)
    entries = "performance.getEntriesByName('live-pad').map(entry => entry.duration)"
    times = sorted(pad.page.evaluate(entries))
    assert len(times) >= 20
    assert times[len(times) // 2] < 50
