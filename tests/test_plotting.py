"""The figures show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from torch.nn import functional as F

from mnistedu import plotting
from mnistedu.evaluation import Calibration
from mnistedu.models import ConvNet
from mnistedu.plotting import plot_window
from mnistedu.training import History

IMAGE = torch.rand(28, 28, generator=torch.Generator().manual_seed(0))
KERNEL = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_plot_digit_draws_dark_ink_on_white_paper():
    image = torch.rand(1, 28, 28)
    ax = plotting.plot_digit(image, title="5")
    assert ax.get_title() == "5"
    drawn = ax.images[0]
    np.testing.assert_array_equal(drawn.get_array(), image[0])
    assert drawn.get_cmap().name == "gray_r"


@pytest.mark.parametrize("level", [0, 5, 255])
@pytest.mark.parametrize("to_kind", [torch.clone, lambda raw: raw / 255])
def test_paper_is_white_and_full_ink_black_in_every_image(level, to_kind):
    image = to_kind(torch.full((28, 28), level, dtype=torch.uint8))
    (ax,) = plotting.plot_digits(image[None], columns=1)
    drawn = ax.images[0]
    red, green, blue, _ = drawn.to_rgba(drawn.get_array())[0, 0]
    assert red == green == blue == pytest.approx(1 - level / 255, abs=1 / 256)


@pytest.mark.parametrize(
    "image",
    [torch.full((28, 28), -0.42), torch.full((28, 28), 33.0), torch.ones(28, 28) > 0],
)
def test_what_is_neither_raw_nor_ink_is_not_drawn(image):
    with pytest.raises(ValueError, match=r"takes raw digits, .* it was given"):
        plotting.plot_digit(image)


def test_titles_are_as_many_as_the_images():
    with pytest.raises(ValueError, match="2 titles for 10 images"):
        plotting.plot_digits(torch.zeros(10, 28, 28), ["a", "b"])


def test_plot_digit_draws_on_the_given_axes():
    _, ax = plt.subplots()
    assert plotting.plot_digit(torch.rand(28, 28), ax) is ax
    assert len(plt.get_fignums()) == 1


def test_plot_digits_one_axes_for_each_image():
    axes = plotting.plot_digits(torch.rand(13, 1, 28, 28), titles=range(13))
    assert [ax.get_title() for ax in axes] == [str(i) for i in range(13)]
    hidden = [ax for ax in axes[0].figure.axes if not ax.axison]
    assert len(hidden) == 7  # the rest of the second row


def test_plot_heatmap_shows_signed_values_with_the_outline():
    image = torch.zeros(1, 28, 28)
    image[0, 8:20, 12:16] = 1
    heatmap = torch.tensor([[0.0, 3], [-4, 1]])
    ax = plotting.plot_heatmap(image, heatmap, title="why 1?")
    drawn = ax.images[0]
    np.testing.assert_array_equal(drawn.get_array(), heatmap)
    assert drawn.get_clim() == (-4, 4) and drawn.get_cmap().name == "RdBu"
    assert ax.get_title() == "why 1?" and len(ax.collections) == 1  # the outline
    assert plotting.plot_heatmap(image, heatmap, limit=9).images[0].get_clim()[1] == 9


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_square_lies_amid_the_pixels_that_its_place_sees(blocks):
    torch.manual_seed(0)
    images = torch.randn(16, 1, 28, 28).requires_grad_()
    maps = ConvNet(blocks).eval().blocks(images)
    places = maps.shape[-1]
    row = places // 2  # its window ends at the image's edge at the earliest
    (gradients,) = torch.autograd.grad(maps[:, :, row].sum(), images)
    seen = gradients.abs().sum((0, 1, 3)).nonzero()
    ax = plotting.plot_heatmap(torch.zeros(28, 28), torch.ones(places, places))
    _, _, bottom, top = ax.images[0].get_extent()
    centre = top + (row + 0.5) * (bottom - top) / places
    assert centre == (seen.min() + seen.max()).item() / 2
    assert ax.get_ylim() == (27.5, -0.5)


def test_a_heatmap_of_pixels_covers_the_image():
    ax = plotting.plot_heatmap(torch.zeros(28, 28), torch.ones(28, 28))
    assert tuple(ax.images[0].get_extent()) == (-0.5, 27.5, 27.5, -0.5)


def test_plot_heatmap_without_heat_or_ink(recwarn):
    ax = plotting.plot_heatmap(torch.zeros(28, 28), torch.zeros(28, 28))
    assert ax.images[0].get_clim() == (-1, 1) and not ax.collections
    assert not recwarn.list


def test_plot_channels_has_a_row_for_each():
    signed, ink = torch.randn(5, 3, 3), torch.rand(5, 2, 4, 4)
    ax = plotting.plot_channels([7, 8, 9, 30, 31], {"k": signed, "best": ink})
    words = [text.get_text() for text in ax.texts]
    assert words == ["7", "8", "9", "30", "31", "k", "best"]
    kernels, windows = ax.images[:5], ax.images[5:]
    np.testing.assert_array_equal(kernels[3].get_array(), signed[3])
    limit = signed[3].abs().max().item()
    assert kernels[3].get_clim() == pytest.approx((-limit, limit))
    np.testing.assert_array_equal(windows[2 * 3 + 1].get_array(), ink[3, 1])
    assert windows[0].get_clim() == (0, 1)
    boxes = [tuple(image.get_extent()) for image in ax.images]
    assert len(set(boxes)) == 15  # none hides another
    assert boxes[3][2:] == boxes[5 + 2 * 3][2:]  # the same channel, the same height


def test_plot_tables_writes_every_number_on_its_colour():
    first, second = torch.tensor([[1.0, -2]]), torch.tensor([[0.125], [3]])
    a, b = plotting.plot_tables({"a": first, "b": second})
    assert (a.get_title(), b.get_title()) == ("a", "b")
    assert numbers(a) == [1, -2] and numbers(b) == [0.12, 3]
    assert a.images[0].get_clim() == (-4, 4)  # twice the largest: pale


def test_plot_by_channel_puts_each_channel_at_its_number():
    values = torch.randn(10, 7)
    top, bottom = plotting.plot_by_channel(values, "lost")
    np.testing.assert_array_equal(top.images[0].get_array(), values[:, :4])
    np.testing.assert_array_equal(bottom.images[0].get_array(), values[:, 4:])
    assert tuple(bottom.images[0].get_extent())[:2] == (3.5, 6.5)
    limit = values.abs().max().item()
    for ax in (top, bottom):
        assert ax.images[0].get_clim() == pytest.approx((-limit, limit))
    assert "lost" in [ax.get_ylabel() for ax in top.figure.axes]  # the bar's


def test_plot_beside_chance_draws_curves_and_the_band_of_the_draws():
    chance = torch.tensor([[0.1, 0.3], [0.5, 0.9]])
    ax = plotting.plot_beside_chance([4, 8], {"own": [0.2, 0.4]}, chance)
    random, own = ax.lines
    assert random.get_ydata() == pytest.approx([0.2, 0.7])
    assert [*own.get_ydata()] == [0.2, 0.4] and own.get_label() == "own"
    (band,) = ax.collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.round(3)}
    assert {(4, 0.1), (4, 0.3), (8, 0.5), (8, 0.9)} <= corners


def numbers(ax: Axes) -> list[float]:
    """Those written into a table, row by row."""
    return [float(text.get_text().replace("−", "-")) for text in ax.texts]


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
    title = f"= products, sum {expected[4, 20]:.2f}".replace("-", "−")
    assert products.get_title() == title
    assert frame(image) == (19.5, 3.5, 3, 3)
    assert frame(map_) == (19.5, 3.5, 1, 1)


def test_plot_window_writes_what_is_hardly_more_than_nothing_as_0():
    *_, products = plot_window(IMAGE * 1e-3, -KERNEL, 0, 0)
    assert {text.get_text() for text in products.texts} == {"0"}


def test_plot_window_takes_kernels_of_any_shape():
    _, map_, pixels, *_ = plot_window(IMAGE, torch.ones(5, 2), 23, 26)
    assert map_.images[0].get_array().shape == (24, 27)
    assert len(numbers(pixels)) == 10


def test_plot_window_takes_ink_of_either_precision():
    _, map_, *_ = plot_window(IMAGE.double(), KERNEL, 4, 20)
    _, as_float32, *_ = plot_window(IMAGE, KERNEL, 4, 20)
    theirs, ours = (ax.images[0].get_array() for ax in (map_, as_float32))
    np.testing.assert_array_equal(theirs, ours)


def test_plot_window_without_weights_is_white(recwarn):
    _, map_, _, kernel, _ = plot_window(IMAGE, torch.zeros(3, 3), 0, 0)
    assert map_.images[0].get_clim() == (-1, 1)
    assert kernel.images[0].get_clim() == (-2, 2)
    assert not recwarn.list


def test_plot_history_shows_both_sets():
    history = History([1.0, 0.5], [0.5, 0.8], [0.9, 0.6], [0.6, 0.7], [1.0, 2.0])
    loss, acc = plotting.plot_history(history)
    assert [line.get_ydata().tolist() for line in loss.lines] == [[1, 0.5], [0.9, 0.6]]
    assert [line.get_ydata().tolist() for line in acc.lines] == [[0.5, 0.8], [0.6, 0.7]]
    assert loss.get_xlabel() == "epoch" and "loss" in loss.get_ylabel()


def test_plot_confusion_matrix_writes_every_count():
    matrix = torch.arange(100).view(10, 10)
    ax = plotting.plot_confusion_matrix(matrix)
    assert [text.get_text() for text in ax.texts] == [str(i) for i in range(100)]
    assert ax.get_xlabel().startswith("predicted")
    assert ax.get_ylabel().startswith("true")
    ax.figure.canvas.draw()
    assert {label.get_rotation() for label in ax.get_yticklabels()} == {0}
    cells = ax.collections[0].get_facecolors()
    for cell, text in zip(cells, ax.texts, strict=True):
        pair = cell[:3], to_rgb(text.get_color())
        for page in (pair, map(in_the_dark, pair)):
            lights = sorted(map(luminance, page))
            assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5, text  # WCAG 1.4.3


def in_the_dark(colour):
    """A chart's colour on a dark page: custom.css's invert(0.93) hue-rotate(180deg)."""
    inverted = 0.93 - 0.86 * np.array(colour)
    gray = inverted @ (0.213, 0.715, 0.072)  # the weights of the filter's matrix
    return (2 * gray - inverted).clip(0, 1)


def luminance(colour):
    """The relative luminance of an sRGB colour, 0 to 1, as WCAG defines it."""
    r, g, b = (
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_plot_predictions_shows_target_answer_and_confidence():
    probabilities = torch.full((4, 10), 0.1 / 9)
    probabilities[torch.arange(4), torch.tensor([0, 1, 2, 3])] = 0.9
    targets = torch.tensor([0, 1, 2, 8])
    pairs = plotting.plot_predictions(torch.rand(4, 28, 28), probabilities, targets)
    assert [picture.get_title() for picture, _ in pairs] == ["0", "1", "2", "8 → 3"]
    assert {bars.get_title() for _, bars in pairs} == {"90%"}
    bars = pairs[3][1].patches
    heights = [bar.get_height() for bar in bars]
    assert heights == pytest.approx(probabilities[3].tolist())
    colors = [bar.get_facecolor() for bar in bars]
    assert colors.count(colors[3]) == 1  # the largest


def test_plot_calibration_draws_the_filled_bins_with_their_counts():
    nan = float("nan")
    confidence, accuracy = torch.tensor([nan, 0.7, 0.9]), torch.tensor([nan, 0.5, 1.0])
    counts = torch.tensor([0, 20, 3000])
    ax = plotting.plot_calibration(Calibration(confidence, accuracy, counts))
    diagonal, curve = ax.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_array_equal(curve.get_xdata(), confidence)
    np.testing.assert_array_equal(curve.get_ydata(), accuracy)
    assert [text.get_text() for text in ax.texts] == ["20", "3,000"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("confidence", "accuracy")


def test_live_plot_updates_one_figure_and_leaves_none_open(monkeypatch):
    from IPython import display

    shown = []

    class Place:
        def update(self, figure):
            shown[0] = figure

    def show(figure, display_id):
        shown.append(figure)
        return Place()

    monkeypatch.setattr(display, "display", show)
    live = plotting.LivePlot()
    for losses in ([3.0], [3.0, 2.0], [3.0, 2.0, 1.0]):
        same = [0.5] * len(losses)
        live(History(losses, same, val_loss=losses, val_accuracy=same))
    assert len(shown) == 1
    assert shown[0].axes[0].lines[1].get_ydata().tolist() == [3, 2, 1]
    assert plt.get_fignums() == []
