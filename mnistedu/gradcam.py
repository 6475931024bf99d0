"""Where in an image a network found what speaks for a class: four kinds of heatmap.

``grad_cam`` and ``class_activation_map`` weight the feature maps, ``saliency`` asks
each pixel what a small change of it would do, and ``occlusion`` covers parts of the
image and looks. All of them explain one score, the logit y_c of class c, and take

- ``images``: normalised ``(N, 1, 28, 28)``, on any device;
- ``class_idx``: the class c to explain: None for the one that the network predicts,
  an integer from 0 to 9, or a sequence or tensor of N of these, one for each image.
  Anything else is a ValueError.

Images that are not normalised are a ValueError too. They return one heatmap for each
image, detached, on the device and in the precision of the images. The model runs in
evaluation mode and is left as it was: its modes, hooks and gradients. They work inside
``torch.no_grad()`` and ``torch.inference_mode()`` too.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import capture_activations, eval_mode, feature_maps, to_model
from mnistedu.images import IMAGE_SIZE, PAPER
from mnistedu.models import ConvNet

ClassIdx = int | Sequence[int] | Tensor | None


def grad_cam(
    model: nn.Module,
    images: Tensor,
    target_layer: str | nn.Module,
    class_idx: ClassIdx = None,
) -> Tensor:
    """Gradient-weighted class activation maps (Selvaraju and others, 2017).

    With A_k the k-th of the target layer's feature maps, h x w places (i, j), and
    y_c the logit of class c::

        α_k  = 1/(h w) Σ_ij ∂y_c/∂A_k[i, j]    how much map k matters, on average
        L_c  = ReLU( Σ_k α_k A_k )             where the maps that speak for c are

    L_c has as many places as the feature maps and is enlarged to the size of the
    image, bilinearly. It is not normalised: its scale is that of the logits.

    Args:
        model: a network of images to logits.
        images: see above, and so ``class_idx``.
        target_layer: a layer that puts out feature maps ``(N, C, h, w)``, by name or
            as the module; usually the last one.
        class_idx: the class to explain.

    Returns:
        Heatmaps ``(N, 28, 28)``, at least 0; all 0 where nothing speaks for the class.

    Raises:
        ValueError: if the model has no such layer, the layer puts out no feature
            maps, or there is no such class.
    """
    with (
        capture_activations(model, target_layer) as captured,
        _differentiable(model, images) as x,
    ):
        logits = model(x)
        maps = captured[target_layer]  # (N, C, h, w)
        if maps.ndim != 4:
            raise ValueError(
                "The target layer puts out no feature maps (N, C, h, w) but the shape "
                f"{(*maps.shape,)}: choose a convolution or a block of them."
            )
        # An image's score depends on its own maps only, so all go in one sum.
        (gradients,) = torch.autograd.grad(_scores(logits, class_idx).sum(), maps)
        weights = gradients.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        heatmaps = (weights * maps).sum(1).relu().detach()  # (N, h, w)
    return enlarge(heatmaps, images.shape[-2:]).to(images)


def class_activation_map(
    model: ConvNet, images: Tensor, class_idx: ClassIdx = None
) -> Tensor:
    """What each place of the last feature maps adds to the logit, exactly.

    A ConvNet's head is linear. With W_c[k, i, j] its weight, for class c, of place
    (i, j) in the feature map A_k, and b_c its bias::

        M_c[i, j] = Σ_k W_c[k, i, j] A_k[i, j]        y_c = b_c + Σ_ij M_c[i, j]

    Zhou and others (2016) define this for a head on the means of the maps, whose
    weights W_c[k] are the same at every place. Then α_k of ``grad_cam`` is W_c[k],
    and the rectified M_c is Grad-CAM; otherwise Grad-CAM averages over the places a
    weight that depends on the place.

    Returns:
        ``(N, h, w)``, as many places as the last feature maps have, positive where
        they speak for the class and negative where they speak against it.

    Raises:
        ValueError: if there is no such class.
    """
    maps = feature_maps(model, images, "blocks").to(model.head.weight)
    with torch.no_grad():
        chosen = _choose(model.head(maps.flatten(1)), class_idx)
    weights = model.head.weight.detach()[chosen].view(maps.shape)  # (N, C, h, w)
    return (weights * maps).sum(1).to(images)


def saliency(model: nn.Module, images: Tensor, class_idx: ClassIdx = None) -> Tensor:
    """How much a small change of each pixel would change the logit.

    ``|∂y_c/∂x[i, j]|``, x being the normalised image (Simonyan, Vedaldi and
    Zisserman, 2014).

    Returns:
        ``(N, 28, 28)``, at least 0.

    Raises:
        ValueError: if there is no such class.
    """
    with _differentiable(model, images) as x:
        (gradients,) = torch.autograd.grad(_scores(model(x), class_idx).sum(), x)
    return gradients.abs().squeeze(1).to(images)


@torch.no_grad()
def occlusion(
    model: nn.Module,
    images: Tensor,
    class_idx: ClassIdx = None,
    patch: int = 5,
    stride: int = 1,
) -> Tensor:
    """How far the logit falls if a part of the image is covered with blank paper.

    A square slides over the image (Zeiler and Fergus, 2014). A pixel gets the mean
    of y_c(image) - y_c(covered image) over all squares that cover it.

    Args:
        model: a network of normalised images to logits.
        images: see above, and so ``class_idx``.
        class_idx: the class to explain.
        patch: the side of the square in pixels, from 1 to 28.
        stride: how many pixels it moves at a time, at most ``patch``. What reaches
            over the right or the lower edge is cut off.

    Returns:
        ``(N, 28, 28)``, positive where the image speaks for the class and negative
        where it speaks against it.

    Raises:
        ValueError: if there is no such class, or ``patch`` or ``stride`` is not in its
            range.
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
        heatmaps = []
        for image, c, score in zip(x, chosen, scores, strict=True):
            covered = torch.where(squares[:, None], PAPER, image)  # (P, 1, 28, 28)
            falls = score - model(covered)[:, c]  # (P,)
            heatmaps.append(torch.einsum("p,phw->hw", falls, squares.to(falls)))
    return (torch.stack(heatmaps) / squares.sum(0)).to(images)


def enlarge(heatmaps: Tensor, size: Sequence[int]) -> Tensor:
    """Bring heatmaps ``(N, h, w)`` to ``(N, *size)``, bilinearly.

    What is added lies between its neighbours: the map gets smoother, not more exact.
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
    return chosen.long()


def _squares(patch: int, stride: int) -> Tensor:
    """A mask ``(P, 28, 28)`` for each place of a square that slides over an image."""
    starts = torch.arange(0, IMAGE_SIZE - patch + stride, stride)[:, None]
    pixels = torch.arange(IMAGE_SIZE)
    inside = (starts <= pixels) & (pixels < starts + patch)  # (places, 28)
    return (inside[:, None, :, None] & inside[None, :, None, :]).flatten(0, 1)
