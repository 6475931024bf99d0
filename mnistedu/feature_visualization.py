"""Feature visualisation: what a channel responds to, in digits and in made images.

After Olah, Mordvintsev and Schubert (2017). Take what a channel puts out before the
ReLU, which makes all that is below zero the same: ``"blocks.1.2"`` is the batch
normalisation of a ConvNet's second block.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.activations import Layer, capture_activations, eval_mode
from mnistedu.images import IMAGE_SIZE, MNIST_MEAN, MNIST_STD, to_ink

SOFT_PEN = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16


def make_images(
    model: nn.Module,
    layer: Layer,
    channels: Sequence[int],
    least: bool = False,
    bounded: bool = True,
    smooth: bool = True,
    shifted: bool = True,
    steps: int = 60,
) -> Tensor:
    """Make, for each channel, the image that excites it most, by gradient ascent.

    What grows is the number at the middle of the channel's map. The pixels begin as
    faint noise and follow its gradient, in steps of Adam. Three regularisers keep the
    image like one that a pen could draw; each can be left out, to see what it is for.
    The noise and the shifts follow ``torch.manual_seed``.

    Args:
        model: the network. It runs in evaluation mode and is left as it was.
        layer: one that puts out ``(N, C, h, w)`` (see ``activations``).
        channels: which of the C.
        least: whether the number falls instead.
        bounded: whether each pixel stays between paper and full ink.
        smooth: whether it is drawn with a soft pen, which reaches the next pixels too.
        shifted: whether the network sees it moved in each step, by at most one pixel
            up or down and to either side, so that the number cannot hang on a hair.
        steps: how many steps Adam takes.

    Returns:
        float ``(len(channels), 1, 28, 28)``: ink, if it was bounded.
    """
    chosen = list(channels)
    noise = 0.1 * torch.rand(len(chosen), 1, IMAGE_SIZE, IMAGE_SIZE)
    pixels = noise.to(next(model.parameters())).requires_grad_()
    adam = torch.optim.Adam([pixels], lr=0.1)
    with (
        torch.enable_grad(),
        eval_mode(model),
        capture_activations(model, layer) as captured,
    ):
        for _ in range(steps):
            image = soften(pixels) if smooth else pixels
            if shifted:
                down, right = torch.randint(-1, 2, (2,)).tolist()
                image = F.pad(image, (right, -right, down, -down))
            model((image - MNIST_MEAN) / MNIST_STD)
            maps = captured[layer][range(len(chosen)), chosen]  # a map for each image
            number = maps[:, maps.shape[1] // 2, maps.shape[2] // 2].sum()
            (pixels.grad,) = torch.autograd.grad(number if least else -number, pixels)
            adam.step()
            if bounded:
                pixels.data.clamp_(0, 1)
    pixels = pixels.detach()
    return soften(pixels) if smooth else pixels


def soften(ink: Tensor) -> Tensor:
    """Ink ``(N, 1, H, W)`` as a soft pen leaves it: a part goes to the next pixels."""
    return F.conv2d(ink, SOFT_PEN.to(ink)[None, None], padding=1)


def cut_windows(
    images: Tensor, maps: Tensor, size: int, step: int, margin: int
) -> Tensor:
    """Cut out of each image what the largest number of its map has seen.

    Args:
        images: raw digits or ink (see ``images``).
        maps: one map ``(N, h, w)`` for each image.
        size: the pixels that a place of the map sees, in width and height: its
            receptive field.
        step: by how many pixels the next place's field lies further on.
        margin: by how many pixels the first place's field reaches over the image's
            border. What lies there is paper.

    Returns:
        Ink ``(N, size, size)``.
    """
    windows = F.unfold(to_ink(images), size, stride=step, padding=margin)
    strongest = maps.flatten(1).argmax(1)  # windows: (N, size * size, places)
    return windows[range(len(maps)), :, strongest].view(-1, size, size)
