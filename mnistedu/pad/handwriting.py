"""A pad that collects a reader's own digits."""

import torch
from ipywidgets import HTML, Image, VBox
from torch import Tensor

from mnistedu.pad.pictures import encode_png, mosaic
from mnistedu.pad.sheet import LOCK, Sheet, make_button, with_article
from mnistedu.preprocess import center_digit
from mnistedu.strokes import SIZE, rasterize


class HandwritingPad(Sheet):
    """A pad that asks for one digit after the other and keeps what you draw.

    It asks in a mixed order which is always the same, and every ten requests are for
    ten different digits. *Keep*, or Enter on the canvas, goes on to the next; *Back*
    brings the last one back onto the sheet, to be kept again or drawn anew. No network
    reads along: you would draw for it, and not as you always do.

    Args:
        count: how many digits to ask for.

    Attributes:
        images: those kept so far, made by ``center_digit``, float32
            ``(n, 1, 28, 28)`` in [0, 1].
        targets: what they were to be, int64 ``(n,)``.
        ink: the drawing that is not yet kept, float32 ``(1, 1, 280, 280)`` in [0, 1].
    """

    def __init__(self, count: int = 20) -> None:
        order = torch.Generator().manual_seed(0)
        tens = [torch.randperm(10, generator=order) for _ in range(0, count, 10)]
        self._asked = torch.cat(tens)[:count].tolist()
        self._inks: list[Tensor] = []
        self._back = make_button("Back", self.back)
        self._keep = make_button("Keep", self.keep)
        self._keep.button_style = "primary"
        self._images = Image(format="png", width="288")  # twice that of the mosaic
        kept = VBox([HTML("<h4>Kept</h4>"), self._images])
        super().__init__("", [self._keep, self._back], [kept])
        self._ask()

    @property
    def images(self) -> Tensor:
        """The images kept so far."""
        return center_digit(torch.cat([torch.zeros(0, 1, SIZE, SIZE), *self._inks]))

    @property
    def targets(self) -> Tensor:
        """The digits that were asked for, for each of the images."""
        return torch.tensor(self._asked[: len(self._inks)], dtype=torch.int64)

    def keep(self) -> None:
        """Keep the drawing and ask for the next digit."""
        with LOCK:
            if len(self._inks) == len(self._asked):
                return
            if not self.ink.any():
                self._say(f"{self._request()} first.")
                return
            self._inks.append(self.ink)
            self._inks_before.clear()
            self._show(rasterize([]))
            self._ask()

    def back(self) -> None:
        """Bring the digit that was kept last back onto the sheet."""
        with LOCK:
            if self._inks:
                self.lay(self._inks.pop())
                self._ask()

    def _key_down(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:
        if key == "Enter":
            self.keep()
        else:
            super()._key_down(key, shift, ctrl, meta)

    def _request(self) -> str:
        return f"Draw {with_article(self._asked[len(self._inks)])}"

    def _ask(self) -> None:
        """Show what is wanted next and what is kept."""
        kept, count = len(self._inks), len(self._asked)
        done = kept == count
        wanted = "Done" if done else f"<b>{self._request()}</b>"
        number = f"all {count} are kept" if done else f"{kept + 1} of {count}"
        self._title.value = f'<h4 role="status">{wanted} ({number})</h4>'
        self._keep.disabled, self._back.disabled = done, not kept
        self._images.layout.display = None if kept else "none"
        if kept:
            self._images.value = encode_png(mosaic(self.images[:, 0], columns=5))
