"""The sliding window without a browser: the tests set its sliders and boxes."""

from io import BytesIO

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image

from mnistedu import sliding
from mnistedu.plotting import plot_window
from mnistedu.sliding import SlidingWindow

IMAGE = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
KERNEL = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.Tensor, int, int]]:
    """What the widget has drawn: kernel, row and column of each picture."""
    calls = []

    def draw(image, kernel, row, column, figure):
        calls.append((kernel, row, column))
        plot_window(image, kernel, row, column, figure)

    monkeypatch.setattr(sliding, "plot_window", draw)
    return calls


def test_sliders_move_the_window_to_the_last_place_and_no_further(drawn):
    window = SlidingWindow(IMAGE, KERNEL)
    before = window._picture.value
    window._row.value, window._column.value = 100, 7
    assert [call[1:] for call in drawn] == [(0, 0), (25, 0), (25, 7)]
    assert window._picture.value != before
    with Image.open(BytesIO(window._picture.value)) as picture:
        assert picture.width > 500


def test_each_weight_can_be_edited(drawn):
    window = SlidingWindow(IMAGE, KERNEL)
    for box, weight in zip(window._weights, range(9), strict=True):
        box.value = weight / 2
    expected = torch.arange(9).view(3, 3) / 2
    assert torch.equal(window.kernel, expected)
    assert torch.equal(drawn[-1][0], expected)
    window._weights[0].value = 1e30
    assert window.kernel[0, 0] == 9


def test_the_widget_leaves_pyplot_and_the_page_alone():
    window = SlidingWindow(IMAGE, KERNEL)
    assert plt.get_fignums() == []
    assert repr(window) == "SlidingWindow()"
