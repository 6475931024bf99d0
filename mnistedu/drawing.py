"""Pads to draw digits on: one that reads them, and one that collects your own."""

import warnings
from collections.abc import Callable
from html import escape
from itertools import cycle

import torch
from ipywidgets import HTML, Checkbox, Dropdown, FileUpload, HBox, Image, VBox
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import eval_mode, feature_maps
from mnistedu.checkpoints import load_pretrained
from mnistedu.gradcam import grad_cam
from mnistedu.models import ConvNet
from mnistedu.pictures import encode_jpeg, encode_png, mosaic, overlay
from mnistedu.preprocess import (
    INK_THRESHOLD,
    center_digit,
    count_digits,
    normalize,
    read_image,
    shrink,
)
from mnistedu.sheet import LOCK, Sheet, make_button, one_thread
from mnistedu.strokes import SAMPLES, SIZE, rasterize

Model = Callable[[Tensor], Tensor]

NOTHING, MAPS, GRAD_CAM = "nothing", "feature maps", "Grad-CAM"
FITTED = 200  # of 280 pixels, as 20 of 28: the longer side of what a file shows


class DrawingPad(Sheet):
    """A pad to draw a digit on, with mouse, finger or pen, and what a network says.

    After every movement of the pen it shows the image that the network sees and the
    probabilities of the ten digits; on demand also the feature maps of each block and
    Grad-CAM for any class. Several digits side by side are not guessed at.

    *Sample* draws a digit, at each press the next one, for those who cannot draw.
    *Upload* reads an image file (see ``preprocess.read_image``) and puts its ink on a
    new sheet, its longer side 200 of the 280 pixels; you can draw on there. A file
    that shows no digit changes nothing, and the pad says why. *Undo* takes back a
    stroke, a sample, an upload or *Clear*.

    Args:
        model: maps normalised images, float32 ``(N, 1, 28, 28)``, to logits
            ``(N, 10)``: a module (used in evaluation mode, on its own device) or
            any function. None takes the course's own trained network.

    Attributes:
        ink: the drawing, float32 ``(1, 1, 280, 280)`` in [0, 1].
        image: what the network sees of it, before it is normalised: float32
            ``(1, 1, 28, 28)`` in [0, 1], made by ``center_digit``, or the canvas only
            shrunk where *Scale and centre* is off.
        probabilities: float32 ``(10,)``; all zero while there is no answer.
        prediction: the most probable digit, or None while there is no answer.

    Raises:
        ValueError: if the model does not give ten finite logits for an image.
    """

    def __init__(self, model: Model | None = None) -> None:
        self.model = load_pretrained() if model is None else model
        self._read(torch.zeros(1, 1, 28, 28))  # a wrong model is told so here
        self._layers = _layers_with_maps(self.model)
        self._samples = cycle(SAMPLES.values())

        sample = make_button("Sample", self._load_sample)
        sample.tooltip = "Draw a digit for me, at each press the next one"
        upload = self._upload = FileUpload(
            accept="image/*",
            icon="",
            # Jupyter's server drops what is larger (see server.py).
            tooltip="Read a digit from an image file of at most 100 MB",
        )
        upload.observe(self._load_files, "value")

        self._seen = Image(format="png")
        self._centered = Checkbox(True, description="Scale and centre", indent=False)
        self._digit, self._bars = HTML(), HTML()
        self._view = Dropdown(
            options=[NOTHING, *(self._layers or [MAPS]), GRAD_CAM],
            description="Look inside",
        )
        self._class = Dropdown(
            options=[("the answer", None), *((str(c), c) for c in range(10))],
            description="for",
        )
        self._caption, self._inside = HTML(), Image(format="png")
        for control in (self._centered, self._view, self._class):
            control.observe(self._control_changed, "value")

        answer = VBox(
            [
                *(HTML("<h4>The network sees</h4>"), self._seen, self._centered),
                *(HTML("<h4>and says</h4>"), self._digit),
            ]
        )
        bars = VBox([HTML("<h4>How sure it is</h4>"), self._bars])
        views = HBox([self._view, self._class])
        inside = VBox([views, self._caption, self._inside])
        for widget, name in (
            *((self._seen, "seen"), (answer, "answer")),
            *((views, "row"), (inside, "inside")),
        ):
            widget.add_class(name)
        super().__init__("Your drawing", [sample, upload], [answer, bars, inside])

    def _load_sample(self) -> None:
        self.lay(rasterize(next(self._samples)))

    def _load_files(self, change: dict[str, object]) -> None:
        for file in self._upload.value:
            with LOCK, warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("ignore")
                warnings.simplefilter("always", UserWarning)
                try:
                    self.lay(_fit(read_image(bytes(file["content"]))))
                    self._say(" ".join(str(warning.message) for warning in caught))
                except ValueError as error:
                    self._say(str(error))
        self._upload.value = ()  # the file is not kept

    def _control_changed(self, change: dict[str, object]) -> None:
        with LOCK, one_thread():
            self._changed()

    def _changed(self) -> None:
        """Read the ink, and show what there is to show."""
        centered = self._centered.value
        self.image = center_digit(self.ink) if centered else shrink(self.ink)
        self.probabilities, self.prediction = torch.zeros(10), None
        says = '<div class="hint" data-prediction="">Draw a digit</div>'
        if self.ink.any():
            try:
                self.probabilities = self._answer()
                digit = self.prediction = int(self.probabilities.argmax())
                says = f'<div class="digit" data-prediction="{digit}">{digit}</div>'
            except ValueError as error:
                says = (
                    '<div class="hint" data-prediction="" role="alert">'
                    f"{escape(str(error))}</div>"
                )
        self._seen.value = encode_png(1 - self.image[0, 0])  # dark ink on white paper
        self._digit.value = says
        self._bars.value = _bars(self.probabilities)
        self._look_inside()

    def _answer(self) -> Tensor:
        """The probabilities (10,); ValueError with a sentence if there are none."""
        digits = count_digits(self.ink)
        if digits > 1:
            raise ValueError(
                f"These look like {digits} digits side by side: draw one at a time."
            )
        return self._read(self.image).softmax(0)

    @torch.no_grad()  # in inference mode lazy layers would be made unfit for training
    def _read(self, image: Tensor) -> Tensor:
        """The model's logits (10,) for one image; ValueError if it has none."""
        images = normalize(image)
        try:
            if isinstance(self.model, nn.Module):
                with eval_mode(self.model):
                    logits = self.model(_to_model(images, self.model)).cpu()
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

    def _look_inside(self) -> None:
        """Show the feature maps or the heatmap that were asked for."""
        view, picture, caption = self._view.value, None, ""
        if view == NOTHING:
            pass
        elif not isinstance(self.model, nn.Module) or not self._layers:
            caption = (
                "There is nothing to show: only a torch module with Conv2d layers has "
                "feature maps, and this model is none."
            )
        elif self.prediction is not None:
            try:
                picture, caption = self._view_inside(self.model, self.prediction)
            except Exception as error:  # whatever the reader's own code raises
                caption = f"It cannot be shown: {type(error).__name__}: {error}"
        self._class.layout.display = None if view == GRAD_CAM else "none"
        self._caption.value = f'<div class="hint">{escape(caption)}</div>'
        self._inside.layout.display = None if picture is not None else "none"
        if picture is not None:
            width = picture.shape[1]
            heatmap = view == GRAD_CAM
            zoom = 1 if heatmap else max(504 // width, 1)
            self._inside.width = str(zoom * width)
            self._inside.format = "jpeg" if heatmap else "png"
            self._inside.value = (encode_jpeg if heatmap else encode_png)(picture)

    def _view_inside(
        self, model: nn.Module, prediction: int
    ) -> tuple[Tensor | None, str]:
        """The picture that was asked for, if there is anything on it, and a caption."""
        images = _to_model(normalize(self.image), model)
        if self._view.value != GRAD_CAM:
            maps = feature_maps(model, images, self._layers[self._view.value])[0].relu()
            n, h, w = maps.shape
            caption = f"{n} feature maps of {h}×{w}: the darker, the stronger"
            return mosaic(maps / maps.max().clamp(min=1e-9), columns=16), caption
        digit = prediction if self._class.value is None else self._class.value
        *_, last = self._layers.values()
        heatmap = grad_cam(model, images, last, digit)
        if not heatmap.any():
            return None, f"The network finds nothing that speaks for {_a(digit)}."
        caption = f"The bluer, the more it speaks for {_a(digit)}"
        return overlay(self.image[0, 0], heatmap[0]), caption


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
        return f"Draw {_a(self._asked[len(self._inks)])}"

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


def _layers_with_maps(model: Model) -> dict[str, nn.Module]:
    """The layers whose feature maps can be shown, under the names to show."""
    if isinstance(model, ConvNet):
        return {f"block {i}": block for i, block in enumerate(model.blocks, start=1)}
    if isinstance(model, nn.Module):
        modules = model.named_modules()
        return {name: m for name, m in modules if isinstance(m, nn.Conv2d) and name}
    return {}


def _to_model(images: Tensor, model: nn.Module) -> Tensor:
    """The images on the model's device and in its precision."""
    parameter = next(model.parameters(), images)
    return images.to(parameter.device, parameter.dtype)


def _fit(ink: Tensor) -> Tensor:
    """The ink of a file, (1, 1, H, W), in the middle of a sheet (1, 1, 280, 280)."""
    rows, columns = (ink[0, 0] > INK_THRESHOLD).nonzero().T
    crop = ink[..., rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = FITTED / max(crop.shape[2:])
    height, width = (max(round(side * scale), 1) for side in crop.shape[2:])
    fitted = F.interpolate(crop, (height, width), mode="bilinear", antialias=True)
    sheet = torch.zeros(1, 1, SIZE, SIZE)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    sheet[..., top : top + height, left : left + width] = fitted.clamp(0, 1)
    return sheet


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def _bars(probabilities: Tensor) -> str:
    """The ten probabilities as HTML, the largest in another colour."""
    best = probabilities.max()
    return "".join(
        f'<div class="bar{" best" if p == best > 0 else ""}"><b>{digit}</b>'
        f'<div role="meter" aria-label="{digit}" aria-valuenow="{100 * p:.0f}"'
        f' style="--p: {p:.1%}"></div><span>{p:.0%}</span></div>'
        for digit, p in enumerate(probabilities.tolist())
    )
