"""The sliding window: a convolution in which each number is seen to come about."""

from io import BytesIO

import torch
from ipywidgets import BoundedFloatText, GridBox, Image, IntSlider, VBox
from matplotlib.figure import Figure
from torch import Tensor

from mnistedu.living import LivingBox
from mnistedu.plotting import WINDOW_SIZE, plot_window


class SlidingWindow(LivingBox):
    """A kernel to edit, number by number, and two sliders to move it over an image.

    Args:
        image: a raw digit or ink, without the dimension of a channel.
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

    @property
    def kernel(self) -> Tensor:
        """The weights as they stand in the boxes, float32 ``(h, w)``."""
        return torch.tensor([box.value for box in self._weights]).view(self._shape)

    def _draw(self, _change: object = None) -> None:
        figure = Figure(figsize=WINDOW_SIZE)  # not pyplot's: no cell is to draw on it
        row, column = self._row.value, self._column.value
        plot_window(self._image, self.kernel, row, column, figure)
        png = BytesIO()
        figure.savefig(png, dpi=90)
        self._picture.value = png.getvalue()
