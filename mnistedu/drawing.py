"""The drawing pad: draw a digit, and a network reads it while you draw.

Strokes are collected in Python, event by event, and rasterised here into the ink
that the network reads. The canvas in the page shows the same strokes to the eye.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from io import BytesIO
from threading import RLock

import numpy as np
import torch
from ipycanvas import Canvas
from ipywidgets import HTML, Box, Button, Image, VBox
from PIL import Image as PILImage
from torch import Tensor, nn

from mnistedu.checkpoints import load_pretrained
from mnistedu.evaluation import predict
from mnistedu.preprocess import center_digit, normalize

Point = tuple[float, float]  # x to the right, y down, in pixels of the canvas
Model = Callable[[Tensor], Tensor]

SIZE = 280  # width and height of the canvas
STROKE_WIDTH = 20  # a digit that fills the canvas gets strokes as thick as MNIST's

# JupyterLab delivers events on a thread of its own, beside the one that runs cells.
# One lock serves all pads, as all of ipycanvas's canvases share one channel.
LOCK = RLock()


def rasterize(strokes: Iterable[Sequence[Point]]) -> Tensor:
    """Draw strokes, as the pad does, with a round pen 20 pixels wide.

    Args:
        strokes: each a sequence of points (x, y) in [0, 280], joined by straight
            lines; what lies outside is cut off, and a single point is a dot.

    Returns:
        float32 ``(1, 1, 280, 280)`` in [0, 1], antialiased: 0 is paper, 1 full ink.
    """
    ink = torch.zeros(1, 1, SIZE, SIZE)
    for stroke in strokes:
        ink = _add_stroke(ink, stroke)
    return ink


def _add_stroke(ink: Tensor, stroke: Sequence[Point]) -> Tensor:
    """The ink with one more stroke in it."""
    ink = ink.clone()
    for (x0, y0), (x1, y1) in zip(stroke, stroke[1:] or stroke, strict=False):
        reach = STROKE_WIDTH / 2 + 1  # pixels further away stay as they are
        left, right = _clip(min(x0, x1) - reach), _clip(max(x0, x1) + reach)
        top, bottom = _clip(min(y0, y1) - reach), _clip(max(y0, y1) + reach)
        x = torch.arange(left, right) + 0.5 - x0  # pixel j covers [j, j + 1]
        y = torch.arange(top, bottom)[:, None] + 0.5 - y0
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-9)
        nearest = ((x * dx + y * dy) / length).clamp(0, 1)  # from start to end
        distance = torch.hypot(x - nearest * dx, y - nearest * dy)
        cover = (STROKE_WIDTH / 2 + 0.5 - distance).clamp(0, 1)
        window = ink[0, 0, top:bottom, left:right]
        torch.maximum(window, cover, out=window)
    return ink


def _clip(position: float) -> int:
    return min(max(math.floor(position), 0), SIZE)


class DrawingPad(Box):  # type: ignore[misc]
    """A pad to draw a digit on, with mouse, finger or pen, and what a network says.

    It shows, after every movement of the pen, the image that the network sees and
    the probabilities of the ten digits.

    Args:
        model: maps normalised images, float32 ``(N, 1, 28, 28)``, to logits
            ``(N, 10)``: a module (used in evaluation mode, on its own device) or
            any function. None takes the course's own trained network.

    Attributes:
        ink: the drawing, float32 ``(1, 1, 280, 280)`` in [0, 1].
        image: what the network sees of it, before it is normalised: float32
            ``(1, 1, 28, 28)`` in [0, 1].
        probabilities: float32 ``(10,)``; all zero while there is no answer.
        prediction: the most probable digit, or None while there is no answer.

    Raises:
        ValueError: if the model does not give ten finite logits for an image.
    """

    def __init__(self, model: Model | None = None) -> None:
        self.model = load_pretrained() if model is None else model
        self._read(torch.zeros(1, 1, 28, 28))  # a wrong model is told so here

        canvas = self._canvas = Canvas(width=SIZE, height=SIZE)
        canvas.on_client_ready(self._redraw)
        canvas.on_mouse_down(self._pen_down)
        canvas.on_mouse_move(self._pen_move)
        canvas.on_mouse_up(self._pen_up)
        canvas.on_mouse_out(self._pen_up)  # outside, a release would go unheard
        # Of several touches the newest is the pen: the first may be a resting hand.
        canvas.on_touch_start(lambda touches: self._pen_down(*touches[-1]))
        canvas.on_touch_move(lambda touches: self._pen_move(*touches[-1]))
        canvas.on_touch_end(lambda _: self._pen_up())
        canvas.on_touch_cancel(lambda _: self._pen_up())
        clear = Button(description="Clear")
        clear.on_click(lambda _: self.clear())
        # The canvas keeps all keys to itself: let Tab lead out of it.
        canvas.on_key_down(lambda key, *_: key == "Tab" and clear.focus())

        self._seen = Image(format="png")
        self._answer = HTML()
        super().__init__(
            [
                VBox([HTML(f"{STYLE}<h4>Draw a digit</h4>"), canvas, clear]),
                VBox([HTML("<h4>What the network sees</h4>"), self._seen]),
                VBox([HTML("<h4>What it says</h4>"), self._answer]),
            ]
        )
        self.add_class("mnistedu-pad")
        self.clear()

    def __repr__(self) -> str:
        return "DrawingPad()"  # stored with a notebook: no numbers in it

    def clear(self) -> None:
        """Take a new sheet."""
        with LOCK:
            self._strokes: list[list[Point]] = []
            self._pen_is_down = False
            self.ink = rasterize([])
            self._redraw()
            self._update()

    def _pen_down(self, x: float, y: float) -> None:
        with LOCK:
            self._strokes.append([(x, y)])
            self._pen_is_down = True
            self._draw()

    def _pen_move(self, x: float, y: float) -> None:
        with LOCK:
            if self._pen_is_down:
                self._strokes[-1].append((x, y))
                self._draw()

    def _pen_up(self, *point: float) -> None:
        with LOCK:
            if point:
                self._pen_move(*point)
            self._pen_is_down = False

    def _draw(self) -> None:
        """Ink and show the newest piece of the newest stroke, and read the result."""
        piece = self._strokes[-1][-2:]
        self.ink = _add_stroke(self.ink, piece)
        self._show(piece)
        self._update()

    def _show(self, stroke: Sequence[Point]) -> None:
        if len(stroke) == 1:
            self._canvas.fill_circle(*stroke[0], STROKE_WIDTH / 2)
        else:
            self._canvas.stroke_lines(np.array(stroke))

    def _redraw(self) -> None:
        """Show all strokes: a page that opens later has an empty canvas."""
        with LOCK:
            self._canvas.line_width = STROKE_WIDTH
            self._canvas.line_cap = self._canvas.line_join = "round"
            self._canvas.clear()
            for stroke in self._strokes:
                self._show(stroke)

    def _update(self) -> None:
        self.image = center_digit(self.ink)
        self.probabilities, self.prediction = torch.zeros(10), None
        error = ""
        if self.ink.any():
            try:
                self.probabilities = self._read(self.image).softmax(0)
                self.prediction = int(self.probabilities.argmax())
            except ValueError as reason:
                error = str(reason)
        self._seen.value = _png(self.image)
        self._answer.value = _answer(self.probabilities, self.prediction, error)

    @torch.inference_mode()
    def _read(self, image: Tensor) -> Tensor:
        """The model's logits (10,) for one image; ValueError if it has none."""
        images = normalize(image)
        try:
            if isinstance(self.model, nn.Module):
                logits, _ = predict(self.model, [(images, torch.zeros(1))])
            else:
                logits = torch.as_tensor(self.model(images))
        except Exception as error:  # whatever the reader's own code raises
            raise ValueError(
                f"The model could not read an image of shape {tuple(images.shape)}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if logits.shape != (1, 10) or not logits.isfinite().all():
            values = "" if logits.isfinite().all() else " with values that are not finite"
            raise ValueError(
                "The model must give finite logits of shape (1, 10) for one image, "
                f"but gave shape {tuple(logits.shape)}{values}."
            )
        return logits[0].float()


def _png(image: Tensor) -> bytes:
    pixels = ((1 - image[0, 0]) * 255).round().byte()  # dark ink on white paper
    file = BytesIO()
    PILImage.fromarray(pixels.numpy()).save(file, "png")
    return file.getvalue()


def _answer(probabilities: Tensor, prediction: int | None, error: str) -> str:
    """The big digit and the ten bars, as HTML."""
    if error:
        return f'<p class="error" role="alert">{escape(error)}</p>'
    bars = "".join(
        f'<div class="bar{" best" if digit == prediction else ""}" role="meter"'
        f' aria-label="{digit}" aria-valuenow="{p:.0%}"><b>{digit}</b>'
        f'<s><i style="width: {p:.1%}"></i></s><span>{p:.0%}</span></div>'
        for digit, p in enumerate(probabilities.tolist())
    )
    shown = "" if prediction is None else prediction
    return (
        f'<div class="answer" data-prediction="{shown}">'
        f'<div class="digit">{shown}</div><div class="bars">{bars}</div></div>'
    )


# JupyterLab's own colours where it has them, so light or dark; the bars in those of
# the figures (plotting.py), which can be told apart on both.
STYLE = """<style>
.mnistedu-pad { flex-flow: row wrap; gap: 12px 28px; padding: 4px; overflow: visible }
.mnistedu-pad > * { overflow: visible }
.mnistedu-pad h4 {
  margin: 0 0 4px; font-weight: 500; color: var(--jp-ui-font-color2, #666);
}
.mnistedu-pad canvas, .mnistedu-pad img {
  background: #fff; border: 1px solid var(--jp-border-color1, #bdbdbd);
  border-radius: 6px; box-sizing: content-box;
}
.mnistedu-pad canvas { cursor: crosshair; touch-action: none; outline-offset: 2px }
.mnistedu-pad img { width: 168px; height: 168px; image-rendering: pixelated }
.mnistedu-pad button { width: 280px; margin: 8px 1px 0 }
.mnistedu-pad .answer { display: flex; gap: 12px; color: var(--jp-ui-font-color1, #111) }
.mnistedu-pad .digit {
  width: 92px; line-height: 168px; text-align: center; font-size: 132px;
  color: #d55e00;
}
.mnistedu-pad .bar { display: flex; align-items: center; gap: 8px; line-height: 28px }
.mnistedu-pad .bar s {
  width: 160px; height: 14px; border-radius: 7px; overflow: hidden;
  background: var(--jp-layout-color2, #eee);
}
.mnistedu-pad .bar i { display: block; height: 100%; background: #0072b2 }
.mnistedu-pad .best i { background: #d55e00 }
.mnistedu-pad .bar span { width: 3em; text-align: right; font-variant-numeric: tabular-nums }
</style>"""
