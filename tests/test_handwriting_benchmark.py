"""What benchmarks/handwriting.py does to the digits is what it says."""

import importlib.util
from pathlib import Path

import pytest
import torch

PATH = Path(__file__).parents[1] / "benchmarks" / "handwriting.py"
spec = importlib.util.spec_from_file_location("handwriting", PATH)
assert spec and spec.loader
handwriting = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handwriting)


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
