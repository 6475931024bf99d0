"""Where in an image a network found what speaks for a class: seven kinds of heatmap.

``class_activation_map``, ``hires_cam`` and ``grad_cam`` weight the feature maps. On a
network whose head is linear and sees the means of the last maps, as the course's own
does, the first two are one map, and it is exact: its sum and the head's bias are the
logit; ``grad_cam`` is what is positive of it, enlarged. On any other linear head
``hires_cam`` still is exact and ``grad_cam`` is not.
``saliency``, ``integrated_gradients`` and ``guided_backprop`` ask each pixel what a
change of it would do, and ``occlusion`` covers parts of the image and looks.

All of them explain one score, the logit y_c of class c, and take

- ``model``: a network of images to logits;
- ``images``: normalised ``(N, 1, 28, 28)``, on any device;
- ``target_layer``: one that puts out feature maps ``(N, C, h, w)``, by name or as the
  module; usually the last one, which is a ConvNet's ``"blocks"``;
- ``class_idx``: the class c to explain: None for the one that the network predicts,
  an integer from 0 to 9, or a sequence or tensor of N of these, one for each image.

Other images, and a layer or a class that there is not, are a ValueError. They return
one heatmap for each image, detached, on the device and in the precision of the images.
The model runs in evaluation mode and is left as it was: its modes, hooks and gradients.
They work inside ``torch.no_grad()`` and ``torch.inference_mode()`` too.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import (
    Layer,
    capture_activations,
    eval_mode,
    feature_maps,
    to_model,
)
from mnistedu.images import IMAGE_SIZE, PAPER
from mnistedu.models import ConvNet

ClassIdx = int | Sequence[int] | Tensor | None


def grad_cam(
    model: nn.Module, images: Tensor, target_layer: Layer, class_idx: ClassIdx = None
) -> Tensor:
    """Gradient-weighted class activation maps (Selvaraju and others, 2017).

    With A_k the k-th of the target layer's feature maps, h x w places (i, j), and
    y_c the logit of class c::

        α_k  = 1/(h w) Σ_ij ∂y_c/∂A_k[i, j]    how much map k matters, on average
        L_c  = ReLU( Σ_k α_k A_k )             where the maps that speak for c are

    L_c has as many places as the feature maps and is enlarged to the size of the
    image, bilinearly. It is not normalised: its scale is that of the logits.

    Returns:
        Heatmaps ``(N, 28, 28)``, at least 0; all 0 where nothing speaks for the class.
    """
    maps, gradients = _maps_and_gradients(model, images, target_layer, class_idx)
    weights = gradients.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
    heatmaps = (weights * maps).sum(1).relu()  # (N, h, w)
    return enlarge(heatmaps, images.shape[-2:]).to(images)


def hires_cam(
    model: nn.Module, images: Tensor, target_layer: Layer, class_idx: ClassIdx = None
) -> Tensor:
    """What each place of the feature maps adds to the logit (Draelos and Carin, 2020).

    As ``grad_cam``, but no gradient is averaged, and nothing is cut off::

        M_c[i, j] = Σ_k ∂y_c/∂A_k[i, j] A_k[i, j]

    If all that follows the target layer is linear, this is exact: with the bias b_c of
    class c, Σ_ij M_c[i, j] + b_c = y_c.

    Returns:
        ``(N, h, w)``, as many places as the feature maps have, positive where they
        speak for the class and negative where they speak against it, in logits.
    """
    maps, gradients = _maps_and_gradients(model, images, target_layer, class_idx)
    return (gradients * maps).sum(1).to(images)


def class_activation_map(
    model: ConvNet, images: Tensor, class_idx: ClassIdx = None
) -> Tensor:
    """What each place of the last maps adds to the logit, without any gradient.

    For a head on the means of the maps, with weight W_c[k] for map k (Zhou and others,
    2016)::

        M_c[i, j] = 1/(h w) Σ_k W_c[k] A_k[i, j]       y_c = b_c + Σ_ij M_c[i, j]

    Here ∂y_c/∂A_k[i, j] is W_c[k] / (h w) at every place, which is also its mean. So
    this is ``hires_cam``, and what is positive of it is ``grad_cam``.

    Returns:
        ``(N, h, w)``, as ``hires_cam``.

    Raises:
        ValueError: if the head is not on the means of the maps.
    """
    if not (isinstance(model, ConvNet) and model.settings["pooled"]):
        raise ValueError(
            "A class activation map asks for ConvNet(pooled=True), whose head sees the "
            "means of the last maps: hires_cam does without."
        )
    maps = feature_maps(model, images, "blocks").to(model.head.weight)
    with torch.no_grad():
        chosen = _choose(model.head(maps.mean((2, 3))), class_idx)
    weights = model.head.weight.detach()[chosen]  # (N, C)
    summed = torch.einsum("nk,nkij->nij", weights, maps)
    return (summed / maps.shape[2:].numel()).to(images)


def saliency(model: nn.Module, images: Tensor, class_idx: ClassIdx = None) -> Tensor:
    """How much a small change of each pixel would change the logit.

    ``|∂y_c/∂x[i, j]|``, x being the normalised image (Simonyan, Vedaldi and
    Zisserman, 2014).

    Returns:
        ``(N, 28, 28)``, at least 0.
    """
    return _pixel_gradients(model, images, class_idx).abs()


def integrated_gradients(
    model: nn.Module, images: Tensor, class_idx: ClassIdx = None, steps: int = 50
) -> Tensor:
    """What each pixel adds to the logit on the way from blank paper to the image.

    ``(x - p) · ∫ ∂y_c/∂x(p + t (x - p)) dt``, t from 0 to 1 and p being paper
    (Sundararajan, Taly and Yan, 2017), by the Gauss-Legendre rule, which looks at
    ``steps`` images on the way. Its sum is the logit of the image less that of blank
    paper, but for the error of the rule.

    Returns:
        ``(N, 28, 28)``, positive where ink (or its absence, where there is paper)
        speaks for the class; 0 on paper.
    """
    times, shares = np.polynomial.legendre.leggauss(steps)
    with _differentiable(model, images) as x:
        chosen = _choose(model(x), class_idx)
        way = (x - PAPER).detach()
        total = torch.zeros_like(x)
        for time, share in zip((times + 1) / 2, shares / 2, strict=True):
            between = (PAPER + float(time) * way).requires_grad_()
            score = _scores(model(between), chosen).sum()
            total += float(share) * torch.autograd.grad(score, between)[0]
    return (way * total).squeeze(1).to(images)


def guided_backprop(
    model: nn.Module, images: Tensor, class_idx: ClassIdx = None
) -> Tensor:
    """The gradient of the logit, of which each nn.ReLU lets only the positive pass.

    Pictures made so are crisp (Springenberg and others, 2015) and hardly depend on the
    class or the last layers' weights (Adebayo and others, 2018): they show the image,
    not why.

    Returns:
        ``(N, 28, 28)``, of either sign.
    """

    def keep_positive(_module: nn.Module, gradients: Any, _: Any) -> tuple[Tensor]:
        return (gradients[0].relu(),)

    rectifiers = [module for module in model.modules() if isinstance(module, nn.ReLU)]
    if not rectifiers:
        raise ValueError(
            "guided_backprop guides what goes back through nn.ReLU modules, and this "
            "model has none: write its ReLUs as modules."
        )
    with ExitStack() as hooks:
        for module in rectifiers:
            hooks.enter_context(module.register_full_backward_hook(keep_positive))
        return _pixel_gradients(model, images, class_idx)


@torch.no_grad()
def occlusion(
    model: nn.Module,
    images: Tensor,
    class_idx: ClassIdx = None,
    patch: int = 5,
    stride: int = 1,
) -> Tensor:
    """How far the logit falls if a part of the image is covered with blank paper.

    A square slides over the image (Zeiler and Fergus, 2014), its side ``patch`` pixels,
    from 1 to 28, by ``stride`` at a time, from 1 to ``patch``. What reaches over the
    right or the lower edge is cut off. A pixel gets the mean of
    y_c(image) - y_c(covered image) over all squares that cover it.

    Returns:
        ``(N, 28, 28)``, positive where the image speaks for the class and negative
        where it speaks against it.

    Raises:
        ValueError: if ``patch`` or ``stride`` is not in its range.
    """
    if not 1 <= patch <= IMAGE_SIZE:
        raise ValueError(f"patch is from 1 to {IMAGE_SIZE}, not {patch}.")
    if not 1 <= stride <= patch:
        raise ValueError(
            f"stride is from 1 to patch = {patch}, not {stride}: with any other some "
            "pixels are never covered."
        )
    x = to_model(images, model)
    squares = _squares(patch, stride).to(x.device)  # (P, 28, 28)
    with eval_mode(model):
        logits = model(x)
        chosen, scores = _choose(logits, class_idx), _scores(logits, class_idx)
        heatmaps = torch.zeros_like(x[:, 0])
        for i, (image, c, score) in enumerate(zip(x, chosen, scores, strict=True)):
            covered = torch.where(squares[:, None], PAPER, image)  # (P, 1, 28, 28)
            falls = score - model(covered)[:, c]  # (P,)
            heatmaps[i] = torch.einsum("p,phw->hw", falls, squares.to(falls))
    return (heatmaps / squares.sum(0)).to(images)


def _pixel_gradients(model: nn.Module, images: Tensor, class_idx: ClassIdx) -> Tensor:
    """The gradient ``(N, 28, 28)`` of the logit to the image."""
    with _differentiable(model, images) as x:
        (gradients,) = torch.autograd.grad(_scores(model(x), class_idx).sum(), x)
    return gradients.squeeze(1).to(images)


def _maps_and_gradients(
    model: nn.Module, images: Tensor, target_layer: Layer, class_idx: ClassIdx
) -> tuple[Tensor, Tensor]:
    """The layer's maps and the gradient of the logit to them, both (N, C, h, w)."""
    with (
        capture_activations(model, target_layer) as captured,
        _differentiable(model, images) as x,
    ):
        logits = model(x)
        maps = captured[target_layer]
        if maps.ndim != 4:
            raise ValueError(
                "The target layer puts out no feature maps (N, C, h, w) but the shape "
                f"{(*maps.shape,)}: choose a convolution or a block of them."
            )
        # An image's score depends on its own maps only, so all go in one sum.
        (gradients,) = torch.autograd.grad(_scores(logits, class_idx).sum(), maps)
    return maps.detach(), gradients


def enlarge(heatmaps: Tensor, size: Sequence[int]) -> Tensor:
    """Bring heatmaps ``(N, h, w)`` to ``(N, *size)``, bilinearly.

    What is added lies between its neighbours: the map gets smoother, not more exact.
    As other packages do it, the places are spread over the whole size; the windows of a
    ConvNet's places stand up to 2 pixels further in (see ``plotting.plot_heatmap``).
    """
    return F.interpolate(heatmaps[:, None], tuple(size), mode="bilinear")[:, 0]


@contextmanager
def _differentiable(model: nn.Module, images: Tensor) -> Iterator[Tensor]:
    """A copy of the images, for the model, that gradients can be taken to.

    With it there is a graph even if all weights are frozen; and images that were
    made in inference mode cannot be part of one themselves.
    """
    with torch.inference_mode(False), torch.enable_grad(), eval_mode(model):
        yield to_model(images, model).detach().clone().requires_grad_()


def _scores(logits: Tensor, class_idx: ClassIdx) -> Tensor:
    """The logits ``(N,)`` to explain."""
    return logits.gather(1, _choose(logits, class_idx)[:, None])[:, 0]


def _choose(logits: Tensor, class_idx: ClassIdx) -> Tensor:
    """The classes ``(N,)`` to explain."""
    if class_idx is None:
        return logits.argmax(1)
    n, classes = logits.shape
    chosen = torch.as_tensor(class_idx, device=logits.device)
    if chosen.ndim == 0:
        chosen = chosen.expand(n)
    known = torch.arange(classes, device=logits.device)
    if chosen.shape != (n,) or not torch.isin(chosen, known).all():
        raise ValueError(
            f"class_idx is a class from 0 to {classes - 1}, or one for each image, "
            f"which are {n} here; it was {class_idx}."
        )
    return chosen.long().clone()  # what was made in inference mode has no gradients


def _squares(patch: int, stride: int) -> Tensor:
    """A mask ``(P, 28, 28)`` for each place of a square that slides over an image."""
    starts = torch.arange(0, IMAGE_SIZE - patch + stride, stride)[:, None]
    pixels = torch.arange(IMAGE_SIZE)
    inside = (starts <= pixels) & (pixels < starts + patch)  # (places, 28)
    return (inside[:, None, :, None] & inside[None, :, None, :]).flatten(0, 1)
