"""Attempts as readers write them, and a word of the hint that each gets."""

import torch

ATTEMPTS = {
    "respond": {
        "is not as high as the kernel": lambda maps, weights, i, j: (
            maps[:, i : i + weights.shape[0], j : j + weights.shape[1]] * weights
        ).sum(),
        "the other way round": lambda a, w, i, j: torch.conv2d(a, w[None])[0, j, i],
        "upside down": lambda a, w, i, j: torch.conv2d(a, w.flip(1, 2)[None])[0, i, j],
        "mean of the products": lambda a, w, i, j: (
            torch.conv2d(a, w[None])[0, i, j] / w.numel()
        ),
        "these are the products": lambda a, w, i, j: a[:, i : i + 2, j : j + 2] * w,
        "for each channel": lambda a, w, i, j: torch.einsum(
            "cij,cij->c", a[:, i : i + 2, j : j + 2], w
        ),
        "multiply it by the weights": lambda a, w, i, j: a[
            :, i : i + 2, j : j + 2
        ].sum(),
        "first channel only": lambda a, w, i, j: (
            a[0, i : i + 2, j : j + 2] * w[0]
        ).sum(),
        "not a float": lambda a, w, i, j: torch.conv2d(a, w[None])[0, i, j].item(),
    },
    "most_excited": {
        "you add the places up": lambda a, c, k: a.mean((2, 3))[:, c].topk(k).indices,
        "least": lambda a, c, k: a[:, c].flatten(1).max(1).values.argsort()[:k],
        "wrong order": lambda a, c, k: a[:, c].flatten(1).max(1).values.argsort()[-k:],
        "largest numbers themselves": lambda a, c, k: (
            a[:, c].flatten(1).max(1).values.sort(descending=True).values[:k]
        ),
        "all channels": lambda a, c, k: (
            a.flatten(1).max(1).values.argsort(descending=True)[:k]
        ),
        "dimension 1": lambda a, c, k: (
            a[c].flatten(1).max(1).values.argsort(descending=True)[:k]
        ),
    },
    "nearest": {
        "at distance 0": lambda f: (f[:, None] - f).norm(dim=2).argmin(1),
        "the farthest": lambda f: (f[:, None] - f).norm(dim=2).argmax(1),
        "these are the distances": lambda f: (
            (f[:, None] - f).norm(dim=2).topk(2, largest=False).values[:, 1]
        ),
        "largest product": lambda f: (f @ f.T - 1e6 * torch.eye(len(f))).argmax(1),
        "index of one pair": lambda f: (
            (f[:, None] - f).norm(dim=2) + 1e6 * torch.eye(len(f))
        ).argmin(),
        "shape should be (4,), not (4, 2)": lambda f: (
            (f[:, None] - f).norm(dim=2).topk(2, largest=False).indices
        ),
    },
}
