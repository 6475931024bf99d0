"""The sliding window: a convolution in which each number is seen to come about."""

from io import BytesIO

import matplotlib.pyplot as plt
import torch
from ipywidgets import BoundedFloatText, Box, GridBox, Image, IntSlider, VBox
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn import functional as F

from mnistedu.plotting import ORANGE

SIZE = (6.4, 5.2)  # of the picture, in inches


def plot_window(
    image: Tensor, kernel: Tensor, row: int, column: int, figure: Figure | None = None
) -> list[Axes]:
    """Draw a window on its way over an image: what lies under it, and what comes out.

    Above, the image and its feature map, both with a frame round the place; below,
    the pixels in the window, the kernel, and their products, which add up to the
    number in the map. Blue is positive, red negative.

    Args:
        image: float32 ``(H, W)`` in [0, 1], 0 for paper.
        kernel: float32 ``(h, w)``, at most as large as the image.
        row: that of the window's upper left corner, in 0..H - h.
        column: that of the same corner, in 0..W - w.
        figure: an empty one to draw on; None makes one of pyplot's.
    """
    figure = figure or plt.figure(figsize=SIZE)
    height, width = kernel.shape
    pixels = image[row : row + height, column : column + width]
    products = pixels * kernel
    feature_map = F.conv2d(image[None, None], kernel[None, None])[0, 0]

    axes = figure.subplot_mosaic(
        "iiimmm;ppkkss",
        height_ratios=(5, 3),
        gridspec_kw={"left": 0.01, "right": 0.99, "bottom": 0.01, "top": 0.94},
    )
    axes["i"].imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=1)
    _show_signed(axes["m"], feature_map)
    # The numbers on these are to be read, so their colours are pale.
    axes["p"].imshow(pixels.numpy(), cmap="gray_r", vmin=0, vmax=2)
    _show_signed(axes["k"], kernel, shade=0.5)
    _show_signed(axes["s"], products, shade=0.5)

    corner = (column - 0.5, row - 0.5)
    for name, w, h in (("i", width, height), ("m", 1, 1)):
        frame = Rectangle(corner, w, h, fill=False, edgecolor=ORANGE, linewidth=2.5)
        axes[name].add_patch(frame)
    for name, table in (("p", pixels), ("k", kernel), ("s", products)):
        for i, j in torch.ones_like(table).nonzero().tolist():
            number = round(table[i, j].item(), 2) + 0.0  # a plain 0 for -0
            axes[name].text(j, i, f"{number:g}", ha="center", va="center")
    total = f"= products, sum {products.sum():.2f}"
    titles = ("image", "feature map", "pixels", "× kernel", total)
    for ax, title in zip(axes.values(), titles, strict=True):
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=11)
    return list(axes.values())


def _show_signed(ax: Axes, values: Tensor, shade: float = 1) -> None:
    """Positive numbers in blue, negative ones in red, the largest in the full shade."""
    limit = (float(values.abs().max()) or 1.0) / shade
    ax.imshow(values.numpy(), cmap="RdBu", vmin=-limit, vmax=limit)


class SlidingWindow(Box):
    """A kernel to edit, number by number, and two sliders to move it over an image.

    Args:
        image: float32 ``(H, W)`` in [0, 1], 0 for paper.
        kernel: float32 ``(h, w)``, the weights to begin with, in [-9, 9], within which
            they also stay.
    """

    def __init__(self, image: Tensor, kernel: Tensor) -> None:
        (rows, columns), (height, width) = image.shape, kernel.shape
        self._image, self._shape = image, kernel.shape
        self._row = IntSlider(0, 0, rows - height, description="row")
        self._column = IntSlider(0, 0, columns - width, description="column")
        self._weights = [
            BoundedFloatText(
                weight,
                min=-9,
                max=9,
                step=0.5,
                # For who cannot see where the box stands; in the page it has no width.
                description=f"weight in row {n // width}, column {n % width}",
                style={"description_width": "0"},
                layout={"width": "76px"},
            )
            for n, weight in enumerate(kernel.flatten().tolist())
        ]
        self._picture = Image(format="png")
        for control in (self._row, self._column, *self._weights):
            control.observe(self._draw, "value")
        self._draw()

        columns_of_boxes = {"grid_template_columns": f"repeat({width}, 80px)"}
        boxes = GridBox(self._weights, layout=columns_of_boxes)
        controls = VBox([self._row, self._column, boxes])
        super().__init__([controls, self._picture], layout={"flex_flow": "row wrap"})

    def __repr__(self) -> str:
        return "SlidingWindow()"  # stored with a notebook: no numbers in it

    @property
    def kernel(self) -> Tensor:
        """The weights as they stand in the boxes, float32 ``(h, w)``."""
        return torch.tensor([box.value for box in self._weights]).view(self._shape)

    def _draw(self, _change: object = None) -> None:
        figure = Figure(figsize=SIZE)  # not pyplot's: no cell is to draw on it
        row, column = self._row.value, self._column.value
        plot_window(self._image, self.kernel, row, column, figure)
        png = BytesIO()
        figure.savefig(png, dpi=90)
        self._picture.value = png.getvalue()
