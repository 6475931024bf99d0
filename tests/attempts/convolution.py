"""Attempts as readers write them, and a word of the hint that each gets."""

import numpy as np
import torch


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


ATTEMPTS = {
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
        "these are the products": lambda image, kernel: torch.stack(
            [
                torch.stack([image[i : i + 2, j : j + 2] * kernel for j in range(3)])
                for i in range(2)
            ]
        ),
        "mean of the products": lambda image, kernel: slide(
            image, kernel, lambda w, k: (w * k).mean()
        ),
        "multiply them by the kernel": lambda image, kernel: slide(
            image, kernel, lambda w, k: w.sum()
        ),
        "the window must move": lambda image, kernel: slide(
            image, kernel, lambda w, k: (image[:2, :2] * k).sum()
        ),
        "by its own length": lambda image, kernel: slide(
            image, kernel, respond, (1, 2), step=2
        ),
        "the numbers differ": lambda image, kernel: slide(
            image, kernel, lambda w, k: w.sum() * k.sum()
        ),
    },
    "max_pool": {
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
        "upper left corner": lambda image, size: pool(
            image, size, lambda window: window[0, 0]
        ),
        "along the rows only": lambda image, size: image.view(
            len(image), -1, size
        ).amax(2),
        "of the whole image": lambda image, size: image.flatten().max(),
        "starts from 0": lambda image, size: pool(image, size, longest),
        "does not fit into": lambda image, size: torch.tensor(
            [
                [
                    float(image[i : i + size, j : j + size].max())
                    for j in range(0, image.shape[1], size)
                ]
                for i in range(0, image.shape[0], size)
            ]
        ),
        "a torch tensor": lambda image, size: (
            image.unfold(0, size, size).unfold(1, size, size).amax((2, 3)).tolist()
        ),
    },
    "output_size": {
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
        "the numbers differ": lambda n, k, p, s: (n + 2 * p) // s,
    },
    "receptive_field": {
        "start from 1": lambda layers: see(layers, 0),
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
        "from the last layer to the first": lambda layers: (
            1
            + sum(
                (kernel - 1) * int(np.prod([s for _, s in layers[i + 1 :]]))
                for i, (kernel, _) in enumerate(layers)
            )
        ),
        "a whole number": lambda layers: (see(layers), 1),
    },
}
