"""Attempts as readers write them, and a word of the hint that each gets."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from mnistedu.data import load
from mnistedu.preprocess import normalize


def slide(image, kernel, combine, shape=None, step=1):
    """The two loops of the chapter, with one of their lines left to the caller."""
    h, w = kernel.shape
    height, width = shape or (image.shape[0] - h + 1, image.shape[1] - w + 1)
    output = torch.zeros(height, width)
    for i in range(min(height, (image.shape[0] - h) // step + 1)):
        for j in range(min(width, (image.shape[1] - w) // step + 1)):
            window = image[i * step : i * step + h, j * step : j * step + w]
            output[i, j] = combine(window, kernel)
    return output


def respond(window, kernel):
    return (window * kernel).sum()


def pool(image, size, combine, step=None):
    step = step or size
    rows = range(0, image.shape[0] - size + 1, step)
    columns = range(0, image.shape[1] - size + 1, step)
    return torch.tensor(
        [
            [float(combine(image[i : i + size, j : j + size])) for j in columns]
            for i in rows
        ]
    )


def longest(window):
    best = 0
    for number in window.flatten():
        best = max(best, number)
    return best


def see(layers, start=1, grow=lambda kernel: kernel - 1):
    size = start
    for kernel, _ in layers:
        size += grow(kernel)
    return size


def _c_return_inside(image, kernel):
    h, w = kernel.shape
    out = torch.zeros(image.shape[0] - h + 1, image.shape[1] - w + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
        return out


def _c_assign(image, kernel):
    h, w = kernel.shape
    out = torch.zeros(image.shape[0] - h + 1, image.shape[1] - w + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for a in range(h):
                for b in range(w):
                    out[i, j] = image[i + a, j + b] * kernel[a, b]
    return out


def _c_three(image, kernel):
    out = torch.zeros(image.shape[0] - 2, image.shape[1] - 2)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + 3, j : j + 3] * kernel).sum()
    return out


def _c_square(image, kernel):
    k = kernel.shape[0]
    out = torch.zeros(image.shape[0] - k + 1, image.shape[1] - k + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + k, j : j + k] * kernel).sum()
    return out


def _c_range_short(image, kernel):
    h, w = kernel.shape
    out = torch.zeros(image.shape[0] - h + 1, image.shape[1] - w + 1)
    for i in range(image.shape[0] - h):
        for j in range(image.shape[1] - w):
            out[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
    return out


def _c_whole_image(image, kernel):
    h, w = kernel.shape
    out = torch.zeros(image.shape)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
    return out


def _c_swapij(image, kernel):
    h, w = kernel.shape
    out = torch.zeros(image.shape[0] - h + 1, image.shape[1] - w + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[j : j + h, i : i + w] * kernel).sum()
    return out


def _c_no_sum(image, kernel):
    h, w = kernel.shape
    out = torch.zeros(image.shape[0] - h + 1, image.shape[1] - w + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = image[i : i + h, j : j + w] * kernel
    return out


def _c_list(image, kernel):
    h, w = kernel.shape
    return [
        (image[i : i + h, j : j + w] * kernel).sum()
        for i in range(image.shape[0] - h + 1)
        for j in range(image.shape[1] - w + 1)
    ]


def _p_index(image, size):
    h, w = image.shape
    out = torch.zeros(h // size, w // size)
    for i in range(0, h, size):
        for j in range(0, w, size):
            out[i, j] = image[i : i + size, j : j + size].max()
    return out


def _p_square(image, size):
    n = image.shape[0] // size
    out = torch.zeros(n, n)
    for i in range(n):
        for j in range(n):
            out[i, j] = image[
                size * i : size * i + size, size * j : size * j + size
            ].max()
    return out


def _r(start=1, step0=1, add=lambda k, s, step: (k - 1) * step, order="step after"):

    def f(layers):
        size, step = (start, step0)
        for k, s in layers:
            if order == "step first":
                step *= s
            size += add(k, s, step)
            if order == "step after":
                step *= s
        return size

    return f


def _r_last(layers):
    size, step = (1, 1)
    for k, s in reversed(layers):
        size += (k - 1) * step
        step *= s
    return size


def _r_right(layers):
    size = 1
    for k, s in reversed(layers):
        size = (size - 1) * s + k
    return size


def each_channel(image, kernels):
    return torch.stack(
        [
            torch.stack([slide(x, w, respond) for x, w in zip(image, kernel)])
            for kernel in kernels
        ]
    )


def normalise(x, mean, var):
    mean, var = mean[:, None, None], var[:, None, None]
    return (x - mean) / torch.sqrt(var + 1e-5)


def batch_norm(x, mean, var, training):
    if training:
        mean = x.mean((0, 2, 3))
        var = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))
    return normalise(x, mean, var)


class _Fitted(nn.Module):
    """Random kernels, and a linear layer fitted to what they give."""

    def __init__(self, kernels, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv2d(1, kernels, 5, bias=False)
        self.pool = nn.Sequential(
            nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(5), nn.Flatten()
        )
        self.head = nn.Linear(25 * kernels, 10)
        self.fitted = False

    def forward(self, images):
        if not self.fitted:
            train = load().train
            x = self.pool(self.conv(normalize(train.images[:3000])))
            self.head.weight.data, self.fitted = (
                torch.linalg.solve(
                    x.T @ x + torch.eye(x.shape[1]),
                    x.T @ F.one_hot(train.targets[:3000], 10).float(),
                ).T,
                True,
            )
            self.head.bias.data.zero_()
        return self.head(self.pool(self.conv(images)))


def _stretch_all(layers):
    field = 1
    for kernel, stride in layers:
        field = (field + kernel - 1) * stride
    return field


ATTEMPTS = {
    "small_network": {
        "pass a network, an nn.Module": lambda images: images.flatten(1)[:, :10],
        "5,000 parameters are allowed": nn.Sequential(
            nn.Flatten(), nn.Linear(784, 10), nn.ReLU(), nn.Linear(10, 10)
        ),
        "90% are asked for": nn.Sequential(
            nn.AvgPool2d(7), nn.Flatten(), nn.Linear(16, 10)
        ),
        "give logits (N, 10), not": nn.Flatten(),
        "do not fit": nn.Linear(784, 10),
    },
    "conv2d": {
        "the product of matrices": lambda image, kernel: slide(
            image, kernel, lambda w, k: (w @ k).sum()
        ),
        "upside down": lambda image, kernel: slide(
            image, kernel, lambda w, k: (w * k.flip(0).flip(1)).sum()
        ),
        "your kernel is transposed": lambda image, kernel: slide(
            image, kernel.T, respond
        ),
        "your output is transposed": lambda image, kernel: slide(
            image, kernel, respond
        ).permute(1, 0),
        "row and column are missing": lambda image, kernel: slide(
            image,
            kernel,
            respond,
            (image.shape[0] - kernel.shape[0], image.shape[1] - kernel.shape[1]),
        ),
        "as large as the image": lambda image, kernel: slide(
            image, kernel, respond, image.shape
        ),
        "mean of the products": lambda image, kernel: slide(
            image, kernel, lambda w, k: (w * k).mean()
        ),
        "multiply them by the kernel": lambda image, kernel: slide(
            image, kernel, lambda w, k: w.sum()
        ),
        "only the first place, or the first": _c_return_inside,
        "each place holds the last of its": _c_assign,
        "works for kernels of 3 × 3": _c_three,
        "works for square kernels only": _c_square,
        "row and column stay": _c_range_short,
        "the shape should be (2, 3), not (3, 4)": _c_whole_image,
        "your window begins at row j and": _c_swapij,
        "a whole tensor does not fit into": _c_no_sum,
        "the numbers are right, but the shape": _c_list,
        "the shape should be (2, 3), not (4, 5)": lambda i, k: F.conv2d(
            i[None, None], k[None, None], padding=1
        )[0, 0],
        "the numbers are right, but": lambda i, k: F.conv2d(
            i[None, None], k[None, None]
        ),
        "what should be negative is 0, and": lambda i, k: F.conv2d(
            i[None, None], k[None, None]
        )[0, 0].relu(),
    },
    "max_pool": {
        "a row and a column too large": lambda image, size: torch.stack(
            [
                torch.stack(
                    [
                        image[i : i + size + 1, j : j + size + 1].max()
                        for j in range(0, image.shape[1] - size + 1, size)
                    ]
                )
                for i in range(0, image.shape[0] - size + 1, size)
            ]
        ),
        "yours stands at [0, 0], the right one at [1, 0]": lambda image, size: (
            image.unfold(0, size, size).unfold(1, size, size).flatten(2).median(2)[0]
        ),
        "begins at i * size": lambda image, size: torch.tensor(
            [
                [
                    image[i : i + size, j : j + size].max().item()
                    for j in range(image.shape[1] // size)
                ]
                for i in range(image.shape[0] // size)
            ]
        ),
        "that is the mean": lambda image, size: pool(image, size, torch.mean),
        "these are the smallest": lambda image, size: pool(image, size, torch.min),
        "you add each window up": lambda image, size: pool(image, size, torch.sum),
        "your windows overlap": lambda image, size: pool(image, size, torch.max, 1),
        "of the whole image": lambda image, size: image.flatten().max(),
        "starts from 0, but all numbers of": lambda image, size: pool(
            image, size, longest
        ),
        "does not fit into": lambda image, size: torch.tensor(
            [
                [
                    float(image[i : i + size, j : j + size].max())
                    for j in range(0, image.shape[1], size)
                ]
                for i in range(0, image.shape[0], size)
            ]
        ),
        "there is no place 2 in a dimension": _p_index,
        "your result is square, as high as": _p_square,
        "your windows are 2 × 2 whatever": lambda i, s: F.max_pool2d(i[None, None], 2)[
            0, 0
        ],
        "you keep the upper left corner of": lambda i, s: i[::s, ::s],
        "the shape should be (1, 2), not (1, 4)": lambda i, s: i.unfold(0, s, s).amax(
            2
        ),
        "35 numbers do not fill the shape": lambda i, s: i.view(
            i.shape[0] // s, s, i.shape[1] // s, s
        ).amax((1, 3)),
        "these are values and where they were": lambda i, s: (
            i.unfold(0, s, s).unfold(1, s, s).flatten(2).max(2)
        ),
        "the numbers are right, but the shape": lambda i, s: F.max_pool2d(
            i[None, None], s
        ),
    },
    "output_size": {
        "% is what remains": lambda n, k, padding, stride: (
            (n + 2 * padding - k) % stride + 1
        ),
        "counts twice, whatever the stride": lambda n, k, padding, stride: (
            (n + stride * padding - k) // stride + 1
        ),
        "so add 1": lambda n, k, p, s: (n - k + 2 * p) // s,
        "/ gives a float": lambda n, k, p, s: 1 + (n - k + 2 * p) / s,
        "it counts twice": lambda n, k, p, s: len(range(0, n + p - k + 1, s)),
        "you forgot the padding": lambda n, k, p, s: len(range(0, n - k + 1, s)),
        "makes the image larger": lambda n, k, p, s: (n - k - 2 * p) // s + 1,
        "you forgot the stride": lambda n, k, p, s: n - k + 2 * p + 1,
        "after you divide": lambda n, k, p, s: (n - k + 2 * p + 1) // s,
        "reaches over the edge": lambda n, k, p, s: int(
            np.ceil((n + 2 * p - k) / s) + 1
        ),
        "k // 2 on each side makes": lambda n, k, p, s: (n + 2 * p - 2 * (k // 2)) // s,
        "is the number of pixels divided by": lambda n, k, p, s: n // s,
        "that does not fit whole is left out": lambda n, k, p, s: (
            round((n + 2 * p - k) / s) + 1
        ),
        "// comes before + and -": lambda n, k, p, s: n + 2 * p - k // s + 1,
        "one number is asked for": lambda n, k, p, s: ((n + 2 * p - k) // s + 1,) * 2,
        "k is not 3 in every case": lambda n, k, p, s: (n + 2 * p - 3) // s + 1,
    },
    "receptive_field": {
        "multiply the whole field by the stride": _stretch_all,
        "kernel and stride are exchanged": lambda layers: (
            1
            + sum(
                (s - 1) * math.prod(k for k, _ in layers[:i])
                for i, (_, s) in enumerate(layers)
            )
        ),
        "they overlap": lambda layers: see(layers, 0, lambda kernel: kernel),
        "last layer only": lambda layers: [kernel for kernel, _ in layers][-1],
        "you forgot the strides": see,
        "comes too early": lambda layers: (
            1
            + sum(
                (kernel - 1) * int(np.prod([s for _, s in layers[: i + 1]]))
                for i, (kernel, _) in enumerate(layers)
            )
        ),
        "the product of all strides": lambda layers: (
            1
            + sum(
                (kernel - 1) * (layers[i - 1][1] if i else 1)
                for i, (kernel, _) in enumerate(layers)
            )
        ),
        "start from 1": _r(start=0),
        "of size k reaches k - 1 steps further, not half": _r(
            add=lambda k, s, step: k // 2 * step
        ),
        "of size k reaches k - 1 steps further, not k": _r(
            add=lambda k, s, step: k * step
        ),
        "that is the field of these layers": _r_last,
        "you multiply by the layer's own stride": _r(
            add=lambda k, s, step: (k - 1) * s, order="none"
        ),
        "you multiply the kernels": lambda L: math.prod((k for k, s in L)),
        "add the strides up": lambda L: (
            1
            + sum(
                (
                    (k - 1) * (1 + sum((s for _, s in L[:i])))
                    for i, (k, s) in enumerate(L)
                )
            )
        ),
        "each number is the square of what it should be": lambda L: _r()(L) ** 2,
        "last layer is missing": lambda L: _r()(L[:-1]),
        "these two kinds of values cannot be": lambda L: sum(
            (k for k, s in enumerate(L) if s > 0)
        ),
    },
    "conv_channels": {
        "you keep the channels apart": lambda image, kernels: each_channel(
            image, kernels
        ),
        "you take the mean over the channels": lambda image, kernels: each_channel(
            image, kernels
        ).mean(1),
        "you add up over the kernels": lambda image, kernels: each_channel(
            image, kernels
        ).sum(0),
        "you look at the first channel": lambda image, kernels: torch.conv2d(
            image[None, :1], kernels[:, :1]
        )[0],
        "map of the first kernel": lambda image, kernels: torch.conv2d(
            image[None], kernels[:1]
        )[0, 0],
        "upside down": lambda image, kernels: torch.conv2d(
            image[None], kernels.flip(2).flip(3)
        )[0],
        "the numbers are right, but": lambda image, kernels: torch.conv2d(
            image[None], kernels
        ),
        "that is the sum of what": lambda image, kernels: torch.conv2d(
            image[None], kernels
        ).sum(),
    },
    "batch_norm": {
        "/ comes before -": lambda x, mean, var, training: (
            x
            - (x.mean((0, 2, 3)) if training else mean)[:, None, None]
            / (
                (x.var((0, 2, 3), correction=0) if training else var)[:, None, None]
                + 1e-5
            )
            ** 0.5
        ),
        "the batch must not matter": lambda x, mean, var, training: normalise(
            x, x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        ),
        "own mean and variance count": lambda x, mean, var, training: normalise(
            x, mean, var
        ),
        "divides by n - 1": lambda x, mean, var, training: normalise(
            x,
            x.mean((0, 2, 3)) if training else mean,
            x.var((0, 2, 3)) if training else var,
        ),
        "training and use are exchanged": lambda x, mean, var, training: batch_norm(
            x, mean, var, not training
        ),
        "each image by itself": lambda x, mean, var, training: (
            (x - x.mean((2, 3), keepdim=True))
            / (x.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
            if training
            else normalise(x, mean, var)
        ),
        "all channels together": lambda x, mean, var, training: (
            (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
            if training
            else normalise(x, mean, var)
        ),
        "is still what it was": lambda x, mean, var, training: (
            x - (x.mean((0, 2, 3)) if training else mean)[:, None, None]
        ),
        "divide by its root": lambda x, mean, var, training: (
            (x - x.mean((0, 2, 3), keepdim=True))
            / (x.var((0, 2, 3), correction=0, keepdim=True) + 1e-5)
            if training
            else (x - mean[:, None, None]) / (var[:, None, None] + 1e-5)
        ),
    },
}

SOLUTIONS = {
    "small_network": [_Fitted(16, 1), _Fitted(16, 2), _Fitted(15, 3)],
    "conv2d": [
        lambda i, k: F.conv2d(i[None, None], k[None, None])[0, 0],
        lambda i, k: [
            [
                float((i[a : a + k.shape[0], b : b + k.shape[1]] * k).sum())
                for b in range(i.shape[1] - k.shape[1] + 1)
            ]
            for a in range(i.shape[0] - k.shape[0] + 1)
        ],
        lambda i, k: (i.unfold(0, k.shape[0], 1).unfold(1, k.shape[1], 1) * k).sum(
            (2, 3)
        ),
    ],
    "output_size": [
        lambda n, k, p, s: len(range(0, n + 2 * p - k + 1, s)),
        lambda n, k, p, s: math.floor((n + 2 * p - k) / s + 1),
        lambda n, k, p, s: torch.tensor((n + 2 * p - k) // s + 1),
        lambda n, k, p, s: float((n + 2 * p - k) // s + 1),
    ],
    "max_pool": [
        lambda i, s: F.max_pool2d(i[None], s)[0],
        lambda i, s: (
            i[: i.shape[0] // s * s, : i.shape[1] // s * s]
            .reshape(i.shape[0] // s, s, i.shape[1] // s, s)
            .amax((1, 3))
        ),
        lambda i, s: [
            [
                max(i[a * s + c, b * s + d].item() for c in range(s) for d in range(s))
                for b in range(i.shape[1] // s)
            ]
            for a in range(i.shape[0] // s)
        ],
    ],
    "receptive_field": [
        _r_right,
        lambda L: (
            1
            + sum(
                (
                    (k - 1) * math.prod((s for _, s in L[:i]))
                    for i, (k, _) in enumerate(L)
                )
            )
        ),
        lambda L: torch.tensor(_r()(L)),
    ],
    "conv_channels": [
        lambda image, kernels: torch.conv2d(image[None], kernels)[0],
        lambda image, kernels: each_channel(image, kernels).sum(1),
        lambda image, kernels: torch.stack(
            [
                sum(slide(x, w, respond) for x, w in zip(image, kernel))
                for kernel in kernels
            ]
        ),
    ],
    "batch_norm": [
        batch_norm,
        lambda x, mean, var, training: F.batch_norm(
            x, mean.clone(), var.clone(), training=training
        ),
        lambda x, mean, var, training: torch.stack(
            [
                (c - (c.mean() if training else m))
                / ((c.var(correction=0) if training else v) + 1e-5) ** 0.5
                for c, m, v in zip(x.transpose(0, 1), mean, var)
            ],
            1,
        ),
    ],
}

# Right in simple cases only.
SIMPLE = {
    "conv2d": [lambda image, k: F.conv2d(image[None, None], k[None, None]).squeeze()],
    "conv_channels": [lambda image, k: torch.conv2d(image[:3], k[:, :3])],
    "output_size": [
        lambda n, k, p, s: (n + 2 * p - 2 * (k // 2) - 1) // s + 1,  # right for odd k
        lambda n, k, p, s: 0 if k > n else (n + 2 * p - k) // s + 1,
    ],
    "max_pool": [
        lambda image, size: torch.max_pool2d(image[None], size, 2)[0],
        lambda image, size: torch.max_pool2d(image[None], min(size, 3))[0],
        lambda image, size: pool(image, size, lambda w: max(-9999, w.max())),
    ],
    "receptive_field": [
        lambda layers: _r_right([layer for layer in layers if layer[0] > 1]),
    ],
}
