"""A sheet to draw on in JupyterLab, with mouse, pen or finger.

Strokes are collected in Python, event by event, and rasterised here into ink. The
canvas in the page shows the same strokes to the eye.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from threading import RLock

import numpy as np
import torch
from ipycanvas import Canvas
from ipywidgets import HTML, Box, Button, HBox, IntSlider, VBox, Widget
from torch import Tensor

from mnistedu.strokes import SIZE, WIDTH, Point, add_stroke, rasterize

UNDOS = 30  # each keeps an ink of 300 kB

# JupyterLab delivers events on a thread of its own, beside the one that runs cells.
# One lock serves all sheets, as all of ipycanvas's canvases share one channel.
LOCK = RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: on so few numbers several only wait for each other.

    On a busy machine that made a movement of the pen take 60 ms instead of 10.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Sheet(Box):
    """A canvas of 280x280 pixels with a pen, its brush, Undo and Clear.

    A subclass overrides ``_changed``, which is called, with the lock held, whenever
    the ink has changed, and gives the widgets that go below the canvas and beside.

    Attributes:
        ink: the drawing, float32 ``(1, 1, 280, 280)`` in [0, 1]; never changed in
            place.
    """

    def __init__(
        self, title: str, below: Sequence[Widget], beside: Sequence[Widget]
    ) -> None:
        self.ink = rasterize([])
        self._inks_before: deque[Tensor] = deque(maxlen=UNDOS)
        self._pen: Point | None = None  # where it is while it is down

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
        canvas.on_key_down(self._key_down)

        self._title = HTML(f"<h4>{title}</h4>")
        self._title.add_class("title")
        self._undo = make_button("Undo", self.undo)
        self._clear = make_button("Clear", self.clear)
        self._brush = IntSlider(
            WIDTH, 8, 40, description="Brush", readout=False, tooltip="Width of the pen"
        )
        self._next = below[0]  # after the canvas, for the keyboard
        top = HBox([self._title, self._undo, self._clear])
        bottom = HBox(below)
        for row in (top, bottom):
            row.add_class("row")
        self._note = HTML()
        sheet = VBox([HTML(STYLE), top, canvas, bottom, self._brush, self._note])
        super().__init__([sheet, *beside])
        self.add_class("mnistedu-pad")
        with LOCK:
            self._redraw()
            self._changed()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # stored with a notebook: nothing that varies

    def lay(self, ink: Tensor) -> None:
        """Put this ink ``(1, 1, 280, 280)`` in the place of what is there."""
        with LOCK:
            self._inks_before.append(self.ink)
            self._show(ink)

    def clear(self) -> None:
        """Take a new sheet; ``undo`` brings the old one back."""
        self.lay(rasterize([]))

    def undo(self) -> None:
        """Take back the last stroke, or whatever else changed the ink last."""
        with LOCK:
            if self._inks_before:
                self._show(self._inks_before.pop())

    def _changed(self) -> None:
        """What a subclass does with new ink."""

    def _say(self, sentence: str) -> None:
        """Show a sentence below the canvas, until the ink changes."""
        note = f'<div class="hint" role="alert">{escape(sentence)}</div>'
        self._note.value = note if sentence else ""

    def _key_down(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:
        """The canvas keeps all keys to itself: let Tab lead out of it."""
        if key == "Tab":
            (self._clear if shift else self._next).focus()
        elif key == "z" and (ctrl or meta):
            self.undo()

    def _pen_down(self, x: float, y: float) -> None:
        with LOCK:
            self._inks_before.append(self.ink)
            self._canvas.line_width = self._brush.value
            self._draw([(x, y)])

    def _pen_move(self, x: float, y: float) -> None:
        with LOCK:
            if self._pen and self._pen != (x, y):
                self._draw([self._pen, (x, y)])

    def _pen_up(self, *point: float) -> None:
        with LOCK:
            if point:
                self._pen_move(*point)
            self._pen = None

    @one_thread()
    def _draw(self, piece: list[Point]) -> None:
        """Ink and show the newest piece of a stroke."""
        self._pen = piece[-1]
        width = self._brush.value
        self.ink = add_stroke(self.ink, piece, width)
        if len(piece) == 1:
            self._canvas.fill_circle(*self._pen, width / 2)
        else:
            self._canvas.stroke_lines(np.array(piece))
        self._say("")
        self._changed()

    @one_thread()
    def _show(self, ink: Tensor) -> None:
        self.ink, self._pen = ink, None
        self._redraw()
        self._say("")
        self._changed()

    def _redraw(self) -> None:
        """Show all ink: a page that opens later has an empty canvas."""
        with LOCK:
            # Nor does it know which canvas is meant: let ipycanvas say so again.
            self._canvas._canvas_manager._current_canvas = None
            self._canvas.line_width = self._brush.value
            self._canvas.line_cap = self._canvas.line_join = "round"
            self._canvas.clear()
            if self.ink.any():
                pixels = np.zeros((SIZE, SIZE, 4))  # black, and as opaque as the ink
                pixels[:, :, 3] = (self.ink[0, 0] * 255).round()
                self._canvas.put_image_data(pixels)


def make_button(text: str, on_click: Callable[[], None]) -> Button:
    """A button for one of the rows of a sheet."""
    button = Button(description=text)
    button.on_click(lambda _: on_click())
    return button


def with_article(digit: int) -> str:
    """The digit as a sentence names it."""
    return f"an {digit}" if digit == 8 else f"a {digit}"


# JupyterLab's own colours where it has them, light or dark, and for the bars those
# of the figures (see plotting), which can be told apart on both.
STYLE = """<style>
.mnistedu-pad { flex-flow: row wrap; gap: 16px 32px; padding: 4px 2px }
.mnistedu-pad, .mnistedu-pad > div, .mnistedu-pad .row {
  overflow: visible; max-width: 100%;
}
.mnistedu-pad .jupyter-widgets { margin: 0 }
.mnistedu-pad .widget-html-content { line-height: 1.4; white-space: normal }
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
.mnistedu-pad .row { gap: 8px; width: 280px; align-items: center }
.mnistedu-pad .row > * { flex: 1 1 0; min-width: 0 }
.mnistedu-pad .row > .title { flex: auto }
.mnistedu-pad .row:not(.inside .row) { margin-bottom: 6px }
.mnistedu-pad canvas + .row { margin: 10px 0 6px }
.mnistedu-pad button.jupyter-button { width: auto; height: 28px; line-height: 26px }
.mnistedu-pad .title + button, .mnistedu-pad .title + button + button {
  flex: none; padding: 0 10px;
}
/* ipywidgets writes the number of files behind the description: hide both. */
.mnistedu-pad .widget-upload { font-size: 0 }
.mnistedu-pad .widget-upload::before {
  content: "Upload"; font-size: var(--jp-widgets-font-size, 13px);
}
.mnistedu-pad .widget-slider { width: 280px; margin-top: 6px; max-width: 100% }
.mnistedu-pad .widget-label { width: auto; color: var(--jp-ui-font-color1, #212121) }
.mnistedu-pad img {
  align-self: flex-start; max-width: 100%; height: auto; image-rendering: pixelated;
}
.mnistedu-pad .seen { width: 168px; aspect-ratio: 1 }
.mnistedu-pad .widget-checkbox { width: 168px; margin-top: 6px }
.mnistedu-pad .digit {
  width: 168px; text-align: center; color: #d55e00; font: 600 112px/104px sans-serif;
}
.mnistedu-pad .hint {
  max-width: 280px; font-size: 14px; color: var(--jp-ui-font-color1, #212121);
}
.mnistedu-pad .answer .hint { max-width: 168px }
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
.mnistedu-pad > .inside { flex: 1 1 280px }
.mnistedu-pad .inside .row { flex-wrap: wrap; width: auto; gap: 8px 16px }
.mnistedu-pad .inside .row > * { flex: none; width: auto }
.mnistedu-pad .inside select { width: 120px }
.mnistedu-pad .inside .hint { max-width: none; margin: 4px 0 8px }
</style>"""
