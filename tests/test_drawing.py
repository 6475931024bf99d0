"""The pad that reads; tests/test_browser.py draws on it in JupyterLab."""

import warnings
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
import torch
from pen import ONE, SEVEN, ZERO, draw, page, send, touch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import feature_maps
from mnistedu.checkpoints import load_pretrained
from mnistedu.data import Digits
from mnistedu.gradcam import hires_cam
from mnistedu.models import MLP, ConvNet
from mnistedu.pad import DrawingPad
from mnistedu.pad.pictures import encode, mosaic, overlay
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import SAMPLES, rasterize


def sure(images: Tensor) -> Tensor:
    """A model that takes every image for a 3."""
    return torch.eye(10)[[3] * len(images)]


@pytest.fixture
def pad() -> DrawingPad:
    return DrawingPad()


def upload(pad: DrawingPad, content: bytes) -> None:
    """A file, as the page sends it."""
    file = {"name": "a file", "type": "", "size": len(content), "last_modified": 0}
    pad._upload.set_state({"value": [file | {"content": memoryview(content)}]})


def photo(ink: Tensor) -> bytes:
    """A grey PNG of ink ``(1, 1, H, W)``, dark on light paper."""
    return encode(0.9 - 0.8 * ink[0, 0])


def shown(pad: DrawingPad) -> bytes | None:
    """The picture of what is inside the network, if there is one to be seen."""
    return None if pad._inside.layout.display == "none" else pad._inside.value


@pytest.mark.parametrize(("digit", "points"), [(0, ZERO), (1, ONE), (7, SEVEN)])
@pytest.mark.parametrize("pen", [draw, touch])
def test_reads_what_is_drawn(pad, pen, digit, points):
    pen(pad, points)
    assert pad.prediction == digit
    assert pad.probabilities.shape == (10,)
    assert pad.probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    assert pad.probabilities.argmax() == digit
    assert f'data-prediction="{digit}">{digit}<' in page(pad)


def test_image_and_probabilities_are_those_of_the_ink(pad):
    draw(pad, SEVEN)
    draw(pad, [(20, 20)])
    assert torch.equal(pad.ink, rasterize([SEVEN, [(20, 20)]]))
    torch.testing.assert_close(pad.image, center_digit(pad.ink))
    logits = load_pretrained()(normalize(pad.image))
    torch.testing.assert_close(pad.probabilities, logits.softmax(1)[0].detach())


def test_shows_the_image_that_the_network_sees(pad):
    draw(pad, SEVEN)
    seen = Image.open(BytesIO(pad._seen.value))
    pixels = torch.tensor(list(seen.tobytes())).view(28, 28)
    torch.testing.assert_close(pixels / 255, 1 - pad.image[0, 0], atol=0.01, rtol=0)


def test_answers_during_the_stroke(pad):
    send(pad, "mouse_down", SEVEN[0])
    seen = [pad.probabilities]
    for point in SEVEN[1:]:
        send(pad, "mouse_move", point)
        seen.append(pad.probabilities)
    assert all(not torch.equal(a, b) for a, b in pairwise(seen))


def test_a_blank_sheet_has_no_answer(pad):
    draw(pad, SEVEN)
    pad.clear()
    assert pad.prediction is None
    assert not pad.ink.any() and not pad.image.any() and not pad.probabilities.any()
    assert 'data-prediction="">Draw a digit<' in page(pad)
    assert DrawingPad(sure).prediction is None


def test_without_centring_the_canvas_is_only_shrunk(pad):
    small = [[(x / 4 + 200, y / 4 + 200) for x, y in SEVEN]]
    pad.lay(rasterize(small, width=8))
    assert pad.prediction == 7
    centered = pad.image
    pad._centered.value = False
    torch.testing.assert_close(pad.image, F.avg_pool2d(pad.ink, 10))
    assert not pad.image[..., :14].any() and centered[..., :14].any()
    pad._centered.value = True
    assert torch.equal(pad.image, centered) and pad.prediction == 7


def test_samples_come_one_after_the_other(pad):
    sample = next(b for b in pad.children[0].children[3].children[:1])
    for digit in (*SAMPLES, 0):
        sample.click()
        assert torch.equal(pad.ink, rasterize(SAMPLES[digit]))
        assert pad.prediction == digit
    pad.undo()
    assert pad.prediction == 9


@pytest.mark.parametrize("view", ["block 1", "block 2", "block 4"])
def test_shows_the_feature_maps_of_each_block(pad, view):
    draw(pad, SEVEN)
    assert shown(pad) is None
    pad._view.value = view
    layer = f"blocks.{int(view[-1]) - 1}"
    maps = feature_maps(pad.model, normalize(pad.image), layer)[0]
    expected = mosaic(maps / maps.max(), columns=16)
    assert shown(pad) == encode(expected)
    n, h, w = maps.shape
    assert f"{n} feature maps of {h}×{w}" in page(pad)
    draw(pad, [(20, 20)])
    assert shown(pad) != encode(expected)  # they follow the pen
    pad._view.value = "nothing"
    assert shown(pad) is None


def heatmaps(pad: DrawingPad, layer: str = "blocks") -> tuple[Tensor, float]:
    """Those of all ten classes, and the largest number on them, of either sign."""
    images = normalize(pad.image)
    ten = torch.cat([hires_cam(pad.model, images, layer, c) for c in range(10)])
    return ten, ten.abs().max().item()


def pixels(pad: DrawingPad) -> Tensor:
    with Image.open(BytesIO(pad._inside.value)) as image:
        return torch.tensor(np.asarray(image)) / 255


def test_shows_the_exact_heatmap_of_any_class_on_one_scale(pad):
    draw(pad, SEVEN)
    assert pad._class.layout.display == "none"
    pad._view.value = "heatmap"
    assert pad._class.layout.display is None
    ten, limit = heatmaps(pad)
    logits = pad.model(normalize(pad.image))[0] - pad.model.head.bias
    torch.testing.assert_close(ten.sum((1, 2)), logits.detach())
    blue = []
    for choice, digit in ((None, 7), (9, 9), (0, 0), (7, 7)):
        pad._class.value = choice
        expected = overlay(pad.image[0, 0], ten[digit], limit)
        assert (pixels(pad) - expected).abs().mean() < 0.01
        assert f"Blue adds to the logit of a {digit}, red takes from it" in page(pad)
        assert f"full colour is ±{limit:.2g} at one of the 36 places" in page(pad)
        blue.append((pixels(pad)[..., 2] - pixels(pad)[..., 0]).relu().sum())
    assert pad.probabilities[[0, 9]].max() < 0.005  # which do not glow as the answer
    assert max(blue[1:3]) < blue[0] / 5 and blue[3] == blue[0]


def test_a_heatmap_of_nothing_but_zeros_is_white():
    model = ConvNet(blocks=1)
    nn.init.zeros_(model.head.weight)
    pad = DrawingPad(model)
    draw(pad, SEVEN)
    pad._view.value = "heatmap"
    assert shown(pad) and "full colour is ±0 " in page(pad)
    assert (pixels(pad).amin(2) > 0.9).float().mean() > 0.8


def test_what_is_inside_goes_with_the_drawing(pad):
    pad._view.value = "block 1"
    assert shown(pad) is None
    draw(pad, SEVEN)
    assert shown(pad)
    pad.clear()
    assert shown(pad) is None


@pytest.mark.parametrize("model", [sure, MLP()], ids=["function", "MLP"])
@pytest.mark.parametrize("view", ["feature maps", "heatmap"])
def test_a_model_without_feature_maps_says_so(model, view):
    pad = DrawingPad(model)
    draw(pad, SEVEN)
    pad._view.value = view
    assert shown(pad) is None
    assert "There is nothing to show: only a torch module with Conv2d" in page(pad)


def test_finds_the_convolutions_of_any_module():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 3, 5), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Conv2d(3, 5, 3),
        nn.Flatten(),
        nn.Linear(500, 10),
    )
    pad = DrawingPad(model)
    draw(pad, SEVEN)
    assert pad._view.options == ("nothing", "0.0", "1", "heatmap")
    pad._view.value = "1"
    assert shown(pad) and "5 feature maps of 10×10" in page(pad)
    pad._view.value = "heatmap"
    ten, limit = heatmaps(pad, "1")
    expected = overlay(pad.image[0, 0], ten[pad.prediction], limit)
    assert (pixels(pad) - expected).abs().mean() < 0.01
    assert "adds to" not in page(pad)  # it is no promise without a linear head


def test_a_layer_that_the_model_does_not_use_is_said():
    model = ConvNet(blocks=1)
    model.blocks.append(nn.Identity())
    model.forward = lambda images: model.head(model.blocks[0](images).flatten(1))
    pad = DrawingPad(model)
    draw(pad, SEVEN)
    pad._view.value = "block 2"
    assert shown(pad) is None and "It cannot be shown: KeyError" in page(pad)
    pad._view.value = "block 1"
    assert shown(pad)


def test_reads_a_file_as_it_reads_a_drawing(pad):
    upload(pad, photo(F.pad(rasterize([SEVEN]), (300, 20, 10, 200))))
    assert pad.prediction == 7
    drawn = DrawingPad()
    draw(drawn, SEVEN)
    torch.testing.assert_close(pad.image, drawn.image, atol=0.15, rtol=0)
    assert (pad.image - drawn.image).abs().mean() < 0.01
    rows = (pad.ink[0, 0].amax(1) > 0.1).sum()
    assert abs(rows - 200) <= 2  # as large as MNIST's box of 20 in 28
    draw(pad, [(20, 20)])  # one can draw on
    assert pad.ink[0, 0, 20, 20] == 1 and (pad.ink[0, 0].amax(1) > 0.1).sum() > 210


def test_undo_takes_back_an_upload(pad):
    draw(pad, ONE)
    for _ in range(2):  # the same file again
        upload(pad, photo(rasterize([SEVEN])))
        assert pad.prediction == 7
        pad.undo()
        assert torch.equal(pad.ink, rasterize([ONE])) and pad.prediction == 1
    assert pad._upload.value == ()  # nothing of it is kept


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", photo(rasterize([SEVEN]))[:-200], photo(rasterize([]))],
    ids=["empty", "no image", "truncated", "blank"],
)
def test_a_bad_file_changes_nothing_and_is_said(pad, content):
    draw(pad, SEVEN)
    before = pad.ink, pad.image, pad.probabilities
    upload(pad, content)
    assert (pad.ink, pad.image, pad.probabilities) == before  # the same objects
    assert pad._note.value.count('role="alert"') == 1
    draw(pad, ONE)
    assert pad._note.value == ""
    pad.undo()
    assert pad.ink is before[0]


def test_what_a_file_leaves_out_is_said(pad, recwarn):
    frames = [Image.fromarray(np.uint8(255 - 255 * rasterize([s])[0, 0].numpy()))
              for s in (SEVEN, ONE)]  # fmt: skip
    file = BytesIO()
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
    upload(pad, file.getvalue())
    assert pad.prediction == 7
    assert "first" in pad._note.value and not recwarn.list
    pad.clear()
    assert pad._note.value == ""


def test_an_upload_leaves_the_warnings_of_a_cell_alone(pad, monkeypatch):
    filters, cell, open_ = warnings.filters, warnings.catch_warnings(), Image.open

    def end_the_cell(*args, **options):
        cell.__exit__()
        return open_(*args, **options)

    monkeypatch.setattr(Image, "open", end_the_cell)
    cell.__enter__()
    upload(pad, photo(rasterize([SEVEN])))
    assert pad.prediction == 7 and warnings.filters is filters


def test_the_longest_way_fits_on_the_sheet(pad):
    thin = torch.zeros(1, 1, 300, 40)
    thin[..., 5:295, 20:22] = 1
    for ink in (thin, thin.mT):
        upload(pad, photo(ink))
        rows, columns = (pad.ink[0, 0] > 0.1).nonzero().T
        longer = max(rows.max() - rows.min(), columns.max() - columns.min())
        assert abs(longer + 1 - 200) <= 2


def test_files_are_read_as_well_as_tensors(pad, mnist: Digits):
    images, targets = mnist.test.images[:200, None] / 255, mnist.test.targets[:200]
    answers = []
    for image in images:
        upload(pad, photo(image[None]))
        answers.append(pad.prediction)
    logits = load_pretrained()(normalize(center_digit(images)))
    right = (logits.argmax(1) == targets).sum()
    assert (torch.tensor(answers) == targets).sum() >= right - 2


def test_several_digits_are_said_and_not_guessed(pad):
    left = [(x / 2, y) for x, y in SEVEN]
    right = [(x / 2 + 140, y) for x, y in SEVEN]
    draw(pad, left)
    assert pad.prediction == 7
    draw(pad, right)
    assert pad.prediction is None and not pad.probabilities.any()
    assert "These look like 2 digits" in page(pad)
    assert 'data-prediction=""' in page(pad)
    pad.undo()
    assert pad.prediction == 7


def test_digits_of_several_strokes_are_one(pad):
    for digit, strokes in SAMPLES.items():
        pad.clear()
        for stroke in strokes:
            draw(pad, stroke)
        assert pad.prediction == digit


def test_takes_any_model():
    for model in (
        sure,
        nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
        nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(10)),  # without a parameter
    ):
        pad = DrawingPad(model)
        draw(pad, ONE)
        assert pad.prediction in range(10)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_takes_a_model_of_any_precision_and_looks_inside(dtype):
    pad = DrawingPad(load_pretrained().to(dtype))
    draw(pad, SEVEN)
    assert pad.prediction == 7
    assert pad.probabilities.dtype == torch.float32
    for view in ("block 3", "heatmap"):
        pad._view.value = view
        assert shown(pad) is not None


def test_a_lazy_model_can_still_be_trained():
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    pad = DrawingPad(model)
    draw(pad, ONE)
    assert pad.prediction in range(10)
    model(torch.rand(2, 1, 28, 28)).sum().backward()
    assert model[1].weight.grad is not None


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


def test_a_file_is_said_to_be_read_as_soon_as_it_has_arrived(pad):
    notes = []
    pad._note.observe(lambda change: notes.append(change["new"]), "value")
    upload(pad, photo(rasterize([SEVEN])))
    assert "Reading the file" in notes[0]
    assert notes[-1] == "" and pad.prediction == 7


def test_what_is_hardly_a_digit_dims_the_bars_and_gets_a_sentence(pad):
    assert "It can only answer with a digit from 0 to 9." in page(pad)
    draw(pad, [(60, 230), (75, 50), (140, 190), (205, 50), (220, 230)])
    assert "This looks like none of the digits that it knows." in page(pad)
    assert pad.prediction is not None and 'class="bars doubted"' in page(pad)
    pad.clear()
    draw(pad, [(100, 100)])
    assert "This is a dot" in page(pad)
    pad.clear()
    draw(pad, SEVEN)
    assert "It can only answer" in page(pad) and "doubted" not in pad._bars.value
