"""The course's figures.

Each function draws, computes nothing, and returns what it drew on. The colours
are far apart for colour-blind readers too (Okabe and Ito, 2008). Images that are
neither raw digits nor ink (see ``images``), such as normalised ones, are a ValueError;
only ``plot_heatmap``, which draws an outline of its image, takes those too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torch.nn import functional as F

from mnistedu.evaluation import Calibration
from mnistedu.images import describe, to_ink
from mnistedu.training import History

BLUE, ORANGE = "#0072B2", "#D55E00"
DARK_ORANGE = "#B84F00"  # of words, which need more contrast
COLORS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#555555")
LINES = tuple(zip(COLORS, ("o-", "s--", "^:", "D-.", "v-"), strict=True))
WINDOW_SIZE = (6.4, 5.2)  # of the figure that plot_window draws, in inches


def plot_digit(image: Tensor, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw one image: 0 is white paper and 1 black ink, in every figure.

    Args:
        image: a raw digit, uint8 ``(28, 28)``, or ink, float ``(H, W)`` in [0, 1];
            either may have the dimensions of one channel and of one image before these.
        ax: where to draw; None makes a figure.
        title: the words above it.
    """
    ink = to_ink(image if image.ndim == 4 else image[None])
    if len(ink) != 1:
        raise ValueError(f"plot_digit draws one image; it was given {describe(image)}.")
    ax = ax or plt.figure(figsize=(1.6, 1.6), layout="constrained").subplots()
    _show_ink(ax, ink[0, 0])
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9)
    return ax


def plot_digits(
    images: Tensor, titles: Sequence[str] | None = None, columns: int = 10
) -> list[Axes]:
    """Draw images in rows, titles above them.

    Args:
        images: raw digits or ink, all of one size.
        titles: as many as the images, or none.
        columns: how many images there are in a row.

    Raises:
        ValueError: if the titles are more or fewer.
    """
    height = 0.95 if titles is None else 1.15
    titles = [""] * len(images) if titles is None else titles
    if len(titles) != len(images):
        raise ValueError(
            f"plot_digits was given {len(titles)} titles for {len(images)} images."
        )
    rows = -(-len(images) // columns)
    figure = plt.figure(figsize=(0.85 * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax in axes[len(images) :]:
        ax.set_axis_off()
    drawn = zip(images, axes[: len(images)], titles, strict=True)
    return [plot_digit(image, ax, title) for image, ax, title in drawn]


def plot_heatmap(
    image: Tensor,
    heatmap: Tensor,
    ax: Axes | None = None,
    title: str = "",
    limit: float | None = None,
) -> Axes:
    """Draw a heatmap with the outline of its image ``(28, 28)`` or ``(1, 28, 28)``.

    Blue is positive, red negative, white 0; the darkest stand for ``limit``, which is
    the largest of the heatmap's own values, signs aside, unless it is given. The
    heatmap ``(h, w)`` has as many places as the image, or those of a ConvNet's feature
    maps: each lies in the middle of the window that it sees, and as the first
    convolution has no padding, two pixels at each edge stay free.
    """
    ax = ax or plt.figure(figsize=(1.6, 1.6), layout="constrained").subplots()
    pixels = image.squeeze().numpy()
    height, width = pixels.shape
    edge = -0.5 if heatmap.shape == pixels.shape else 1.5
    sides = (edge, width - 1 - edge, height - 1 - edge, edge)
    _show_signed(ax, heatmap, limit, extent=sides)
    middle = (pixels.min() + pixels.max()) / 2
    if pixels.max() > middle:  # a blank image has no outline
        line = ax.contour(pixels, levels=[middle], colors="black", linewidths=0.8)
        line.set(path_effects=[withStroke(linewidth=2, foreground="white")])
    ax.set(xticks=[], yticks=[], xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    ax.set_title(title, fontsize=9)
    return ax


def plot_channels(channels: Sequence[int], columns: Mapping[str, Tensor]) -> Axes:
    """Draw what belongs to each channel in a row, the channel's number in front.

    Args:
        channels: their numbers.
        columns: by the words above it, what a column shows of each channel: one
            picture ``(C, h, w)`` or several ``(C, n, h, w)``. Those with negative
            numbers are signed, in blue and red, each on a scale of its own; others are
            ink.
    """
    step = 1.1  # from one picture to the next; a picture is 1 wide and tall
    tops = [step * row for row in range(len(channels))]
    grids = [each if each.ndim == 4 else each[:, None] for each in columns.values()]
    width = sum(step * grid.shape[1] + 0.3 for grid in grids) + 0.5
    figure = plt.figure(figsize=(0.6 * width, 0.6 * (tops[-1] + 1.6)))
    ax = figure.add_axes((0, 0, 1, 1))
    for top, k in zip(tops, channels, strict=True):
        ax.text(-0.15, top + 0.5, str(k), ha="right", va="center", fontsize=9)
    left = 0.0
    for name, grid in zip(columns, grids, strict=True):
        right = left + step * grid.shape[1]
        ax.text((left + right) / 2, -0.15, name, ha="center", fontsize=8)
        show = _show_signed if grid.min() < 0 else _show_ink
        for top, pictures in zip(tops, grid, strict=True):
            for i, picture in enumerate(pictures):
                x = left + step * i
                show(ax, picture, extent=(x, x + 1, top + 1, top))
                ax.add_patch(Rectangle((x, top), 1, 1, fill=False, linewidth=0.4))
        left = right + 0.3
    ax.set(xlim=(-0.7, width - 0.7), ylim=(tops[-1] + 1.1, -0.5))
    ax.set_axis_off()
    return ax


def plot_tables(tables: Mapping[str, Tensor]) -> list[Axes]:
    """Draw small tables ``(h, w)`` beside each other, their numbers on pale colours.

    Each has its name above it. Blue is positive, red negative.
    """
    figure = plt.figure(figsize=(2.7 * len(tables), 2.8), layout="constrained")
    axes = list(figure.subplots(1, len(tables), squeeze=False)[0])
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        _show_signed(ax, table, shade=0.5)
        _write_numbers(ax, table, ".2f", fontsize=8)
        ax.set(title=name, xticks=[], yticks=[])
    return axes


def plot_by_channel(values: Tensor, label: str) -> list[Axes]:
    """Draw signed values ``(10, C)``, digits down and channels across, in colour.

    The channels stand on two lines, so that they can be told apart. ``label`` says what
    the colours stand for.
    """
    axes = list(plt.figure(figsize=(7, 4.6), layout="constrained").subplots(2))
    limit = float(values.abs().max())
    start = 0
    for ax, part in zip(axes, values.chunk(2, dim=1), strict=True):
        end = start + part.shape[1]
        _show_signed(ax, part, limit, extent=(start - 0.5, end - 0.5, 9.5, -0.5))
        ax.set(xlabel="channel", ylabel="digit", yticks=range(10))
        ax.set_xticks(range(start, end, 2))
        ax.tick_params(labelsize=8)
        start = end
    plt.colorbar(axes[0].images[0], ax=axes, label=label)
    return axes


def plot_beside_chance(
    counts: Sequence[int], curves: Mapping[str, Sequence[float]], chance: Tensor
) -> Axes:
    """Draw curves over ``counts``, and what random draws gave.

    Args:
        counts: along the horizontal axis.
        curves: by its name, a value for each count.
        chance: ``(len(counts), draws)``. The band reaches from the smallest to the
            largest, and the line in it is the mean.
    """
    ax = plt.figure(figsize=(5.5, 2.7), layout="constrained").subplots()
    low, high = chance.aminmax(dim=1)
    ax.fill_between(counts, low, high, color="gray", alpha=0.3)
    ax.plot(counts, chance.mean(1), "v:", color="gray", label="random")
    for (name, values), (color, line) in zip(curves.items(), LINES, strict=False):
        ax.plot(counts, values, line, color=color, label=name)
    ax.set(xticks=counts, ylim=(-0.02, 1.05))
    ax.grid(alpha=0.3)
    ax.legend(fontsize=8)
    return ax


def plot_window(
    image: Tensor, kernel: Tensor, row: int, column: int, figure: Figure | None = None
) -> list[Axes]:
    """Draw a window on its way over an image: what lies under it, and what comes out.

    Above, the image and its feature map, the place framed; below, the pixels in the
    window, the kernel, and their products, which add up to the number in the map. Blue
    is positive, red negative.

    Args:
        image: a raw digit or ink, without the dimension of a channel.
        kernel: float32 ``(h, w)``, at most as large as the image.
        row: that of the window's upper left corner, in 0..H - h.
        column: that of the same corner, in 0..W - w.
        figure: an empty one to draw on; None makes one of pyplot's.
    """
    image = to_ink(image[None])[0, 0].to(kernel)
    figure = figure or plt.figure(figsize=WINDOW_SIZE)
    height, width = kernel.shape
    pixels = image[row : row + height, column : column + width]
    products = pixels * kernel
    feature_map = F.conv2d(image[None, None], kernel[None, None])[0, 0]

    axes = figure.subplot_mosaic(
        "iiimmm;ppkkss",
        height_ratios=(5, 3),
        gridspec_kw={"left": 0.01, "right": 0.99, "bottom": 0.01, "top": 0.94},
    )
    _show_ink(axes["i"], image)
    _show_signed(axes["m"], feature_map)
    # The numbers on these are to be read, so their colours are pale.
    _show_ink(axes["p"], pixels, shade=0.5)
    _show_signed(axes["k"], kernel, shade=0.5)
    _show_signed(axes["s"], products, shade=0.5)
    corner = (column - 0.5, row - 0.5)
    for name, w, h in (("i", width, height), ("m", 1, 1)):
        frame = Rectangle(corner, w, h, fill=False, edgecolor=ORANGE, linewidth=2.5)
        axes[name].add_patch(frame)
    for name, table in (("p", pixels), ("k", kernel), ("s", products)):
        _write_numbers(axes[name], table.round(decimals=2) + 0.0, "g")  # 0 for -0
    total = f"= products, sum {products.sum():.2f}".replace("-", "−")
    titles = ("image", "feature map", "pixels", "× kernel", total)
    for ax, title in zip(axes.values(), titles, strict=True):
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=11)
    return list(axes.values())


def _write_numbers(ax: Axes, table: Tensor, form: str, **more: Any) -> None:
    for (row, column), number in np.ndenumerate(table.numpy()):
        text = f"{number:{form}}".replace("-", "−")
        ax.text(column, row, text, ha="center", va="center", **more)


def _show_ink(ax: Axes, ink: Tensor, shade: float = 1, **more: Any) -> None:
    """0 in white and 1 in black, or in a paler shade of it."""
    ax.imshow(ink.numpy(), cmap="gray_r", vmin=0, vmax=1 / shade, **more)


def _show_signed(
    ax: Axes, values: Tensor, limit: float | None = None, shade: float = 1, **more: Any
) -> None:
    """Positive numbers in blue, negative ones in red, the largest in the full shade."""
    limit = (limit or float(values.abs().max()) or 1.0) / shade  # all 0 is white
    ax.imshow(values.numpy(), cmap="RdBu", vmin=-limit, vmax=limit, **more)


def plot_history(history: History) -> list[Axes]:
    """Draw loss (left) and accuracy (right) over the epochs.

    Training is dashed, validation solid.
    """
    figure = plt.figure(figsize=(8, 2.8), layout="constrained")
    axes = list(figure.subplots(1, 2))
    epochs = range(1, len(history) + 1)
    for ax, train, val, label in (
        (axes[0], history.train_loss, history.val_loss, "loss (nats)"),
        (axes[1], history.train_accuracy, history.val_accuracy, "accuracy"),
    ):
        ax.plot(epochs, train, "o--", color=ORANGE, label="training")
        ax.plot(epochs, val, "o-", color=BLUE, label="validation")
        ax.set(xlabel="epoch", ylabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
    axes[1].yaxis.set_major_formatter("{x:.1%}")
    axes[0].legend()
    return axes


class LivePlot:
    """``plot_history`` in one place of a notebook, anew after each epoch.

    Give it to ``fit`` as ``on_epoch_end=LivePlot()``. The last figure stays there.
    """

    def __init__(self) -> None:
        self._place: Any = None  # an IPython.display.DisplayHandle, once there is one

    def __call__(self, history: History) -> None:
        """Draw the history so far."""
        from IPython.display import display  # nothing but a notebook needs it

        figure = plot_history(history)[0].figure
        if self._place is None:
            self._place = display(figure, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._place.update(figure)
        plt.close()  # or the notebook would show it once more after the cell


def plot_confusion_matrix(matrix: Tensor) -> Axes:
    """Draw counts ``(10, 10)``, true digits down, predicted ones across.

    The colour follows the mistakes only: the diagonal would outshine them all.
    """
    import seaborn as sns  # brings pandas, which takes a second to import

    ax = plt.figure(figsize=(5.2, 4.6), layout="constrained").subplots()
    counts = matrix.numpy()
    mistakes = np.where(np.eye(10, dtype=bool), 0, counts)
    sns.heatmap(
        mistakes,
        vmax=2 * mistakes.max().clip(1),  # no blue so dark that a count is lost on it
        annot=counts,
        annot_kws={"color": "black"},
        fmt="d",
        cmap="Blues",
        cbar=False,
        square=True,
        ax=ax,
    )
    ax.set(xlabel="predicted digit", ylabel="true digit")
    ax.tick_params(axis="y", rotation=0)  # seaborn lays them on their side
    return ax


def plot_predictions(
    images: Tensor, probabilities: Tensor, targets: Tensor
) -> list[tuple[Axes, Axes]]:
    """Draw images, raw digits or ink, beside their probabilities ``(N, 10)``.

    Above each stands its target, and for a mistake, in colour, also the answer; above
    the bars, of which the largest is coloured, stands the confidence.
    """
    rows = -(-len(images) // 3)
    figure = plt.figure(figsize=(8.1, 1.4 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, 6, width_ratios=[1, 1.6] * 3)
    pairs = []
    for i, image in enumerate(images):
        picture, bars = (figure.add_subplot(grid[2 * i + side]) for side in (0, 1))
        target, answer = int(targets[i]), int(probabilities[i].argmax())
        mistake = f" → {answer}" if answer != target else ""
        plot_digit(image, picture, f"{target}{mistake}")
        picture.title.set_color(DARK_ORANGE if mistake else "black")
        bars.bar(range(10), probabilities[i].tolist(), color=BLUE)
        bars.patches[answer].set_color(ORANGE)
        bars.set(xticks=range(10), yticks=[], ylim=(0, 1))
        bars.tick_params(labelsize=8)
        bars.set_title(f"{probabilities[i, answer]:.0%}", fontsize=9)
        pairs.append((picture, bars))
    return pairs


def plot_calibration(calibration: Calibration) -> Axes:
    """Draw accuracy against confidence, a reliability diagram.

    Each bin is a point with its count above it; on the dashed line both agree.
    """
    ax = plt.figure(figsize=(3.4, 3.4), layout="constrained").subplots()
    ax.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    points = calibration.confidence, calibration.accuracy
    ax.plot(*points, "o", color=BLUE, clip_on=False)  # whole, where they lie at 0
    for x, y, count in zip(*(values.tolist() for values in calibration), strict=True):
        if count:
            ax.text(x, y + 0.03, f"{count:,}", fontsize=8, ha="center")
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.1), ylim=(0, 1.1))
    ax.set_aspect("equal")
    ax.grid(alpha=0.3)
    return ax
