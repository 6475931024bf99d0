"""The sliding window without a browser: the tests set its sliders and boxes."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from PIL import Image
from torch.nn import functional as F

from mnistedu import sliding
from mnistedu.sliding import SlidingWindow, plot_window

IMAGE = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
KERNEL = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def numbers(ax: Axes) -> list[float]:
    """Those written into a table, row by row."""
    return [float(text.get_text()) for text in ax.texts]


def frame(ax: Axes) -> tuple[float, float, float, float]:
    """Left, top, width and height of the frame, in pixels."""
    (patch,) = ax.patches
    return (*patch.get_xy(), patch.get_width(), patch.get_height())


def test_plot_window_shows_how_one_number_of_the_map_comes_about():
    image, map_, pixels, kernel, products = plot_window(IMAGE, KERNEL, 4, 20)
    expected = F.conv2d(IMAGE[None, None], KERNEL[None, None])[0, 0]
    np.testing.assert_allclose(map_.images[0].get_array(), expected, atol=1e-5)
    np.testing.assert_array_equal(image.images[0].get_array(), IMAGE)
    window = IMAGE[4:7, 20:23]
    assert numbers(pixels) == pytest.approx(window.flatten().tolist(), abs=0.006)
    assert numbers(kernel) == KERNEL.flatten().tolist()
    wanted = (window * KERNEL).flatten().tolist()
    assert numbers(products) == pytest.approx(wanted, abs=0.006)
    assert products.get_title() == f"= products, sum {expected[4, 20]:.2f}"
    assert frame(image) == (19.5, 3.5, 3, 3)
    assert frame(map_) == (19.5, 3.5, 1, 1)


def test_plot_window_writes_what_is_hardly_more_than_nothing_as_0():
    *_, products = plot_window(IMAGE * 1e-3, -KERNEL, 0, 0)
    assert {text.get_text() for text in products.texts} == {"0"}


def test_plot_window_takes_kernels_of_any_shape():
    _, map_, pixels, *_ = plot_window(IMAGE, torch.ones(5, 2), 23, 26)
    assert map_.images[0].get_array().shape == (24, 27)
    assert len(numbers(pixels)) == 10


def test_plot_window_without_weights_is_white(recwarn):
    _, map_, _, kernel, _ = plot_window(IMAGE, torch.zeros(3, 3), 0, 0)
    assert map_.images[0].get_clim() == (-1, 1)
    assert kernel.images[0].get_clim() == (-2, 2)
    assert not recwarn.list


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
