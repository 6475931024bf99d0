"""A pad that collects a reader's own digits, and the files that keep them."""

from pathlib import Path

import torch
from ipywidgets import HTML, Image, VBox
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mnistedu.data import Split
from mnistedu.images import IMAGE_SIZE, to_ink
from mnistedu.pad.pictures import encode, mosaic
from mnistedu.pad.sheet import Sheet, alone, make_button, with_article
from mnistedu.preprocess import center_digit
from mnistedu.storage import save_tensors
from mnistedu.strokes import rasterize


class HandwritingPad(Sheet):
    """A pad that asks for one digit after the other and keeps what you draw.

    It asks in a mixed order which is always the same, and every ten requests are for
    ten different digits. *Keep*, or Enter on the canvas, goes on to the next; *Back*
    brings the last one back onto the sheet, to be kept again or drawn anew. No network
    reads along: you would draw for it, and not as you always do.

    Args:
        count: how many digits to ask for.
        path: a file that holds, at any time, what is kept. If it is there already, the
            pad goes on from it, where *Back* finds blank sheets. None keeps nothing
            longer than the pad.

    Attributes:
        ink: the drawing that is not yet kept, float32 ``(1, 1, 280, 280)`` in [0, 1].

    Raises:
        ValueError: if ``count`` is below 1, or the file is none of ``save``'s.
    """

    def __init__(self, count: int = 20, path: str | Path | None = None) -> None:
        if count < 1:
            raise ValueError(f"This pad asks for at least one digit, not for {count}.")
        self._path = path
        self._kept: list[Tensor] = []
        self._inks: list[Tensor] = []  # of the last of these, drawn since it was made
        order = torch.Generator().manual_seed(0)
        tens = [torch.randperm(10, generator=order) for _ in range(0, count, 10)]
        self._asked = torch.cat(tens)[:count].tolist()
        if path is not None and Path(path).exists():
            images, targets = load_drawings(path)[0]
            self._kept += images.unsqueeze(1)
            self._asked[: len(targets)] = targets.tolist()
        self._written = self._last_written()
        self._back = make_button("Back", self.back)
        self._keep = make_button("Keep", self.keep)
        self._keep.button_style = "primary"
        self._images = Image(format="png", width="288")  # twice that of the mosaic
        kept = VBox([HTML("<h4>Kept</h4>"), self._images])
        super().__init__("", [self._keep, self._back], [kept])
        self._ask()

    @property
    def images(self) -> Tensor:
        """Those kept so far, by ``center_digit``, ink, float32 ``(n, 1, 28, 28)``."""
        return torch.cat([torch.zeros(0, 1, IMAGE_SIZE, IMAGE_SIZE), *self._kept])

    @property
    def targets(self) -> Tensor:
        """The digits that these were to be, int64 ``(n,)``."""
        return torch.tensor(self._asked[: len(self._kept)], dtype=torch.int64)

    @alone()
    def keep(self) -> None:
        """Keep the drawing and ask for the next digit."""
        if len(self._kept) == len(self._asked):
            return
        if not self.ink.any():
            self._say(f"{self._request()} first.")
            return
        self._kept.append(center_digit(self.ink))
        self._inks.append(self.ink)
        self._inks_before.clear()
        self._show(rasterize([]))
        self._ask()
        self._write()

    @alone()
    def back(self) -> None:
        """Bring the digit that was kept last back onto the sheet."""
        if self._kept:
            self._kept.pop()
            self.lay(self._inks.pop() if self._inks else rasterize([]))
            self._ask()
            self._write()

    def save(self, path: str | Path) -> None:
        """Write what is kept to a file, for ``load_drawings`` or another such pad.

        Raises:
            OSError: if it cannot be written; what was there before is kept.
        """
        save_tensors(path, {"images": self.images, "targets": self.targets})
        if self._path is not None and Path(path) == Path(self._path):
            self._written = self._last_written()

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            if self._last_written() not in (None, self._written):
                self._say(
                    f"Another pad has written to {self._path}, so this one leaves it "
                    "alone: keep what you drew here in another file, by save."
                )
                return
            self.save(self._path)
        except OSError as error:
            self._say(str(error))

    def _last_written(self) -> int | None:
        """When the file was last written, by whomever; None if there is none."""
        path = self._path and Path(self._path)
        return path.stat().st_mtime_ns if path and path.exists() else None

    def _key_down(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:
        if key == "Enter":
            self.keep()
        else:
            super()._key_down(key, shift, ctrl, meta)

    def _request(self) -> str:
        return f"Draw {with_article(self._asked[len(self._kept)])}"

    def _ask(self) -> None:
        """Show what is wanted next and what is kept."""
        kept, count = len(self._kept), len(self._asked)
        done = kept == count
        wanted = "Done" if done else f"<b>{self._request()}</b>"
        number = f"all {count} are kept" if done else f"{kept + 1} of {count}"
        self._title.value = f'<h4 role="status">{wanted} ({number})</h4>'
        self._keep.disabled, self._back.disabled = done, not kept
        if done:
            self._say("Now run the cells below: they read what you have drawn.")
        self._images.layout.display = None if kept else "none"
        if kept:
            self._images.value = encode(mosaic(self.images[:, 0], columns=5))


def load_drawings(*paths: str | Path) -> tuple[Split, Tensor]:
    """Load what one or more writers have drawn on a ``HandwritingPad``.

    Args:
        paths: the files that its ``save`` wrote, one of each writer.

    Returns:
        All images and targets, float32 ``(N, 1, 28, 28)`` in [0, 1] and int64 ``(N,)``,
        for ``make_loader``; and who drew which, int64 ``(N,)``: 0 for the first file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if one is damaged, or anything but such a file.
    """
    if not paths:
        raise ValueError("load_drawings takes at least one file; it was given none.")
    splits = [_read(Path(path)) for path in paths]
    counts = torch.tensor([len(split.targets) for split in splits])
    images, targets = map(torch.cat, zip(*splits, strict=True))
    return Split(images, targets), torch.arange(len(paths)).repeat_interleave(counts)


def _read(path: Path) -> Split:
    if not path.is_file():
        raise FileNotFoundError(f"There are no drawings at {path}.")
    try:
        tensors = load_file(path)
        images, targets = to_ink(tensors["images"]), tensors["targets"]
        if images.shape != (len(targets), 1, IMAGE_SIZE, IMAGE_SIZE):
            raise ValueError("These are no images of the targets.")
        if targets.dtype != torch.int64 or not {*targets.tolist()} <= {*range(10)}:
            raise ValueError("These targets are no digits.")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or holds no drawings of a HandwritingPad."
        ) from error
    return Split(images, targets)
