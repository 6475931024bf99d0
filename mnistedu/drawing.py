"""The drawing pad: draw a digit, and a network reads it while you draw.

Strokes are collected in Python, event by event, and rasterised here into the ink
that the network reads. The canvas in the page shows the same strokes to the eye.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: on so few numbers several only wait for each other.

    On a busy machine that made a movement of the pen take 60 ms instead of 10.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class DrawingPad(Box):
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
        self._digit, self._bars = HTML(), HTML()
        sees, says = HTML("<h4>The network sees</h4>"), HTML("<h4>and says</h4>")
        super().__init__(
            [
                VBox([HTML(f"{STYLE}<h4>Your drawing</h4>"), canvas, clear]),
                VBox([sees, self._seen, says, self._digit]),
                VBox([HTML("<h4>How sure it is</h4>"), self._bars]),
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
            if self._pen_is_down and (x, y) != self._strokes[-1][-1]:
                self._strokes[-1].append((x, y))
                self._draw()

    def _pen_up(self, *point: float) -> None:
        with LOCK:
            if point:
                self._pen_move(*point)
            self._pen_is_down = False

    @_one_thread()
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
            # Nor does it know which canvas is meant: let ipycanvas say so again.
            self._canvas._canvas_manager._current_canvas = None
            self._canvas.line_width = STROKE_WIDTH
            self._canvas.line_cap = self._canvas.line_join = "round"
            self._canvas.clear()
            for stroke in self._strokes:
                self._show(stroke)

    def _update(self) -> None:
        self.image = center_digit(self.ink)
        self.probabilities, self.prediction = torch.zeros(10), None
        says = '<div class="hint" data-prediction="">Draw a digit</div>'
        if self.ink.any():
            try:
                self.probabilities = self._read(self.image).softmax(0)
                digit = self.prediction = int(self.probabilities.argmax())
                says = f'<div class="digit" data-prediction="{digit}">{digit}</div>'
            except ValueError as error:
                says = f'<div class="hint" role="alert">{escape(str(error))}</div>'
        self._seen.value = _png(self.image)
        self._digit.value = says
        self._bars.value = _bars(self.probabilities)

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
            raise ValueError(
                "The model must give ten finite logits, shape (1, 10), for an image "
                f"(1, 1, 28, 28), but gave shape {tuple(logits.shape)}."
            )
        return logits[0].float()


def _png(image: Tensor) -> bytes:
    pixels = ((1 - image[0, 0]) * 255).round().byte()  # dark ink on white paper
    file = BytesIO()
    PILImage.fromarray(pixels.numpy()).save(file, "png")
    return file.getvalue()


def _bars(probabilities: Tensor) -> str:
    """The ten probabilities as HTML, the largest in another colour."""
    best = probabilities.max()
    return "".join(
        f'<div class="bar{" best" if p == best > 0 else ""}"><b>{digit}</b>'
        f'<div role="meter" aria-label="{digit}" aria-valuenow="{100 * p:.0f}"'
        f' style="--p: {p:.1%}"></div><span>{p:.0%}</span></div>'
        for digit, p in enumerate(probabilities.tolist())
    )


# JupyterLab's own colours where it has them, light or dark, and for the bars those
# of the figures (see plotting), which can be told apart on both.
STYLE = """<style>
.mnistedu-pad { flex-flow: row wrap; gap: 12px 32px; padding: 4px 2px }
.mnistedu-pad, .mnistedu-pad > div { overflow: visible; max-width: 100% }
.mnistedu-pad .jupyter-widgets { margin: 0 }
.mnistedu-pad h4 {
  margin: 0; font-size: 14px; font-weight: 500; line-height: 30px;
  color: var(--jp-ui-font-color2, #616161);
}
.mnistedu-pad canvas, .mnistedu-pad img {
  background: #fff; box-shadow: 0 0 0 1px var(--jp-border-color1, #bdbdbd);
}
.mnistedu-pad canvas {
  max-width: 100%; height: auto; border-radius: 6px; cursor: crosshair;
}
.mnistedu-pad canvas:focus { outline: 2px solid #0072b2 }
.mnistedu-pad button.jupyter-button { width: 100%; margin-top: 10px }
.mnistedu-pad img { width: 168px; height: 168px; image-rendering: pixelated }
.mnistedu-pad .digit {
  width: 168px; text-align: center; color: #d55e00; font: 600 112px/104px sans-serif;
}
.mnistedu-pad .hint {
  max-width: 168px; font-size: 14px; line-height: 1.4; white-space: normal;
  color: var(--jp-ui-font-color1, #212121);
}
.mnistedu-pad .bar {
  display: flex; align-items: center; gap: 10px; height: 28px; font-size: 14px;
  color: var(--jp-ui-font-color1, #212121); --ink: #0072b2;
}
.mnistedu-pad .best { --ink: #d55e00 }
.mnistedu-pad .bar div {
  width: 160px; height: 16px; border-radius: 4px;
  background: linear-gradient(
    90deg, var(--ink) var(--p), var(--jp-layout-color2, #eee) var(--p)
  );
}
</style>"""
