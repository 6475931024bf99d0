"""A pad to draw a digit on, which says what a network makes of it."""

from html import escape
from itertools import cycle

import torch
from ipywidgets import HTML, Checkbox, Dropdown, FileUpload, HBox, Image, VBox
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import capture_activations
from mnistedu.checkpoints import load_pretrained
from mnistedu.doubt import remark
from mnistedu.gradcam import hires_cam
from mnistedu.models import ConvNet
from mnistedu.pad.pictures import encode, mosaic, overlay
from mnistedu.pad.sheet import Sheet, alone, make_button, with_article
from mnistedu.preprocess import INK_THRESHOLD, normalize
from mnistedu.reading import Model, find_digit, logits_of, recognize, without_answer
from mnistedu.strokes import SAMPLES, SIZE, rasterize

NOTHING, MAPS, HEATMAP = "nothing", "feature maps", "heatmap"
ONLY = "It can only answer with a digit from 0 to 9."
FITTED = 200  # of 280 pixels, as 20 of 28: the longer side of what a file shows


class DrawingPad(Sheet):
    """A pad to draw a digit on, with mouse, finger or pen, and what a network says.

    After every movement of the pen it shows the image that the network sees and the
    probabilities of the ten digits; on demand also the feature maps of each block, and
    what each place of the last ones adds to the logit of any class. Several digits
    are not guessed at. What is hardly a digit, such as a dot or a letter, gets a
    sentence beside the bars, which are dimmed.

    *Sample* draws a digit, at each press the next one, for those who cannot draw.
    *Upload* reads an image file (see ``reading.read_image``) and puts its ink on a
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
        logits_of(self.model, torch.zeros(1, 1, 28, 28))  # a wrong one is told so here
        self._layers = _layers_with_maps(self.model)

        samples = cycle(SAMPLES.values())
        sample = make_button("Sample", lambda: self.lay(rasterize(next(samples))))
        sample.tooltip = "Draw a digit for me, at each press the next one"
        upload = self._upload = FileUpload(
            accept="image/*",
            icon="",
            # Jupyter's server drops what is larger (see server.py).
            tooltip="Read a digit from an image file of at most 1 GB",
        )
        upload.observe(self._load_files, "value")

        self._seen = Image(format="png")
        self._centered = Checkbox(True, description="Scale and centre", indent=False)
        self._digit, self._bars = HTML(), HTML()
        self._view = Dropdown(
            options=[NOTHING, *(self._layers or [MAPS]), HEATMAP],
            description="Look inside",
        )
        self._class = Dropdown(
            options=[("the answer", None), *((str(c), c) for c in range(10))],
            description="for",
        )
        self._caption, self._inside = HTML(), Image(format="png")
        for control in (self._centered, self._view, self._class):
            control.observe(self._control_changed, "value")

        answer = VBox([HTML("<h4>The network sees</h4>"), self._seen.add_class("seen")])
        answer.children += (self._centered, HTML("<h4>and says</h4>"), self._digit)
        bars = VBox([HTML("<h4>How sure it is</h4>"), self._bars])
        views = HBox([self._view, self._class]).add_class("row")
        inside = VBox([views, self._caption, self._inside]).add_class("inside")
        super().__init__(
            "Your drawing", [sample, upload], [answer.add_class("answer"), bars, inside]
        )

    @alone()
    def _load_files(self, change: dict[str, object]) -> None:
        for file in self._upload.value:
            self._say("Reading the file …")  # a large photograph takes seconds
            try:
                ink, note = find_digit(bytes(file["content"]))
                self.lay(_fit(ink))
                self._say(note)
            except ValueError as error:
                self._say(str(error))
        self._upload.value = ()  # the file is not kept

    @alone()
    def _control_changed(self, change: dict[str, object]) -> None:
        self._changed()

    def _changed(self) -> None:
        """Read the ink, and show what there is to show."""
        centered, sentence, role = self._centered.value, "Draw a digit", ""
        # A function has no layers, and is not looked into.
        module = self.model if isinstance(self.model, nn.Module) else nn.Module()
        try:
            with capture_activations(module, *self._layers.values()) as self._maps:
                reading = recognize(self.ink, self.model, centered)
            if reading.digits_seen > 1:
                raise ValueError(
                    f"These look like {reading.digits_seen} digits: draw one at a time."
                )
        except ValueError as error:  # also what the reader's own model has raised
            reading = without_answer(self.ink, centered)
            sentence, role = str(error), ' role="alert"'
        digit, self.probabilities, self.image, *_, doubt = reading
        self.prediction = digit
        doubts = "" if digit is None else remark(self.ink, self.image, doubt)
        shade = " doubted" if doubts else ""
        says = f'<div class="hint" data-prediction=""{role}>{escape(sentence)}</div>'
        if digit is not None:
            says = f'<div class="digit{shade}" data-prediction="{digit}">{digit}</div>'
        self._seen.value = encode(1 - self.image[0, 0])  # dark ink on white paper
        self._digit.value = says
        remarks = f'<div class="hint remark">{doubts or ONLY}</div>'
        bars = _bars(self.probabilities)
        self._bars.value = f'<div class="bars{shade}">{bars}</div>{remarks}'
        self._look_inside()

    def _look_inside(self) -> None:
        """Show the feature maps or the heatmap that were asked for."""
        view, picture, caption = self._view.value, None, ""
        if view != NOTHING and not self._layers:
            caption = (
                "There is nothing to show: only a torch module with Conv2d layers has "
                "feature maps, and this model is none."
            )
        elif view != NOTHING and self.prediction is not None:
            try:
                picture, caption = self._view_inside(self.prediction)
            except Exception as error:  # whatever the reader's own code raises
                caption = f"It cannot be shown: {type(error).__name__}: {error}"
        self._class.layout.display = None if view == HEATMAP else "none"
        self._caption.value = f'<div class="hint">{escape(caption)}</div>'
        self._inside.layout.display = None if picture is not None else "none"
        if picture is not None:
            width, kind = picture.shape[1], "jpeg" if view == HEATMAP else "png"
            zoom = 1 if view == HEATMAP else max(504 // width, 1)
            self._inside.width, self._inside.format = str(zoom * width), kind
            self._inside.value = encode(picture, kind)

    def _view_inside(self, prediction: int) -> tuple[Tensor, str]:
        """The picture that was asked for, and a caption."""
        if self._view.value != HEATMAP:
            maps = self._maps[self._layers[self._view.value]][0].relu().float().cpu()
            n, h, w = maps.shape
            caption = f"{n} feature maps of {h}×{w}: the darker, the stronger"
            return mosaic(maps / maps.max().clamp(min=1e-9), columns=16), caption
        digit = prediction if self._class.value is None else self._class.value
        *_, last = self._layers.values()
        exact = isinstance(self.model, ConvNet)  # as its head is linear
        if isinstance(self.model, ConvNet):
            ten = self.model.class_maps(self._maps[last])[0].detach().float().cpu()
        else:
            assert isinstance(self.model, nn.Module)  # as it has layers
            images = normalize(self.image).expand(10, -1, -1, -1)
            ten = hires_cam(self.model, images, last, range(10))
        limit = ten.abs().max().item()  # one scale, to compare the classes by
        caption = (
            f"Blue {'adds to' if exact else 'speaks for'} the logit of "
            f"{with_article(digit)}, red {'takes from' if exact else 'against'} it: "
            f"full colour is ±{limit:.2g} at one of the {ten[0].numel()} places, for "
            "all ten digits"
        )
        return overlay(self.image[0, 0], ten[digit], limit), caption


def _layers_with_maps(model: Model) -> dict[str, nn.Module]:
    """The layers whose feature maps can be shown, under the names to show."""
    if isinstance(model, ConvNet):
        return {f"block {i}": block for i, block in enumerate(model.blocks, start=1)}
    if isinstance(model, nn.Module):
        modules = model.named_modules()
        return {name: m for name, m in modules if isinstance(m, nn.Conv2d) and name}
    return {}


def _fit(ink: Tensor) -> Tensor:
    """The ink of a file, (1, 1, H, W), in the middle of a sheet (1, 1, 280, 280)."""
    rows, columns = (ink[0, 0] > INK_THRESHOLD).nonzero().T
    crop = ink[..., rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = FITTED / max(crop.shape[2:])
    height, width = (max(round(side * scale), 1) for side in crop.shape[2:])
    fitted = F.interpolate(crop, (height, width), mode="bilinear", antialias=True)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    margins = (left, SIZE - width - left, top, SIZE - height - top)
    return F.pad(fitted.clamp(0, 1), margins)


def _bars(probabilities: Tensor) -> str:
    """The ten probabilities as HTML, the largest in another colour."""
    best = probabilities.max()
    return "".join(
        f'<div class="bar{" best" if p == best > 0 else ""}"><b>{digit}</b>'
        f'<div role="meter" aria-label="{digit}" aria-valuenow="{100 * p:.0f}"'
        f' style="--p: {p:.1%}"></div><span>{p:.0%}</span></div>'
        for digit, p in enumerate(probabilities.tolist())
    )
