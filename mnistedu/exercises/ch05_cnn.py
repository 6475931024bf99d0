"""Exercises on convolutional networks: windows, their sizes, and what they see."""

from collections.abc import Callable
from copy import deepcopy
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.data import load
from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.varied import varied
from mnistedu.preprocess import normalize


def _convolve(image: Tensor, kernel: Tensor, stride: int = 1) -> Tensor:
    return F.conv2d(image[None, None], kernel[None, None], stride=stride)[0, 0]


def _slide(
    image: Tensor,
    kernel: Tensor,
    place: Callable[[int, int], tuple[int, int]] = lambda i, j: (i, j),
    size: tuple[int, ...] | None = None,
    respond: Callable[[Tensor, Tensor], Tensor] = torch.mul,
) -> Tensor:
    """The chapter's two loops, with what may go wrong in their lines."""
    height, width = size or kernel.shape
    output = torch.zeros(
        image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    )
    for i in range(output.shape[0]):
        for j in range(output.shape[1]):
            top, left = place(i, j)
            window = image[top : top + height, left : left + width]
            output[i, j] = respond(window, kernel).sum()
    return output


def _products(image: Tensor, kernel: Tensor) -> Tensor:
    height, width = kernel.shape
    return image.unfold(0, height, 1).unfold(1, width, 1) * kernel


def _first_place(image: Tensor, kernel: Tensor) -> Tensor:
    output = torch.zeros_like(_convolve(image, kernel))
    output[0, 0] = _convolve(image, kernel)[0, 0]
    return output


def _first_row(image: Tensor, kernel: Tensor) -> Tensor:
    output = torch.zeros_like(_convolve(image, kernel))
    output[0] = _convolve(image, kernel)[0]
    return output


def _last_products(image: Tensor, kernel: Tensor) -> Tensor:
    return _products(image, kernel)[:, :, -1, -1]


CONV2D = Exercise(
    solution=_convolve,
    cases=[
        {
            "image": torch.tensor([[1.0, 2, 3, 0], [4, 5, 6, 1], [7, 8, 0, 2]]),
            "kernel": torch.tensor([[1.0, 2], [-1, 3]]),
        },
        {
            "image": (torch.arange(20.0) * 7 % 11).view(4, 5) - 5,
            "kernel": torch.tensor([[1.0, 0], [2, -1], [0, 3]]),
        },
        {"image": varied(6, 5), "kernel": varied(3, 3, start=40)},
        {"image": varied(5, 5, start=9), "kernel": varied(2, 4, start=70)},
        {"image": varied(3, 5, start=23), "kernel": varied(3, 2, start=50)},
    ],
    mistakes={
        "your kernel is upside down. That is a convolution in mathematics; in deep "
        "learning the kernel lies on the window as it is.": (
            lambda image, kernel: _convolve(image, kernel.flip(0, 1))
        ),
        "your kernel is transposed: its rows lie on the rows of the image.": (
            lambda image, kernel: _convolve(image, kernel.T)
        ),
        "your output is transposed: i counts its rows and j its columns.": (
            lambda image, kernel: _convolve(image, kernel).T
        ),
        "the last row and column are missing: a window of height h fits into H rows at "
        "H - h + 1 places.": lambda image, kernel: _convolve(image, kernel)[:-1, :-1],
        "your output is as large as the image: keep only the places at which the whole "
        "window fits into it.": lambda image, kernel: F.pad(
            _convolve(image, kernel),
            (0, kernel.shape[1] - 1, 0, kernel.shape[0] - 1),
        ),
        "these are the products: add them up, so that each place has one number.": (
            _products
        ),
        "you take the mean of the products: add them up.": (
            lambda image, kernel: _products(image, kernel).mean((2, 3))
        ),
        "@ is the product of matrices: multiply number by number, with *.": (
            lambda image, kernel: _slide(image, kernel, respond=torch.matmul)
        ),
        "you add up the pixels alone: multiply them by the kernel first.": (
            lambda image, kernel: _convolve(image, torch.ones_like(kernel))
        ),
        "all numbers are the same: the window must move, from row i and column j "
        "onwards.": lambda image, kernel: torch.full_like(
            _convolve(image, kernel), _convolve(image, kernel)[0, 0].item()
        ),
        "your window moves by its own length: here it moves by one pixel.": (
            lambda image, kernel: _convolve(image, kernel, kernel.shape[0])
        ),
        "only the first place, or the first row, has been computed, and the rest is 0: "
        "does the return stand within the loops?": (_first_place, _first_row),
        "each place holds the last of its products only: add to the sum with += "
        "instead of setting it anew.": _last_products,
        "the last row and column stay 0: a window of height h fits into H rows at "
        "H - h + 1 places.": lambda image, kernel: F.pad(
            _convolve(image, kernel)[:-1, :-1], (0, 1, 0, 1)
        ),
        "you add up pixels and kernel each by itself: multiply one by one first.": (
            lambda image, kernel: (
                _convolve(image, torch.ones_like(kernel)) * kernel.sum()
            )
        ),
        "your window begins at row j and column i: i counts the rows.": (
            lambda image, kernel: _slide(image, kernel, lambda i, j: (j, i))
        ),
        "it works for kernels of 3 × 3 only: take the sizes from kernel.shape.": (
            lambda image, kernel: _slide(image, kernel, size=(3, 3))
        ),
        "it works for square kernels only: a kernel may be wider than tall.": (
            lambda image, kernel: _slide(image, kernel, size=kernel.shape[:1] * 2),
            lambda image, kernel: _slide(image, kernel, size=kernel.shape[1:] * 2),
        ),
        "your kernel is mirrored: it lies on the window as it is.": (
            lambda image, kernel: _convolve(image, kernel.flip(0)),
            lambda image, kernel: _convolve(image, kernel.flip(1)),
        ),
        "you take the largest of the products: add them up.": (
            lambda image, kernel: _products(image, kernel).amax((2, 3))
        ),
        "you add window and kernel: multiply them number by number.": (
            lambda image, kernel: _slide(image, kernel, respond=torch.add)
        ),
    },
)


def _pool(image: Tensor, size: int, stride: int | None = None) -> Tensor:
    return F.max_pool2d(image[None], size, stride)[0]


def _cut(image: Tensor, size: int) -> Tensor:
    """What fills whole windows."""
    height, width = (n // size * size for n in image.shape)
    return image[:height, :width]


MAX_POOL = Exercise(
    solution=_pool,
    cases=[
        {"image": torch.tensor([[1.0, 2, 3, 7], [4, 0, 2, 5]]), "size": 2},
        {"image": torch.tensor([[-1.0, -2], [-4, -3]]), "size": 2},
        {"image": (torch.arange(35.0) * 11 % 37).view(5, 7), "size": 3},
        {"image": varied(7, 8, start=5), "size": 3},
        {"image": varied(5, 6, start=31), "size": 2},
        {"image": (varied(5, 8, start=60) - 6) * 10_000, "size": 4},
    ],
    mistakes={
        "that is the mean of each window, which is pooling too: take the largest.": (
            lambda image, size: F.avg_pool2d(image[None], size)[0]
        ),
        "these are the smallest: take the largest.": (
            lambda image, size: -_pool(-image, size)
        ),
        "you add each window up: take the largest.": (
            lambda image, size: size**2 * F.avg_pool2d(image[None], size)[0]
        ),
        "your windows overlap: the next one begins where the last one ends, so move by "
        "size.": lambda image, size: _pool(image, size, 1),
        "there are as many windows as there should be, but each begins one pixel after "
        "the last: the window in row i begins at i * size.": lambda image, size: _pool(
            image, size, 1
        )[: image.shape[0] // size, : image.shape[1] // size],
        "you keep the upper left corner of each window: take the largest in it.": (
            lambda image, size: image[::size, ::size]
        ),
        "you keep the lower right corner of each window: take the largest in it.": (
            lambda image, size: image[size - 1 :: size, size - 1 :: size]
        ),
        "you pool along the rows only: a window is as high as it is wide.": (
            lambda image, size: F.max_pool2d(image[None], (1, size))[0]
        ),
        "that is the largest of the whole image: each window has its own.": (
            lambda image, size: image.max()
        ),
        "your search for the largest starts from 0, but all numbers of a window may be "
        "negative.": lambda image, size: _pool(image.clamp(min=0), size),
        "a window that does not fit into the image is left out: divide height and "
        "width with //.": lambda image, size: F.max_pool2d(
            image[None], size, ceil_mode=True
        )[0],
        "your result is square, as high as wide, and the image is not: take the width "
        "from image.shape[1].": lambda image, size: _pool(image, size)[
            :, : image.shape[0] // size
        ],
        "your windows are 2 × 2 whatever size is.": lambda image, size: _pool(image, 2),
        "your windows are a row and a column too large: a slice ends before its second "
        "number.": lambda image, size: F.max_pool2d(
            image[None], size + 1, size, ceil_mode=True
        )[0, : image.shape[0] // size, : image.shape[1] // size],
        "these are the places of the largest numbers: return the numbers.": (
            lambda image, size: F.max_pool2d(image[None], size, return_indices=True)[1][
                0
            ]
        ),
        "view() takes numbers that follow each other in memory, and a window lies in "
        "several rows: view(h, size, w, size) keeps them apart.": (
            lambda image, size: (
                _cut(image, size)
                .reshape(*(n // size for n in image.shape), -1)
                .amax(-1)
            )
        ),
        "you take the largest absolute values: -4 is less than -1.": (
            lambda image, size: _pool(image.abs(), size)
        ),
    },
)

OUTPUT_SIZE = Exercise(
    solution=lambda n, k, padding, stride: (n + 2 * padding - k) // stride + 1,
    cases=[
        {"n": 5, "k": 3, "padding": 0, "stride": 1},
        {"n": 5, "k": 3, "padding": 1, "stride": 1},
        {"n": 7, "k": 3, "padding": 0, "stride": 2},
        {"n": 6, "k": 3, "padding": 0, "stride": 2},
        {"n": 28, "k": 5, "padding": 2, "stride": 3},
        {"n": 13, "k": 4, "padding": 1, "stride": 3},
        {"n": 17, "k": 2, "padding": 3, "stride": 4},
        {"n": 17, "k": 3, "padding": 3, "stride": 1},
        {"n": 9, "k": 7, "padding": 2, "stride": 2},
        {"n": 2, "k": 4, "padding": 2, "stride": 2},
    ],
    mistakes={
        "one place is missing: after the first place come as many as there are steps, "
        "so add 1.": lambda n, k, padding, stride: (n + 2 * padding - k) // stride,
        "/ gives a float: divide with //, which leaves out the window that no longer "
        "fits.": lambda n, k, padding, stride: (n + 2 * padding - k) / stride + 1,
        "the padding lies on both sides: it counts twice.": (
            lambda n, k, padding, stride: (n + padding - k) // stride + 1
        ),
        "you forgot the padding.": (
            lambda n, k, padding, stride: (n - k) // stride + 1
        ),
        "the padding makes the image larger: add it.": (
            lambda n, k, padding, stride: (n - 2 * padding - k) // stride + 1
        ),
        "you forgot the stride: the window takes a step of that many pixels.": (
            lambda n, k, padding, stride: n + 2 * padding - k + 1
        ),
        "add the 1 after you divide: the first place needs no step.": (
            lambda n, k, padding, stride: (n + 2 * padding - k + 1) // stride
        ),
        "the last window reaches over the edge: a step that does not fit whole is "
        "left out, so round down.": lambda n, k, padding, stride: (
            -(-(n + 2 * padding - k) // stride) + 1
        ),
        "k // 2 on each side makes less than k when k is odd: take k off as a whole, "
        "divide, and add 1 for the first place.": lambda n, k, padding, stride: (
            (n + 2 * padding - 2 * (k // 2)) // stride
        ),
        "that is the number of pixels divided by the stride: the window needs k pixels "
        "at its first place.": lambda n, k, padding, stride: n // stride,
        "that is the size with padding, divided by the stride: the window needs k "
        "pixels at its first place.": (
            lambda n, k, padding, stride: (n + 2 * padding) // stride
        ),
        "// comes before + and -: put brackets round what is to be divided.": (
            lambda n, k, padding, stride: n + 2 * padding - k // stride + 1,
        ),
        "a step that does not fit whole is left out: round down with //, not to the "
        "nearest.": lambda n, k, padding, stride: (
            round((n + 2 * padding - k) / stride) + 1
        ),
        "k is not 3 in every case: use k itself.": lambda n, k, padding, stride: (
            (n + 2 * padding - 3) // stride + 1
        ),
        "% is what remains when you divide: how often it fits, // says.": (
            lambda n, k, padding, stride: (n + 2 * padding - k) % stride + 1
        ),
        "the padding counts twice, whatever the stride.": (
            lambda n, k, padding, stride: (n + stride * padding - k) // stride + 1
        ),
        "one number is asked for: height and width are computed in the same way.": (
            lambda n, k, padding, stride: ((n + 2 * padding - k) // stride + 1,) * 2
        ),
        "you forgot padding and stride.": lambda n, k, padding, stride: n - k + 1,
    },
)


def _receptive_field(layers: list[tuple[int, int]]) -> int:
    size, step = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * step
        step *= stride
    return size


def _step_first(layers: list[tuple[int, int]]) -> int:
    size, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        size += (kernel - 1) * step
    return size


def _grow(layers: list[tuple[int, int]], gain: Callable[[int, int, int], int]) -> int:
    """The field, if a layer adds ``gain(kernel, stride, step)`` to it."""
    size, step = 1, 1
    for kernel, stride in layers:
        size += gain(kernel, stride, step)
        step *= stride
    return size


def _last_stride_only(layers: list[tuple[int, int]]) -> int:
    steps = [1, *(stride for _, stride in layers)]
    return 1 + sum((k - 1) * step for (k, _), step in zip(layers, steps, strict=False))


def _stretch_all(layers: list[tuple[int, int]]) -> int:
    size = 1
    for kernel, stride in layers:
        size = (size + kernel - 1) * stride
    return size


def _backwards(layers: list[tuple[int, int]]) -> int:
    return _receptive_field(layers[::-1])


RECEPTIVE_FIELD = Exercise(
    solution=_receptive_field,
    cases=[
        {"layers": [(3, 1)]},
        {"layers": [(5, 1), (3, 1)]},
        {"layers": [(5, 1), (2, 2)]},
        {"layers": [(5, 1), (2, 2), (3, 1)]},
        {"layers": [(5, 1), (2, 2), (5, 1), (2, 2), (3, 1)]},
        {"layers": [(4, 3), (3, 2), (5, 2), (2, 1), (7, 1)]},
        {"layers": [(1, 2), (3, 1)]},
    ],
    mistakes={
        "start from 1: without any layer a place sees itself.": (
            lambda layers: _receptive_field(layers) - 1
        ),
        "you add the kernels up, but they overlap: one of size k reaches k - 1 steps "
        "further.": lambda layers: sum(kernel for kernel, _ in layers),
        "you look at the last layer only: what it sees has seen more.": (
            lambda layers: layers[-1][0]
        ),
        "you look at the largest kernel only: each layer adds to the field.": (
            lambda layers: max(kernel for kernel, _ in layers)
        ),
        "a layer's own stride comes too early: it makes the steps of the layers after "
        "it longer.": _step_first,
        "that is the field of these layers in reverse order: going forwards, the steps "
        "grow; size = (size - 1) * stride + kernel goes backwards.": _backwards,
        "you forgot the strides: after a layer of stride 2 a step is 2 pixels long.": (
            lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers)
        ),
        "you use the stride of the layer before alone: a step is the product of all "
        "strides before.": _last_stride_only,
        "a kernel of size k reaches k - 1 steps further, not half of it: the field "
        "grows to both sides.": lambda layers: _grow(
            layers, lambda k, s, step: k // 2 * step
        ),
        "a kernel of size k reaches k - 1 steps further, not k.": (
            lambda layers: _grow(layers, lambda k, s, step: k * step),
        ),
        "you multiply by the layer's own stride: a step is the product of the strides "
        "before it.": lambda layers: _grow(layers, lambda k, s, step: (k - 1) * s),
        "you add the strides up: two layers of stride 2 make a step of 4 pixels, their "
        "product.": (
            lambda layers: (
                1
                + sum(
                    (k - 1) * (1 + sum(s for _, s in layers[:i]))
                    for i, (k, _) in enumerate(layers)
                )
            ),
            lambda layers: (
                1
                + sum(
                    (k - 1) * (sum(s for _, s in layers[:i]) or 1)
                    for i, (k, _) in enumerate(layers)
                )
            ),
        ),
        "you multiply the kernels: they overlap, and each adds its reach.": (
            lambda layers: prod(kernel for kernel, _ in layers),
            lambda layers: prod(kernel * stride for kernel, stride in layers),
        ),
        "a kernel of size k reaches k - 1 steps further in all, not to each side.": (
            lambda layers: _grow(layers, lambda k, s, step: 2 * (k - 1) * step)
        ),
        "that is the step, in pixels, after the last layer: the field is asked for.": (
            lambda layers: prod(stride for _, stride in layers)
        ),
        "you multiply the whole field by the stride: only the steps of the layers "
        "after it grow.": _stretch_all,
        "kernel and stride are exchanged: the kernel comes first in each pair.": (
            lambda layers: _receptive_field([pair[::-1] for pair in layers])
        ),
        "the last layer is missing.": lambda layers: _receptive_field(layers[:-1]),
        "the first layer is missing.": lambda layers: _receptive_field(layers[1:]),
        "you forgot the strides, and the one pixel with which it starts.": (
            lambda layers: sum(kernel - 1 for kernel, _ in layers)
        ),
        "you stop after the first layer: does the return stand within the loop?": (
            lambda layers: layers[0][0]
        ),
    },
)


def _convolve_channels(image: Tensor, kernels: Tensor) -> Tensor:
    return F.conv2d(image[None], kernels)[0]


def _each_channel(image: Tensor, kernels: Tensor) -> Tensor:
    """(K, C, H', W'): what each channel gives by itself."""
    height, width = kernels.shape[2:]
    windows = image.unfold(1, height, 1).unfold(2, width, 1)
    return torch.einsum("cijab,kcab->kcij", windows, kernels)


CONV_CHANNELS = Exercise(
    solution=_convolve_channels,
    cases=[
        {
            "image": torch.tensor([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]),
            "kernels": torch.tensor([[[[1.0]], [[2.0]]], [[[0.0]], [[-1.0]]]]),
        },
        {"image": varied(3, 4, 5), "kernels": varied(2, 3, 2, 3, start=17)},
        {"image": varied(5, 5, 4, start=44), "kernels": varied(1, 5, 3, 2, start=5)},
        {"image": varied(2, 4, 4, start=70), "kernels": varied(2, 2, 2, 2, start=31)},
    ],
    mistakes={
        "you keep the channels apart: each kernel adds up what all of them give.": (
            _each_channel
        ),
        "you take the mean over the channels: add them up.": (
            lambda image, kernels: _each_channel(image, kernels).mean(1)
        ),
        "you take the largest of the channels: add them up.": (
            lambda image, kernels: _each_channel(image, kernels).amax(1)
        ),
        "you add up over the kernels: each makes a map of its own.": (
            lambda image, kernels: _each_channel(image, kernels).sum(0)
        ),
        "you look at the first channel only: a kernel has weights for each.": (
            lambda image, kernels: _each_channel(image, kernels)[:, 0]
        ),
        "that is the map of the first kernel: each kernel makes one.": (
            lambda image, kernels: _convolve_channels(image, kernels)[0],
            lambda image, kernels: _convolve_channels(image, kernels)[:1],
        ),
        "all channels get the weights of the first: each has its own.": (
            lambda image, kernels: _convolve_channels(
                image, kernels[:, :1].expand_as(kernels)
            )
        ),
        "what is negative is cut off at 0 before you add up: no ReLU is asked for.": (
            lambda image, kernels: _each_channel(image, kernels).relu().sum(1)
        ),
        "you look at the last channel only: add up with +=.": (
            lambda image, kernels: _each_channel(image, kernels)[:, -1]
        ),
        "all weights fall on the first channel: each channel has its own.": (
            lambda image, kernels: _convolve_channels(
                image[:1].expand_as(image), kernels
            )
        ),
        "you add up the channels, or the weights, before you multiply: multiply each "
        "channel by its own weights first.": lambda image, kernels: _convolve_channels(
            image.sum(0, keepdim=True), kernels.sum(1, keepdim=True)
        ),
        "your kernels are upside down: they lie on the window as they are.": (
            lambda image, kernels: _convolve_channels(image, kernels.flip(2, 3))
        ),
        "kernels and channels are exchanged: a kernel is kernels[k], with weights for "
        "each channel.": lambda image, kernels: _convolve_channels(
            image, kernels.transpose(0, 1)
        ),
    },
)


def _batch_norm(
    dims: tuple[int, ...] = (0, 2, 3),
    correction: int = 0,
    root: Callable[[Tensor], Tensor] = torch.sqrt,
    in_training: Callable[[bool], bool] = lambda training: training,
    combine: Callable[..., Tensor] = lambda x, mean, deviation: (x - mean) / deviation,
) -> Function:
    """Batch normalisation, with what may go wrong in its parts."""

    def normalise(x: Tensor, mean: Tensor, var: Tensor, training: bool) -> Tensor:
        mean, var = mean.view(1, -1, 1, 1), var.view(1, -1, 1, 1)
        if in_training(training):
            mean = x.mean(dims, keepdim=True)
            var = x.var(dims, correction=correction, keepdim=True)
        return combine(x, mean, root(var + 1e-5))

    return normalise


BATCH_NORM = Exercise(
    solution=_batch_norm(),
    cases=[
        {
            "x": torch.tensor([[[[0.0, 4]]], [[[2.0, 6]]]]),
            "mean": torch.tensor([1.0]),
            "var": torch.tensor([4.0]),
            "training": True,
        },
        {
            "x": torch.tensor([[[[1.0, 4]]], [[[2.0, 6]]]]),
            "mean": torch.tensor([1.0]),
            "var": torch.tensor([4.0]),
            "training": False,
        },
        *(
            {
                "x": varied(3, 4, 2, 4),
                "mean": varied(4, start=40),
                "var": varied(4, start=60).abs(),
                "training": training,
            }
            for training in (True, False)
        ),
        *(
            {
                "x": varied(1, 3, 2, 4) / 500,
                "mean": varied(3, start=40) / 500,
                "var": varied(3, start=60).abs() / 50_000,
                "training": training,
            }
            for training in (True, False)
        ),
    ],
    mistakes={
        "in use, the batch must not matter: take the mean and var that are given, "
        "unless training.": _batch_norm(in_training=lambda training: True),
        "in training, the batch's own mean and variance count.": _batch_norm(
            in_training=lambda training: False
        ),
        "training and use are exchanged.": _batch_norm(
            in_training=lambda training: not training
        ),
        "this variance divides by n - 1: in training, divide by n, with "
        "correction=0.": _batch_norm(correction=1),
        "you normalise each image by itself: the batch's mean runs over the images "
        "too, dimensions 0, 2 and 3.": _batch_norm(dims=(2, 3)),
        "you normalise each place by itself: the mean runs over all places of a "
        "channel, dimensions 0, 2 and 3.": _batch_norm(dims=(0,)),
        "you normalise all channels together: each has its own mean and variance.": (
            _batch_norm(dims=(0, 1, 2, 3))
        ),
        "the mean runs over the channels: each has its own, so take it over "
        "dimensions 0, 2 and 3.": _batch_norm(dims=(1,)),
        "a mean of shape (C,) lies along the last dimension, which is the width: give "
        "it two more, as mean[:, None, None].": lambda x, mean, var, training: (
            (x - x.mean((0, 2, 3))) / (x.var((0, 2, 3), correction=0) + 1e-5).sqrt()
            if training
            else (x - mean) / (var + 1e-5).sqrt()
        ),
        "1e-5 is missing: where all numbers are alike, you divide by 0.": _batch_norm(
            root=lambda var: (var - 1e-5).sqrt()
        ),
        "1e-5 belongs under the root, to the variance.": _batch_norm(
            root=lambda var: (var - 1e-5).sqrt() + 1e-5
        ),
        "you divide by the variance: divide by its root.": _batch_norm(
            root=lambda var: var
        ),
        "/ comes before -: put brackets round x - mean.": _batch_norm(
            combine=lambda x, mean, deviation: x - mean / deviation
        ),
        "you subtract the mean, and the deviation is still what it was: divide by the "
        "root of the variance.": _batch_norm(root=torch.ones_like),
    },
)

MOST_PARAMETERS = 5_000
ENOUGH = 0.9  # of the validation images, read correctly
BEST = "99.4 %"  # the most that we know, on MNIST


def _collect(network: nn.Module) -> set[nn.Parameter]:
    """Its parameters, and those in plain lists and dictionaries, which it misses."""

    def layers(value: Any) -> list[nn.Module]:
        if isinstance(value, nn.Module):
            return [value]
        if isinstance(value, dict):
            return layers([*value.values()])
        parts = value if isinstance(value, (list, tuple)) else ()
        return [layer for part in parts for layer in layers(part)]

    hidden = layers([vars(module) for module in network.modules()])
    return {p for layer in [network, *hidden] for p in layer.parameters()}


def _measure(function: Function) -> Any:
    """What a network costs and what it reads, of the first validation images."""
    val = load().val
    images, targets = normalize(val.images[:2000]), val.targets[:2000]
    if isinstance(function, type):
        return "a class"
    if not isinstance(function, nn.Module):
        try:
            result = function(images)  # which may raise, or be a stub's
        except TypeError:
            return "no network"
        return result if result is None or result is ... else "no network"
    network = deepcopy(function).cpu().eval()
    with torch.no_grad():
        logits = network(images)
    if not isinstance(logits, Tensor) or logits.shape != (len(images), 10):
        return {"shape": None if logits is None else (*getattr(logits, "shape", ()),)}
    found = sum(p.numel() for p in network.parameters())
    return {
        "parameters": found,
        "hidden": sum(p.numel() for p in _collect(network)) - found,
        "accuracy": (logits.argmax(1) == targets).double().mean().item(),
        "answers": len({*logits.argmax(1).tolist()}),
    }


def _score_network(did: Any) -> tuple[bool, str]:
    if did == "a class":
        return False, "that is the class: brackets () behind it make a network."
    if not isinstance(did, dict):
        said = "pass a network, an nn.Module, not a function that returns something"
        return False, f"{said}: its parameters are to be counted."
    if "shape" in did and did["shape"] is None:
        return False, "forward returns nothing: let it end in return and the logits."
    if "shape" in did:
        tail = " The answers come later, by argmax." if len(did["shape"]) == 1 else ""
        return False, f"for N images give logits (N, 10), not {did['shape']}.{tail}"
    parameters, accuracy = did["parameters"], did["accuracy"]
    if not parameters or did["hidden"]:
        missed = (
            f"does not find {did['hidden']:,} of them" if parameters else "finds none"
        )
        return False, (
            f"network.parameters() {missed}: keep the layers as attributes of the "
            "module, or in nn.Sequential or nn.ModuleList, not in a list."
        )
    said = f"{parameters:,} parameters read {accuracy:.1%} of the validation images"
    if parameters > MOST_PARAMETERS:
        return False, f"{said}, and {MOST_PARAMETERS:,} parameters are allowed."
    if accuracy < ENOUGH:
        said += f", and {ENOUGH:.0%} are asked for"
        if did["answers"] == 1:
            return False, f"{said}: it answers the same for every image."
        if accuracy < 0.2:
            return False, f"{said}: that is guessing. Has it learned, from `normalize`?"
        return False, f"{said}."
    return True, f"{said}. The most that we know, on MNIST: {BEST}."


class _RandomKernels(nn.Module):
    """16 random kernels, and a head by least squares when it is first used."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        kernels = torch.randn(16, 1, 5, 5, generator=generator)
        self.kernels = nn.Parameter(kernels - kernels.mean((1, 2, 3), keepdim=True))
        self.head = nn.Parameter(torch.zeros(401, 10))

    def features(self, images: Tensor) -> Tensor:
        maps = F.max_pool2d(F.conv2d(images, self.kernels).relu(), 2)
        return F.pad(F.adaptive_avg_pool2d(maps, 5).flatten(1), (0, 1), value=1.0)

    def forward(self, images: Tensor) -> Tensor:
        if not self.head.any():
            known = load().train
            x = self.features(normalize(known.images[:3000]))
            y = F.one_hot(known.targets[:3000], 10) - 0.1
            ridge = x.T @ x + 10 * torch.eye(x.shape[1])
            self.head.data = torch.linalg.solve(ridge, x.T @ y)
        return self.features(images) @ self.head


SMALL_NETWORK = Exercise(
    solution=_RandomKernels(),
    cases=[{}],
    observe=_measure,
    score=_score_network,
    time_limit=60.0,  # the digits are loaded, and six thousand of them read
)

EXERCISES = {
    "conv2d": CONV2D,
    "conv_channels": CONV_CHANNELS,
    "output_size": OUTPUT_SIZE,
    "max_pool": MAX_POOL,
    "batch_norm": BATCH_NORM,
    "receptive_field": RECEPTIVE_FIELD,
    "small_network": SMALL_NETWORK,
}
