"""The handwriting benchmarks measure on what they say."""

from collections import Counter

import hands
import handwriting
import pytest
import torch
import writers
from sklearn.datasets import load_digits
from torch.nn import functional as F

from mnistedu.checkpoints import load_pretrained
from mnistedu.data import Split, make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import ConvNet


@pytest.mark.parametrize("pixels", [-1, 1.5, 2.5])
def test_strokes_become_so_many_pixels_wider(pixels: float) -> None:
    bar = torch.zeros(1, 1, 28, 28)
    bar[:, :, 4:24, 12:16] = 1
    ink = handwriting.widen(pixels)(bar)
    across = ink[0, 0, ink.shape[2] // 2].sum() / handwriting.FINE
    assert across == pytest.approx(4 + pixels, abs=0.1)


def test_all_ink_stays_on_the_canvas() -> None:
    torch.manual_seed(0)
    box = torch.zeros(100, 1, 28, 28)
    box[:, :, 4:24, 4:24] = 1
    canvas = handwriting.on_canvas(box)
    assert canvas.shape == (100, 1, 280, 280)
    sides = canvas.sum((1, 2, 3)).sqrt() / 200  # what each box was scaled by
    assert 0.5 <= sides.min() < 0.55
    assert 1.2 < sides.max() <= 1.4  # a larger one would not fit
    edges = [canvas[:, :, i] for i in (0, -1)] + [canvas[..., i] for i in (0, -1)]
    assert max(edge.max() for edge in edges) < 0.1


def test_a_network_just_trained_is_measured_as_when_it_is_used() -> None:
    torch.manual_seed(0)
    model = ConvNet(1)
    split = Split(torch.randint(256, (60, 28, 28)), torch.arange(60) % 10)
    (before,) = handwriting.measure(model.train(), split, handwriting.as_it_is, F.relu)
    (after,) = handwriting.measure(model.eval(), split, handwriting.as_it_is, F.relu)
    assert before == after
    assert model.blocks[0][2].num_batches_tracked == 0


def test_no_digit_is_there_for_both_validation_and_test(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, targets = load_digits(return_X_y=True)
    test = [[*row, target] for row, target in zip(pixels, targets, strict=True)]
    others = [[16 - pixel for pixel in row[:64]] + [row[64]] for row in test[:50]]
    file = tmp_path / "optdigits.dat"  # all in one file, as it is published
    rows = [",".join(f"{number:.0f}" for number in row) for row in others + test]
    file.write_text("\n".join(rows))
    monkeypatch.setattr(writers, "FILE", file)

    validation = writers.validation_writers()
    assert validation.targets.tolist() == targets[:50].tolist()
    expected = torch.tensor(others)[:, :64].view(-1, 8, 8).float() / 16 * 255
    torch.testing.assert_close(validation.images, expected)
    kept_back = writers.test_writers()
    assert len(kept_back.targets) == 1797
    digits = Counter(map(bytes, kept_back.images.byte().numpy()))
    assert not digits & Counter(map(bytes, validation.images.byte().numpy()))


def test_each_hand_is_drawn_anew_every_time_and_stays_its_digit() -> None:
    torch.manual_seed(0)
    drawn = hands.draw_hands(20)
    torch.manual_seed(0)
    again = hands.draw_hands(20)
    assert torch.equal(drawn.images, again.images)
    assert drawn.images.shape == (20 * len(hands.HANDS), 28, 28)
    assert drawn.images.dtype == torch.uint8
    assert len(drawn.images.unique(dim=0)) == len(drawn.images)
    targets = [digit for digit, _ in hands.HANDS for _ in range(20)]
    assert drawn.targets.tolist() == targets
    logits, _ = predict(load_pretrained(), make_loader(drawn))
    assert accuracy(logits, drawn.targets) > 0.98
