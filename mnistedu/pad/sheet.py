"""A sheet to draw on in JupyterLab, with mouse, pen or finger.

The ink is rasterised here, event by event; the canvas in the page is for the eye.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from threading import RLock, Thread

import numpy as np
import torch
from ipycanvas import Canvas
from ipywidgets import HTML, Button, HBox, IntSlider, VBox, Widget
from torch import Tensor

from mnistedu.living import LivingBox, run_in_page
from mnistedu.strokes import SIZE, WIDTH, Point, add_stroke, rasterize

UNDOS = 30  # each keeps an ink of 300 kB

LOCK = RLock()
STYLE, SCRIPT, STATES = (
    Path(__file__).with_name(f"pad.{kind}").read_text("utf-8")
    for kind in ("css", "js", "html")
)


@contextmanager
def alone() -> Iterator[None]:
    """Let nothing else change a pad meanwhile, and keep torch to this one thread.

    Some versions of ipykernel deliver events on a thread of their own, beside the one
    that runs cells; since 7.4 they wait for the cell to end. One lock serves all pads,
    as all of ipycanvas's canvases share one channel. On so few numbers several of
    torch's threads only wait for each other, and long if the machine is busy.
    """
    with LOCK:
        threads = torch.get_num_threads()
        if threads > 1:  # else this lies within another one
            torch.set_num_threads(1)
            # New threads take the number that any thread has set last, and keep it.
            other = Thread(target=torch.set_num_threads, args=(threads,))
            other.start()
            other.join()
        try:
            yield
        finally:
            if threads > 1:
                torch.set_num_threads(threads)


class Sheet(LivingBox):
    """A canvas of 280x280 pixels with a pen, its brush, Undo and Clear.

    A subclass overrides ``_changed``, called, ``alone``, when the ink has changed.

    Args:
        title: what the sheet is for.
        below: the widgets in the row below the canvas, at least one.
        beside: the widgets beside the sheet.

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
        self._width = WIDTH  # that of the stroke, whatever the brush is by now

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

        self._title = HTML(f"<h4>{title}</h4>").add_class("title")
        self._undo = make_button("Undo", self.undo)
        self._clear = make_button("Clear", self.clear)
        self._brush = IntSlider(
            WIDTH, 8, 40, description="Brush", readout=False, tooltip="Width of the pen"
        )
        self._next = below[0]  # after the canvas, for the keyboard
        top = HBox([self._title, self._undo, self._clear]).add_class("row")
        bottom = HBox(below).add_class("row")
        self._note = HTML()
        page = HTML(f"<style>{STYLE}</style>{STATES}")
        sheet = VBox([page, top, canvas, bottom, self._brush, self._note])
        sheet.children += (run_in_page(SCRIPT),)
        super().__init__([sheet, *beside])
        self.add_class("mnistedu-pad")
        with alone():
            self._redraw()
            self._changed()

    @alone()
    def lay(self, ink: Tensor) -> None:
        """Put this ink ``(1, 1, 280, 280)`` in the place of what is there."""
        self._inks_before.append(self.ink)
        self._show(ink)

    def clear(self) -> None:
        """Take a new sheet; ``undo`` brings the old one back."""
        self.lay(rasterize([]))

    @alone()
    def undo(self) -> None:
        """Take back the last stroke, or whatever else changed the ink last."""
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

    @alone()
    def _pen_down(self, x: float, y: float) -> None:
        self._inks_before.append(self.ink)
        self._canvas.line_width = self._width = self._brush.value
        self._draw([(x, y)])

    @alone()
    def _pen_move(self, x: float, y: float) -> None:
        if self._pen and self._pen != (x, y):
            self._draw([self._pen, (x, y)])

    @alone()
    def _pen_up(self, *point: float) -> None:
        if point:
            self._pen_move(*point)
        self._pen = None

    def _draw(self, piece: list[Point]) -> None:
        """Ink and show the newest piece of a stroke."""
        self._pen = piece[-1]
        self.ink = add_stroke(self.ink, piece, self._width)
        if len(piece) == 1:
            self._canvas.fill_circle(*self._pen, self._width / 2)
        else:
            self._canvas.stroke_lines(np.array(piece))
        self._say("")
        self._changed()

    def _show(self, ink: Tensor) -> None:
        self.ink, self._pen = ink, None
        self._redraw()
        self._say("")
        self._changed()

    @alone()
    def _redraw(self) -> None:
        """Show all ink: a page that opens later has an empty canvas."""
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
