"""Attempts as readers write them, and a word of the hint that each gets."""

import torch


def count(sizes, bias):
    total = 0
    for i in range(len(sizes) - 1):
        total += sizes[i] * sizes[i + 1] + bias(sizes, i)
    return total


def count_last(sizes):
    for i in range(len(sizes) - 1):
        total = 0
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


ATTEMPTS = {
    "count_parameters": {
        "you forgot the biases": lambda sizes: count(sizes, lambda s, i: 0),
        "bias for each input": lambda sizes: count(sizes, lambda s, i: s[i]),
        "pixels have no bias": lambda sizes: (
            sizes[0] + count(sizes, lambda s, i: s[i + 1])
        ),
        "one bias for each layer": lambda sizes: count(sizes, lambda s, i: 1),
        "you count the neurons": lambda sizes: int(torch.tensor(sizes).sum()),
        "first layer only": lambda sizes: (sizes[0] + 1) * sizes[1],
        "last layer only": count_last,
        "not a float": lambda sizes: float(count(sizes, lambda s, i: s[i + 1])),
    },
    "accuracy": {
        "you count the right answers": lambda z, t: torch.sum(z.max(1).indices == t),
        "fraction of wrong answers": lambda z, t: (
            (z.max(1).indices != t).float().mean()
        ),
        "over dimension 1": lambda z, t: (z.argmax(dim=0) == t).double().mean(),
        "no answer yet": lambda z, t: (z[range(len(t)), t] > 0).float().mean(),
        "mean probability": lambda z, t: torch.softmax(z, 1)[range(len(t)), t].mean(),
        "not per cent": lambda z, t: 100 * sum(z.argmax(1) == t) / len(t),
        "the numbers differ": lambda z, t: (z.argmax(1) == t).sum() / (len(t) + 1),
    },
    "permute_weights": {
        "takes the order back": lambda w, order: torch.empty_like(w).index_copy(
            1, order, w
        ),
        "these are the old weights": lambda w, order: w,
        "the shape is transposed": lambda w, order: w.T[order],
        "only reverse": lambda w, order: w[:, range(w.shape[1] - 1, -1, -1)],
        "order of size": lambda w, order: torch.sort(w, descending=True).values,
        "the numbers differ": lambda w, order: w[:, order] + 1,
    },
}
