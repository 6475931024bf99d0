"""DrawingPad without a browser: events as ipycanvas's page sends them.

tests/test_browser.py draws on it in JupyterLab.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from threading import Thread

import pytest
import torch
from ipycanvas.canvas import COMMANDS
from ipywidgets import HTML, Button, Widget
from PIL import Image
from torch import Tensor, nn

from mnistedu.checkpoints import load_pretrained
from mnistedu.drawing import STROKE_WIDTH, DrawingPad, Point, rasterize
from mnistedu.preprocess import center_digit, normalize

ZERO = [
    (140 + 60 * dx, 140 + 90 * dy)
    for dx, dy in [
        (0, -1), (-0.6, -0.8), (-0.95, -0.3), (-0.95, 0.3), (-0.6, 0.8), (0, 1),
        (0.6, 0.8), (0.95, 0.3), (0.95, -0.3), (0.6, -0.8), (0, -1),
    ]
]  # fmt: skip
COMMAND_NAMES = {number: name for name, number in COMMANDS.items()}
ONE = [(150, 40), (144, 110), (138, 180), (132, 240)]
SEVEN = [(78, 72), (130, 66), (200, 62), (185, 110), (160, 160), (138, 215)]


def sure(images: Tensor) -> Tensor:
    """A model that takes every image for a 3."""
    return torch.eye(10)[[3] * len(images)]


@pytest.fixture
def pad() -> DrawingPad:
    return DrawingPad()


def send(pad: DrawingPad, event: str, *points: Point) -> None:
    """One event, as the page sends it."""
    content: dict[str, object] = {"event": event}
    if event.startswith("touch"):
        content["touches"] = [{"x": x, "y": y} for x, y in points]
    else:
        content["x"], content["y"] = points[0]
    pad._canvas._handle_custom_msg(content, [])


def draw(pad: DrawingPad, points: Sequence[Point]) -> None:
    send(pad, "mouse_down", points[0])
    for point in points[1:]:
        send(pad, "mouse_move", point)
    send(pad, "mouse_up", points[-1])


def touch(pad: DrawingPad, points: Sequence[Point]) -> None:
    send(pad, "touch_start", points[0])
    for point in points[1:]:
        send(pad, "touch_move", point)
    send(pad, "touch_end")


def parts(widget: Widget, kind: type) -> list[Widget]:
    found = [widget] if isinstance(widget, kind) else []
    for child in getattr(widget, "children", ()):
        found += parts(child, kind)
    return found


def page(pad: DrawingPad) -> str:
    """The HTML that the pad shows."""
    return "".join(html.value for html in parts(pad, HTML))


def brute_force(strokes: Sequence[Sequence[Point]], samples: int = 4) -> Tensor:
    """Ink by asking sample points of every pixel whether the pen passed over them."""
    at = (torch.arange(280 * samples) + 0.5) / samples
    x, y = at[None, :], at[:, None]
    inked = torch.zeros(len(at), len(at), dtype=torch.bool)
    for stroke in strokes:
        for (x0, y0), (x1, y1) in zip(stroke, stroke[1:] or stroke, strict=False):
            dx, dy = x1 - x0, y1 - y0
            t = ((x - x0) * dx + (y - y0) * dy) / ((dx * dx + dy * dy) or 1)
            t = t.clamp(0, 1)
            near = (x - x0 - t * dx) ** 2 + (y - y0 - t * dy) ** 2
            inked |= near <= (STROKE_WIDTH / 2) ** 2
    return nn.functional.avg_pool2d(inked[None, None].float(), samples)


@pytest.mark.parametrize(
    "strokes",
    [[SEVEN], [[(100, 100)]], [ZERO, ONE], [[(-30, 50), (300.5, 333.3)]]],
    ids=["seven", "dot", "two strokes", "beyond the edges"],
)
def test_raster_is_the_area_that_the_pen_covers(strokes):
    ink = rasterize(strokes)
    assert ink.shape == (1, 1, 280, 280) and ink.dtype == torch.float32
    assert ink.min() == 0 and ink.max() == 1
    difference = (ink - brute_force(strokes)).abs()
    # The largest differences are where the edges of two lines meet in one pixel.
    assert difference.max() < 0.35 and difference.mean() < 1e-3


def test_raster_of_what_lies_outside_is_blank():
    assert not rasterize([]).any()
    outside = [[(-40, -40), (-40, 400)], [(400, 3), (500, 3)], [(9, 9e9)]]
    assert not rasterize(outside).any()


@pytest.mark.parametrize(("digit", "points"), [(0, ZERO), (1, ONE), (7, SEVEN)])
@pytest.mark.parametrize("pen", [draw, touch])
def test_reads_what_is_drawn(pad, pen, digit, points):
    pen(pad, points)
    assert pad.prediction == digit
    assert pad.probabilities.shape == (10,)
    assert pad.probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    assert pad.probabilities.argmax() == digit
    assert f'data-prediction="{digit}">{digit}<' in page(pad)


def test_ink_and_image_are_those_of_the_strokes(pad):
    draw(pad, SEVEN)
    touch(pad, ONE)
    draw(pad, [(20, 20)])
    torch.testing.assert_close(pad.ink, rasterize([SEVEN, ONE, [(20, 20)]]))
    torch.testing.assert_close(pad.image, center_digit(pad.ink))
    logits = load_pretrained()(normalize(pad.image))
    torch.testing.assert_close(pad.probabilities, logits.softmax(1)[0].detach())


def test_shows_the_image_that_the_network_sees(pad):
    draw(pad, SEVEN)
    shown = Image.open(BytesIO(pad._seen.value))
    pixels = torch.tensor(list(shown.tobytes())).view(28, 28)
    torch.testing.assert_close(pixels / 255, 1 - pad.image[0, 0], atol=0.01, rtol=0)


def test_answers_during_the_stroke(pad):
    send(pad, "mouse_down", SEVEN[0])
    seen = [pad.probabilities]
    for point in SEVEN[1:]:
        send(pad, "mouse_move", point)
        seen.append(pad.probabilities)
    assert all(not torch.equal(a, b) for a, b in pairwise(seen))


def test_ten_bars_carry_their_values(pad):
    draw(pad, SEVEN)
    meters = re.findall(
        r'role="meter" aria-label="(\d)" aria-valuenow="(\d+)"', page(pad)
    )
    assert [int(digit) for digit, _ in meters] == list(range(10))
    percent = (100 * pad.probabilities).round().int().tolist()
    assert [int(value) for _, value in meters] == percent
    assert page(pad).count('class="bar best"') == 1


def assert_blank(pad: DrawingPad) -> None:
    assert not pad.ink.any() and not pad.image.any() and not pad.probabilities.any()
    assert pad.prediction is None
    assert "Draw a digit" in page(pad) and 'data-prediction=""' in page(pad)
    assert page(pad).count('aria-valuenow="0"') == 10
    assert 'class="bar best"' not in page(pad)


def test_is_blank_at_first_and_after_clear(pad):
    assert_blank(pad)
    draw(pad, SEVEN)
    (button,) = parts(pad, Button)
    button.click()
    assert_blank(pad)
    draw(pad, ONE)
    torch.testing.assert_close(pad.ink, rasterize([ONE]))
    pad.clear()
    assert_blank(pad)


def test_clear_lifts_the_pen(pad):
    send(pad, "mouse_down", (100, 100))
    pad.clear()
    send(pad, "mouse_move", (200, 200))
    assert_blank(pad)


@pytest.mark.parametrize("event", ["mouse_move", "mouse_up", "mouse_out", "touch_move"])
def test_draws_nothing_while_the_pen_is_up(pad, event):
    send(pad, event, (140, 140))
    assert_blank(pad)
    draw(pad, ONE)
    send(pad, event, (20, 20))
    torch.testing.assert_close(pad.ink, rasterize([ONE]))


@pytest.mark.parametrize("event", ["touch_end", "touch_cancel"])
def test_a_lifted_finger_ends_the_stroke(pad, event):
    send(pad, "touch_start", (50, 50))
    send(pad, "touch_move", (50, 200))
    send(pad, event)
    send(pad, "touch_move", (250, 250))
    torch.testing.assert_close(pad.ink, rasterize([[(50, 50), (50, 200)]]))


def test_a_stroke_ends_where_it_leaves_the_canvas(pad):
    send(pad, "mouse_down", (200, 100))
    send(pad, "mouse_move", (270, 100))
    send(pad, "mouse_out", (295, 100))
    send(pad, "mouse_move", (250, 250))  # back again, the button perhaps released
    torch.testing.assert_close(pad.ink, rasterize([[(200, 100), (295, 100)]]))


def test_a_resting_hand_does_not_draw(pad):
    hand = (400.0, 300.0)
    send(pad, "touch_start", hand, (50, 50))
    send(pad, "touch_move", hand, (50, 200))
    torch.testing.assert_close(pad.ink, rasterize([[(50, 50), (50, 200)]]))


def test_events_from_two_threads_at_once():
    pad = DrawingPad(sure)
    columns = [[(x, float(y)) for y in range(40, 240, 5)] for x in (60.0, 220.0)]

    def dots(points: Sequence[Point]) -> None:
        for point in points:
            send(pad, "mouse_down", point)

    threads = [Thread(target=dots, args=(points,)) for points in columns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dotted = [[point] for points in columns for point in points]
    torch.testing.assert_close(pad.ink, rasterize(dotted))
    torch.testing.assert_close(pad.image, center_digit(pad.ink))


def test_a_page_that_opens_later_gets_all_strokes(pad, monkeypatch):
    draw(pad, SEVEN)
    draw(pad, [(20, 20)])
    commands = []
    monkeypatch.setattr(
        pad._canvas._canvas_manager,
        "_send_custom",
        lambda command, buffers=(): commands.append(
            (COMMAND_NAMES[command[0]], buffers)
        ),
    )
    pad._canvas._handle_custom_msg({"event": "client_ready"}, [])
    names = [name for name, _ in commands]
    assert names == ["switchCanvas", *["set"] * 3, "clear", "strokeLines", "fillCircle"]
    points, *_ = commands[5][1]
    assert points.tolist() == [list(point) for point in SEVEN]


def test_takes_any_model():
    for model in (
        sure,
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).double().float(),
    ):
        pad = DrawingPad(model)
        draw(pad, ONE)
        assert pad.prediction in range(10)
    assert DrawingPad(sure).prediction is None


def test_a_module_answers_in_evaluation_mode_and_keeps_its_own():
    model = nn.Sequential(nn.Dropout(0.9), nn.Flatten(), nn.Linear(784, 10)).train()
    pad = DrawingPad(model)
    draw(pad, ONE)
    first = pad.probabilities
    draw(pad, ONE)
    assert torch.equal(pad.probabilities, first)
    assert model.training


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (lambda images: images, r"ten finite logits.* gave shape \(1, 1, 28, 28\)\.$"),
        (lambda images: images[0, 0, 0, :10], r"ten finite logits.* shape \(10,\)\.$"),
        (lambda images: images.new_full((1, 10), torch.nan), r"ten finite logits"),
        (nn.Linear(3, 10), r"could not read .*RuntimeError"),
        ("a string", r"could not read .*TypeError"),
    ],
    ids=["images", "one axis", "nan", "linear", "string"],
)
def test_a_wrong_model_is_refused_in_a_sentence(model, sentence):
    with pytest.raises(ValueError, match=sentence):
        DrawingPad(model)


def test_a_model_that_breaks_later_says_so_in_the_pad():
    broken = False

    def model(images: Tensor) -> Tensor:
        if broken:
            raise RuntimeError("weights <lost>")
        return sure(images)

    pad = DrawingPad(model)
    draw(pad, ONE)
    assert pad.prediction == 3
    broken = True
    draw(pad, SEVEN)
    assert "RuntimeError: weights &lt;lost&gt;" in page(pad)
    assert pad.prediction is None and not pad.probabilities.any()
    broken = False
    draw(pad, SEVEN)
    assert pad.prediction == 3 and "RuntimeError" not in page(pad)


def test_leaves_the_number_of_threads_as_it_was(pad):
    threads = torch.get_num_threads()
    draw(pad, SEVEN)
    assert torch.get_num_threads() == threads


def test_repr_holds_nothing_that_varies(pad):
    draw(pad, SEVEN)
    assert repr(pad) == "DrawingPad()"
    assert pad._repr_mimebundle_()["text/plain"] == "DrawingPad()"
