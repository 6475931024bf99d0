"""The living figures of the book's pages: played with in Chromium."""

import json
import re
import zlib
from pathlib import Path

import book_site
import pytest
import torch
from pen import SEVEN
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from torch import Tensor

from mnistedu import evaluation
from mnistedu.checkpoints import load_pretrained
from mnistedu.data import Digits, Split, make_loader
from mnistedu.gradcam import hires_cam
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import SAMPLES, rasterize

expect.set_options(timeout=60_000)  # a busy machine takes its time

PAGES = {
    "hill": "notebooks/02_one_layer.html",
    "neighbours": "notebooks/01_data.html",
    "drag": "notebooks/04_mlp.html",
    "window": "notebooks/05_cnn.html",
    "threshold": "notebooks/07_evaluation.html",
    "heatmap": "notebooks/08_grad_cam.html",
}
IN_CLASS = (book_site.ROOT / "book" / "figures.md").read_text("utf-8")
THEME = "theme => document.documentElement.dataset.theme = theme"
# The numbers behind a figure, out of the page's own modules.
NEAREST = """async ([folder, strokes, right, down, count]) => {
    const {center} = await import(folder + "center.js")
    const {rasterize} = await import(folder + "ink.js")
    const {nearest, distance} = await import(folder + "nearest.js")
    const {moved} = await import(folder + "shifter.js")
    const {load} = await import(folder + "train/digits.js")
    const {train} = await load(new URL("train/", folder))
    const digit = center(rasterize(strokes))
    const there = moved(digit, right, down)
    const found = nearest(train, there, count)
    const numbers = found.map(({target, distance}) => [target, distance])
    return [numbers, distance(digit, there)]
}"""
# How many of the first 500 validation digits the MLP reads, and whether the ConvNet's
# probability for a drawing, moved, is torch's.
READERS = """async ([folder, strokes, right, down]) => {
    const {center} = await import(folder + "center.js")
    const {rasterize} = await import(folder + "ink.js")
    const {convnet, mlp} = await import(folder + "readers.js")
    const {moved} = await import(folder + "shifter.js")
    const {ink, load} = await import(folder + "train/digits.js")
    const {val} = await load(new URL("train/", folder))
    const read = await mlp(() => {})
    let hits = 0
    const count = Math.min(500, val.targets.length)
    for (let n = 0; n < count; n++) {
        const {answer} = await read(ink(val.images, [n]))
        hits += answer === val.targets[n]
    }
    const network = await convnet(() => {})
    const digit = moved(center(rasterize(strokes)), right, down)
    return [hits / count, (await network(digit)).probabilities]
}"""
WINDOW = """async ([folder, kernel]) => {
    const {convolve} = await import(folder + "convolve.js")
    const {five} = await import(folder + "figures/window.js")
    const [image, map] = [five(), convolve(five(), kernel)]
    return [[...image.values], [...map.values]]
}"""
CHANNELS = """async folder => {
    const {edges, five} = await import(folder + "figures/window.js")
    return [[...five().values], [...edges(five()).values]]
}"""
REFUSED = """async ([folder, temperature]) => {
    const {load} = await import(folder + "figures/threshold.js")
    const {read, risks, surestFirst} = await import(folder + "refuse.js")
    const {logits, targets} = await load()
    const {answers, confidence} = read(logits, temperature)
    const wrong = answers.map((answer, n) => answer !== targets[n])
    const risk = risks(surestFirst(confidence), wrong)
    return [...[logits, targets, answers, confidence].map(a => [...a]), risk]
}"""
HEATMAP = """async folder => {
    const {load} = await import(folder + "figures/heatmap.js")
    return load()
}"""
HILL = """async ([folder, ws]) => {
    const {loss, slope} = await import(folder + "figures/hill.js")
    return [ws.map(loss), ws.map(slope)]
}"""


def opened(page: Page, address: str, name: str) -> Locator:
    """The living figure of this name, near which its page was scrolled."""
    page.goto(f"{address}/{PAGES[name]}")
    figure = page.locator(f'[data-figure="{name}"]')
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_class(re.compile("ready"))
    return figure


@pytest.fixture(scope="module")
def hill(context: BrowserContext, address: str) -> Locator:
    return opened(context.new_page(), address, "hill")


def weight(hill: Locator) -> float:
    return float(
        hill.get_by_role("slider", name="The point").get_attribute("aria-valuenow")
    )


def press(figure: Locator, name: str) -> None:
    figure.get_by_role("button", name=name, exact=True).click()


def test_a_step_goes_where_the_formula_says(hill: Locator) -> None:
    press(hill, "too high")
    said = hill.locator(".formula").inner_text()
    assert re.match(r"w ← 2\.00 − 40 × 0\.738 = −27\.5", said)
    press(hill, "Step")
    assert weight(hill) == pytest.approx(2 - 40 * 0.738, abs=0.1)
    expect(hill.get_by_role("status")).to_contain_text("After 1 step: w = −27.5")
    press(hill, "Back")
    assert weight(hill) == 2


def test_the_right_rate_arrives_and_a_low_one_does_not(hill: Locator) -> None:
    said = hill.get_by_role("status")
    press(hill, "right")
    heard = book_site.listen(said)
    press(hill, "Play")
    expect(said).to_contain_text("The bottom is at most 0.003 nats lower.")
    expect(hill.get_by_role("button", name="Play")).to_be_visible()
    assert [sentence[-25:] for sentence in heard()] == ["at most 0.003 nats lower."]
    shown = book_site.shown(said)
    assert any("After 1 step: " in text for text in shown)  # and not read out
    press(hill, "too low")
    for _ in range(12):
        press(hill, "Step")
    expect(said).to_contain_text("After 12 steps")
    assert weight(hill) > -1


def test_the_point_is_moved_by_hand_and_by_keyboard(hill: Locator) -> None:
    point = hill.get_by_role("slider", name="The point")
    heard = book_site.listen(hill.get_by_role("status"))
    point.press("Home")
    assert weight(hill) == -30
    point.press("ArrowRight")
    assert weight(hill) == -29.5
    assert heard() == []  # the slider itself says where it is
    box = hill.locator(".chart").bounding_box()
    assert box
    mouse = hill.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    half = weight(hill)
    mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 10)
    mouse.up()
    dragged = weight(hill)
    assert -29.5 < half < dragged < 0
    press(hill, "right")  # another rate, from the same start
    assert weight(hill) == dragged
    rate = hill.get_by_role("slider", name="Learning rate")
    rate.focus()
    before = hill.locator(".formula b").inner_text()
    rate.press("ArrowRight")
    assert float(hill.locator(".formula b").inner_text()) > float(before)


def test_the_hill_is_that_of_the_chapter(
    hill: Locator, address: str, mnist: Digits
) -> None:
    pair = mnist.train.targets < 2
    t = mnist.train.targets[pair].double()
    ink = mnist.train.images[pair].double().flatten(1).mean(1)
    u = (ink - ink.mean()) / ink.std()

    def loss(w: Tensor) -> Tensor:
        z = w[:, None] * u
        return torch.nn.functional.softplus(torch.where(t == 1, -z, z)).mean(1)

    ws = torch.linspace(-28, 4, 33, dtype=torch.double, requires_grad=True)
    losses = loss(ws)
    (slopes,) = torch.autograd.grad(losses.sum(), ws)
    got = hill.page.evaluate(HILL, [f"{address}/_static/live/", ws.tolist()])
    torch.testing.assert_close(
        torch.tensor(got[0]).double(), losses.detach(), atol=0.01, rtol=0
    )
    torch.testing.assert_close(
        torch.tensor(got[1]).double(), slopes, atol=0.001, rtol=0
    )


@pytest.fixture(scope="module")
def neighbours(context: BrowserContext, address: str) -> Locator:
    figure = opened(context.new_page(), address, "neighbours")
    press(figure, "Draw a 7 for me")
    expect(figure).to_have_attribute("data-prediction", "7")
    return figure


def test_the_neighbours_are_those_that_torch_finds(
    neighbours: Locator, address: str, site: Path
) -> None:
    folder = site / "_static" / "live" / "train"
    info = json.loads((folder / "digits.json").read_text("utf-8"))
    content = zlib.decompress((folder / "digits.bin").read_bytes())
    whole = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    images = whole[: 784 * info["train"]].view(-1, 784) / 255
    targets = whole[784 * (info["train"] + info["val"]) :]
    digit = center_digit(rasterize(SAMPLES[7]))[0, 0]
    there = torch.nn.functional.pad(digit, (3, -3, -1, 1)).flatten()
    found = torch.cdist(there[None], images)[0].sort()

    arguments = [f"{address}/_static/live/", SAMPLES[7], 3, -1, 10]
    got, own = neighbours.page.evaluate(NEAREST, arguments)
    assert [d for _, d in got] == pytest.approx(found.values[:10].tolist(), abs=1e-3)
    assert [t for t, _ in got] == targets[found.indices[:10]].tolist()
    assert own == pytest.approx((there - digit.flatten()).norm().item(), abs=1e-3)


def test_a_digit_that_is_moved_meets_other_neighbours(neighbours: Locator) -> None:
    shifter = neighbours.locator(".shifter")
    said = neighbours.get_by_role("status")
    expect(said).to_contain_text("in the middle: the nearest is a 7, at a distance of")
    answers = []
    for n in range(1, 7):
        shifter.press("ArrowLeft")
        expect(said).to_contain_text(f"moved {n} left: the nearest is")
        answers.append(neighbours.locator(".says").inner_text())
    assert set(answers) > {"7"}
    expect(neighbours.locator(".own")).to_contain_text("farther than")
    press(neighbours, "Back")
    expect(neighbours.locator(".says")).to_have_text("7")
    box = shifter.bounding_box()
    assert box
    mouse = neighbours.page.mouse
    mouse.move(box["x"] + 50, box["y"] + 50)
    mouse.down()
    mouse.move(box["x"] + 50 - 3 * box["width"] / 28, box["y"] + 50)
    mouse.up()
    expect(said).to_contain_text("moved 3 left")
    votes = neighbours.locator(".votes")
    expect(votes).to_have_count(1)
    neighbours.get_by_role("slider", name="How many").press("End")
    expect(votes).to_have_count(10)
    expect(said).to_contain_text("The vote of 10: ")
    press(neighbours, "Clear")
    expect(neighbours).to_have_attribute("data-prediction", "")
    heard = book_site.listen(said)
    neighbours.page.emulate_media(reduced_motion="no-preference")
    neighbours.locator(".sheet").press("4")
    expect(said).to_contain_text("the nearest is a 4")
    neighbours.page.emulate_media(reduced_motion="reduce")
    assert len(heard()) == 1


def test_three_readers_keep_their_answers_in_places_of_their_own(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    figure = opened(page, address, "drag")
    figure.locator(".sheet").press("4")
    expect(figure.locator(".reader[data-ready]")).to_have_count(3)
    said = figure.get_by_role("status")
    expect(said).to_contain_text("ConvNet 4.")
    heard = book_site.listen(said)
    page.emulate_media(reduced_motion="no-preference")
    figure.locator(".sheet").press("3")
    expect(said).to_contain_text("ConvNet 3.")
    assert len(heard()) == 1
    counts = []
    for name in ("nearest neighbour", "MLP", "ConvNet"):
        reader = figure.locator(f'[data-reader="{name}"]')
        expect(reader.locator(".says")).to_have_text("3")
        map_ = reader.get_by_role("img", name=name)
        expect(map_).to_have_attribute("aria-label", re.compile("of 169 places"))
        label = map_.get_attribute("aria-label") or ""
        counts.append(int(re.findall(r"in (\d+) of", label)[0]))
    assert max(counts[:2]) < counts[2]
    figure.locator(".shifter").press("ArrowDown")
    expect(said).to_contain_text("Your digit, moved 1 down: nearest neighbour ")
    expect(said).to_contain_text("ConvNet 3.")
    press(figure, "Clear")
    expect(said).to_contain_text("Draw a digit.")
    expect(figure.locator(".reader .says")).to_have_text(["?"] * 3)
    page.close()


def test_the_readers_are_those_of_the_course(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    page.goto(f"{address}/{PAGES['drag']}")
    place = [f"{address}/_static/live/", SAMPLES[4], -3, 2]
    right, got = page.evaluate(READERS, place)
    assert right > 0.85
    digit = center_digit(rasterize(SAMPLES[4]))
    there = torch.nn.functional.pad(digit, (-3, 3, 2, -2))
    with torch.no_grad():
        expected = load_pretrained()(normalize(there)).softmax(1)[0]
    assert got == pytest.approx(expected.tolist(), abs=1e-3)
    page.close()


@pytest.mark.parametrize("name", ["neighbours", "drag"])
def test_what_a_finger_draws_is_read(
    context: BrowserContext, address: str, name: str
) -> None:
    page = context.new_page()
    figure = opened(page, address, name)
    book_site.touch(figure.locator(".sheet"), SEVEN)
    expect(figure.get_by_role("status")).to_contain_text("7")
    page.close()


@pytest.mark.parametrize("name", ["neighbours", "drag"])
def test_what_is_hardly_a_digit_is_said(
    context: BrowserContext, address: str, name: str
) -> None:
    page = context.new_page()
    figure = opened(page, address, name)
    sheet, said = figure.locator(".sheet"), figure.get_by_role("status")
    book_site.two_ones(sheet)
    expect(said).to_contain_text("These look like 2 digits: draw one at a time.")
    press(figure, "Clear")
    book_site.touch(sheet, [(140, 140), (141, 140)])
    expect(said).to_contain_text("This is a dot: draw a whole digit.")
    page.close()


def test_a_finger_moves_a_digit_and_scrolls_beside_it(neighbours: Locator) -> None:
    press(neighbours, "Draw a 2 for me")
    shifter = neighbours.locator(".shifter")
    book_site.touch(shifter, [(9, 9), (10, 10), (13, 7)], across=28)
    said = neighbours.get_by_role("status")
    expect(said).to_contain_text("moved 4 right and 2 up")
    action = "element => getComputedStyle(element).touchAction"
    assert neighbours.locator(".pad").evaluate(action) == "auto"


def test_a_second_finger_does_not_move_the_digit(neighbours: Locator) -> None:
    press(neighbours, "Draw a 2 for me")
    shifter = neighbours.locator(".shifter")
    shifter.scroll_into_view_if_needed()
    box = shifter.bounding_box()
    assert box
    devtools = neighbours.page.context.new_cdp_session(neighbours.page)
    for kind, *places in (
        ("touchStart", 9),
        ("touchMove", 11),
        ("touchStart", 11, 25),
        ("touchMove", 12, 25),
        ("touchEnd",),
    ):
        points = [
            {"x": box["x"] + place * box["width"] / 28, "y": box["y"] + 40, "id": i}
            for i, place in enumerate(places)
        ]
        touch = {"type": kind, "touchPoints": points}
        devtools.send("Input.dispatchTouchEvent", touch)
    expect(neighbours.get_by_role("status")).to_contain_text("moved 3 right:")


@pytest.fixture(scope="module")
def window(context: BrowserContext, address: str) -> Locator:
    return opened(context.new_page(), address, "window")


def test_the_window_slides_over_the_digit_of_the_chapter(
    window: Locator, address: str, mnist: Digits
) -> None:
    image = mnist.val.images[mnist.val.targets == 5][0].view(28, 28) / 255
    kernel = torch.tensor([[1.0, -2, 3], [0.5, 0, 7], [-4, 9, 0.25]])
    arguments = [f"{address}/_static/live/", kernel.flatten().tolist()]
    shown, made = window.page.evaluate(WINDOW, arguments)
    torch.testing.assert_close(torch.tensor(shown).view(28, 28), image)
    expected = torch.nn.functional.conv2d(image[None, None], kernel[None, None])
    torch.testing.assert_close(torch.tensor(made).view(26, 26), expected[0, 0])


def signed(places: Locator) -> list[float]:
    """The numbers in a page, whose minus sign is the typographer's."""
    return [float(text.replace("−", "-")) for text in places.all_inner_texts()]


def over_ink(window: Locator) -> Locator:
    """The board of the map, and the window in the middle of the 5's lower bow."""
    board = window.get_by_role("application", name="The map")
    box = board.bounding_box()
    assert box
    square = box["width"] / 26
    window.page.mouse.move(0, 0)
    window.page.mouse.move(box["x"] + 14.5 * square, box["y"] + 20.5 * square)
    expect(window.get_by_role("status")).to_contain_text("Row 20, column 14:")
    return board


def test_the_products_under_the_window_make_the_sum(window: Locator) -> None:
    said = window.get_by_role("status")
    board = window.get_by_role("application", name="The digit")
    total = window.locator(".equation strong").first
    press(window, "horizontal")
    board.press("ArrowUp")
    expect(said).to_contain_text("Row 20, column 14: the nine products")
    boxes = window.locator(".nine")
    pixels, _, products = (signed(boxes.nth(i).locator("span")) for i in range(3))
    kernel = [1, 1, 1, 0, 0, 0, -1, -1, -1]
    expected = [x * w for x, w in zip(pixels, kernel, strict=True)]
    assert products == pytest.approx(expected, abs=0.01)
    (sum_,) = signed(total)
    assert sum(products) == pytest.approx(sum_, abs=0.05)
    assert abs(sum_) > 0.1  # there is ink under the window
    board.press("Home")
    expect(said).to_contain_text("Row 20, column 0:")
    board.press("End")
    expect(said).to_contain_text("Row 20, column 25:")
    box = window.get_by_role("application", name="The map").bounding_box()
    assert box
    square = box["width"] / 26
    window.page.mouse.move(box["x"] + 3.5 * square, box["y"] + 5.5 * square)
    expect(said).to_contain_text("Row 5, column 3:")
    window.page.touchscreen.tap(box["x"] + 9.5 * square, box["y"] + 25.5 * square)
    expect(said).to_contain_text("Row 25, column 9:")


def test_the_kernel_is_the_readers(window: Locator) -> None:
    press(window, "all one third")
    boxes = window.get_by_role("spinbutton")
    expect(boxes.first).to_have_value("0.33")
    for n, box in enumerate(boxes.all()):
        box.fill("1" if n == 4 else "")
    over_ink(window).press("ArrowRight")
    middle = window.locator(".nine").first.locator("span").nth(4).inner_text()
    shown = float(window.locator(".equation strong").first.inner_text())
    assert shown == pytest.approx(float(middle), abs=0.01)
    assert shown > 0.1
    boxes.first.fill("99")
    boxes.first.blur()
    expect(boxes.first).to_have_value("9")


def test_the_results_of_two_channels_are_summed(window: Locator, address: str) -> None:
    image, edges = window.page.evaluate(CHANNELS, f"{address}/_static/live/")
    image, edges = (torch.tensor(x).view(1, 28, 28) for x in (image, edges))
    side = torch.tensor([[1.0, 0, -1]] * 3)[None, None]
    expected = torch.nn.functional.conv2d(image[None], side, padding=1)[0]
    torch.testing.assert_close(edges, expected)
    press(window, "horizontal")
    board = over_ink(window)
    board.press("ArrowUp")
    expect(window.get_by_role("spinbutton")).to_have_count(9)
    press(window, "Two channels")
    expect(window.get_by_role("spinbutton")).to_have_count(18)
    window.get_by_label("second kernel, weight in row 1, column 1").fill("5")
    said = window.get_by_role("status")
    expect(said).to_contain_text("the eighteen products of both channels")
    row, column = map(int, re.findall(r"\d+", said.inner_text())[:2])
    kernels = torch.cat([side[0].mT, side[0].mT])[None]
    kernels[0, 1, 1, 1] = 5
    assert abs(edges[0, row + 1, column + 1]) > 0.1  # so that the 5 counts
    map_ = torch.nn.functional.conv2d(torch.cat([image, edges])[None], kernels)
    shown = window.locator(".total").inner_text().replace("−", "-")
    assert float(shown.split("≈ ")[1]) == pytest.approx(
        map_[0, 0, row, column].item(), abs=0.01
    )
    # What is too large is cut, and said to be.
    window.get_by_label("second kernel, weight in row 0, column 0").fill("1e9")
    expect(said).to_have_text("A weight is from −9 to 9 here.")
    press(window, "Two channels")
    expect(window.get_by_role("spinbutton")).to_have_count(9)
    window.get_by_label("weight in row 0, column 0", exact=True).fill("-12.75")
    expect(said).to_have_text("A weight is from −9 to 9 here.")
    board.press("ArrowUp")
    expect(said).to_contain_text("the nine products add up to")


def test_the_window_slides_by_itself_until_it_is_told_to_stop(window: Locator) -> None:
    said = window.get_by_role("status")
    press(window, "Slide")  # who wants no motion has the end at once
    expect(said).to_contain_text("Row 25, column 25:")
    window.page.emulate_media(reduced_motion="no-preference")
    press(window, "Slide")
    expect(said).to_contain_text("The window slides")
    press(window, "Pause")
    expect(said).to_contain_text("the nine products add up to")
    press(window, "Slide")
    expect(said).to_contain_text("Row 25, column 25:")
    expect(window.get_by_role("button", name="Slide")).to_be_visible()
    window.page.emulate_media(reduced_motion="reduce")


@pytest.fixture(scope="module")
def threshold(context: BrowserContext, address: str) -> Locator:
    figure = opened(context.new_page(), address, "threshold")
    figure.get_by_role("slider", name="Temperature").focus()
    expect(figure).to_have_attribute("data-ready", "")
    return figure


def test_risk_and_coverage_are_those_of_torch(
    threshold: Locator, address: str, mnist: Digits
) -> None:
    arguments = [f"{address}/_static/live/", 1.5]
    found = [torch.tensor(f) for f in threshold.page.evaluate(REFUSED, arguments)]
    logits, targets, answers, confidence, risk = found
    logits = logits.view(-1, 10)
    torch.testing.assert_close(targets, mnist.val.targets)
    few = make_loader(Split(*(part[:500] for part in mnist.val)), batch_size=500)
    expected, _ = evaluation.predict(load_pretrained(), few)
    torch.testing.assert_close(logits[:500], expected, atol=6e-4, rtol=0)
    sure, said = (logits / 1.5).softmax(1).max(1)
    torch.testing.assert_close(confidence, sure, atol=1e-5, rtol=0)
    assert torch.equal(answers, said)
    wrong = (said != targets)[confidence.argsort(descending=True, stable=True)]
    counted = wrong.cumsum(0) / torch.arange(1, len(wrong) + 1)
    torch.testing.assert_close(risk, counted)
    right = evaluation.accuracy(logits, targets)
    assert risk[-1].item() == pytest.approx(1 - right, abs=1e-6)  # float32


def counts(threshold: Locator) -> list[int]:
    texts = threshold.locator(".counts dd").all_inner_texts()
    return [int(text.replace(",", "")) for text in texts]


def test_a_higher_limit_or_temperature_refuses_more(threshold: Locator) -> None:
    limit = threshold.get_by_role("slider", name="Answer from")
    temperature = threshold.get_by_role("slider", name="Temperature")
    limit.press("Home")
    answered, wrong, refused, needed = counts(threshold)
    assert (refused, needed) == (0, 0)
    expect(threshold.locator(".gallery").first).to_contain_text("(none)")
    for _ in range(8):
        limit.press("ArrowRight")
        needed = f"would have got {counts(threshold)[3]:,} wrong."
        expect(threshold.get_by_role("status")).to_contain_text(needed)
    at_90 = counts(threshold)
    assert at_90[0] + at_90[2] == answered
    assert at_90[1] + at_90[3] == wrong
    assert 0 < at_90[2] < answered / 10
    expect(threshold.get_by_role("status")).to_contain_text("at a risk of 0.")
    digits = threshold.get_by_role("region", name="Refused").get_by_role("img")
    names = [each.get_attribute("aria-label") or "" for each in digits.all()]
    found = [re.fullmatch(r"(an 8|a [^8]), read as \d, (\d+) % sure", n) for n in names]
    sure = [int(each[2]) for each in found if each]
    assert len(sure) == len(names) > 0
    assert sure == sorted(sure)  # 50 %, not 5 %
    for _ in range(3):
        temperature.press("ArrowRight")
    assert counts(threshold)[2] > 10 * at_90[2]
    box = threshold.locator(".chart").bounding_box()
    assert box
    threshold.page.mouse.click(box["x"] + 0.97 * box["width"], box["y"] + 50)
    assert counts(threshold)[2] == 0


@pytest.mark.parametrize("name", ["hill", "threshold"])
def test_a_finger_that_scrolls_past_a_chart_changes_nothing(
    browser: Browser, address: str, name: str
) -> None:
    screen = {"width": 390, "height": 664}
    context = browser.new_context(viewport=screen, has_touch=True, is_mobile=True)
    page = context.new_page()
    figure = opened(page, address, name)
    figure.locator("input").first.press("ArrowRight")
    if name == "threshold":
        expect(figure).to_have_attribute("data-ready", "")
    else:
        press(figure, "Step")
    chart = figure.locator(".chart")
    chart.evaluate("e => e.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(600)  # the ball has come down
    before, top = figure.get_by_role("status").inner_text(), page.evaluate("scrollY")
    book_site.touch(chart, [(40, 60 - up) for up in range(0, 70, 3)], across=100)
    page.wait_for_function("top => scrollY > top + 100", arg=top)
    expect(figure.get_by_role("status")).to_have_text(before)
    context.close()


@pytest.fixture(scope="module")
def heatmap(context: BrowserContext, address: str) -> Locator:
    figure = opened(context.new_page(), address, "heatmap")
    press(figure, "a 7")
    expect(figure).to_have_attribute("data-ready", "")
    return figure


def test_the_maps_are_those_of_the_package(heatmap: Locator, address: str) -> None:
    got = heatmap.page.evaluate(HEATMAP, f"{address}/_static/live/")
    images = normalize(torch.tensor(got["images"]).view(10, 1, 28, 28))
    model = load_pretrained()
    with torch.no_grad():
        logits = model(images)
    torch.testing.assert_close(torch.tensor(got["logits"]), logits, atol=1e-3, rtol=0)
    assert logits.argmax(1).tolist() == [*range(10)]
    for i, maps in enumerate(got["maps"]):
        found = torch.tensor(maps)  # (10 digits, 10 classes, places)
        for c in range(10):
            expected = hires_cam(model, images, f"blocks.{i}", c).flatten(1)
            torch.testing.assert_close(found[:, c], expected, atol=2e-4, rtol=0)
    whole = found.sum(2) + torch.tensor(got["biases"])  # of the last block
    torch.testing.assert_close(whole, logits, atol=2e-3, rtol=0)


def added(heatmap: Locator) -> list[float]:
    texts = heatmap.locator(".adds b").all_inner_texts()
    return [float(text.replace("−", "-")) for text in texts]


def test_digit_block_and_class_are_chosen_and_their_sum_is_said(
    heatmap: Locator, address: str
) -> None:
    said = heatmap.get_by_role("status")
    press(heatmap, "a 7")
    press(heatmap, "Block 4")
    places, bias, logit = added(heatmap)
    assert places + bias == pytest.approx(logit, abs=0.011)
    expect(said).to_contain_text("are the logit of the 7")
    press(heatmap, "an 8")
    classes = heatmap.locator(".classes button")
    assert classes.nth(8).get_attribute("aria-pressed") == "true"
    classes.nth(8).press("ArrowLeft")
    expect(classes.nth(7)).to_be_focused()
    classes.nth(7).press("Enter")
    assert classes.nth(7).get_attribute("aria-pressed") == "true"
    assert added(heatmap)[1] == bias  # the same for every digit
    picture = heatmap.get_by_role("img")
    expect(picture).to_have_attribute(
        "aria-label", re.compile("map of block 4 for class 7: 36")
    )
    got = heatmap.page.evaluate(HEATMAP, f"{address}/_static/live/")
    places = torch.tensor(got["maps"][3][8][7])
    for name, place in (("for", places.argmax()), ("against", places.argmin())):
        row, column = divmod(int(place), 6)
        value = f"{places[place]:+.2f}".replace("-", "−")
        where = re.escape(f"most {name} it: row {row}, column {column}, {value}")
        expect(picture).to_have_attribute("aria-label", re.compile(where))
    sums = heatmap.locator(".adds[aria-live=polite]")
    expect(sums).to_have_text(re.compile("the 36 places.*the logit"))
    scale = heatmap.locator(".scale span").last
    before = scale.inner_text()
    classes.nth(3).click()
    assert scale.inner_text() == before  # one for all ten classes
    press(heatmap, "Block 1")
    expect(picture).to_have_attribute("aria-label", re.compile("class 3: 144"))
    expect(said).to_contain_text("the places alone are not the answer")
    rest = added(heatmap)[1]
    press(heatmap, "an 8")
    press(heatmap, "a 3")
    assert added(heatmap)[1] != rest  # another for every digit


@pytest.mark.parametrize("name", ["neighbours"])
def test_what_did_not_arrive_is_asked_for_again(
    browser: Browser, address: str, name: str
) -> None:
    page = browser.new_page()
    requests, _ = book_site.collect(page)
    page.route("**/digits.bin", lambda route: route.abort())
    figure = opened(page, address, name)
    book_site.settle(page)
    assert not [url for url in requests if re.search(r"digits\.(bin|json)|wasm", url)]
    figure.locator(".sheet").focus()
    expect(figure.get_by_role("status")).to_contain_text("check the connection")
    page.unroute("**/digits.bin")
    press(figure, "Draw a 1 for me")
    expect(figure).to_have_attribute("data-prediction", "1")
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(context: BrowserContext, address: str, name: str) -> None:
    page = context.new_page()
    label = opened(page, address, name).get_attribute("aria-label")
    assert f"| [{label}](../{PAGES[name][:-5]}.ipynb#live-{name})" in IN_CLASS
    page.add_style_tag(content="* { transition: none !important }")
    for theme in ("light", "dark"):
        page.evaluate(THEME, theme)
        assert book_site.barriers(page) == [], theme
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_it_within_its_width(
    browser: Browser, address: str, name: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    figure = opened(page, address, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = figure.bounding_box()
    assert box
    assert box["width"] <= 390
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["neighbours", "drag", "heatmap"])
def test_what_comes_moves_nothing(
    browser: Browser, address: str, name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    figure = opened(page, address, name)
    before = pytest.approx(book_site.heights(figure), abs=1)
    figure.locator(":is(.samples, .digits) button").nth(4).click()
    expect(figure).to_have_attribute("data-ready", "")
    expect(figure.get_by_role("status")).not_to_contain_text("Fetching")
    assert book_site.heights(figure) == before
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_limit_moves_nothing_but_its_own_figures(
    browser: Browser, address: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    threshold = opened(page, address, "threshold")
    before = pytest.approx(book_site.heights(threshold), abs=1)
    limit = threshold.get_by_role("slider", name="Answer from")
    for key in ("End", "Home", "ArrowRight"):
        limit.press(key)
        expect(threshold.locator(".counts dd").first).to_have_text(re.compile(r"\d"))
        assert book_site.heights(threshold) == before, key
    page.close()


def test_two_channels_stay_under_the_finger(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    window = opened(page, address, "window")
    both = window.get_by_role("button", name="Two channels")
    both.scroll_into_view_if_needed()
    place = both.bounding_box()
    both.click()
    assert both.bounding_box() == place
    at_rest = pytest.approx(book_site.heights(window), abs=1)
    window.get_by_role("button", name="Slide").click()
    assert book_site.heights(window) == at_rest
    page.close()


def test_a_finger_hits_what_chooses_a_map(browser: Browser, address: str) -> None:
    options = {"width": 390, "height": 844}
    context = browser.new_context(viewport=options, has_touch=True, is_mobile=True)
    figure = opened(context.new_page(), address, "heatmap")
    for each in figure.get_by_role("button").all():
        box = each.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_figure_is_fetched_when_it_comes_near(
    browser: Browser, address: str, name: str
) -> None:
    page = browser.new_page()
    requests, _ = book_site.collect(page)
    page.goto(f"{address}/{PAGES[name]}")
    book_site.settle(page)
    assert not [url for url in requests if f"figures/{name}.js" in url]
    page.locator(f'[data-figure="{name}"]').scroll_into_view_if_needed()
    page.locator(f'[data-figure="{name}"] .pad').wait_for()
    page.close()


def test_without_scripts_a_sentence_stands_there_and_on_paper_nothing(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{PAGES['hill']}")
    said = page.locator("[data-figure] figcaption")
    expect(said).to_contain_text("make serve")
    expect(said).to_be_visible()
    page.emulate_media(media="print")
    expect(said).to_be_hidden()
    context.close()
