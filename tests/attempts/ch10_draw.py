"""Attempts as readers write them, and a word of the hint that each gets."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F


def center(ink: Tensor, first: float = 0.5) -> tuple[Tensor, Tensor]:
    rows, columns = (torch.arange(float(n)) + first for n in ink.shape)
    return (ink.sum(1) @ rows / ink.sum()), (ink.sum(0) @ columns / ink.sum())


def box(ink: Tensor, faintest: float = 0.1) -> list[Tensor]:
    rows, columns = (ink > faintest).nonzero().T
    return [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]


def _com(half=0.5, dims=(1, 0), norm=lambda x: x.sum(), order=1):

    def f(x):
        r = ((torch.arange(x.shape[0]) + half) * x.sum(dims[0])).sum() / norm(x)
        c = ((torch.arange(x.shape[1]) + half) * x.sum(dims[1])).sum() / norm(x)
        return (r.item(), c.item())[::order]

    return f


def _box(x, limit=0.1, strict=True):
    m = x > limit if strict else x >= limit
    r, c = (m.any(1).nonzero().flatten(), m.any(0).nonzero().flatten())
    return (r[0].item(), r[-1].item() + 1, c[0].item(), c[-1].item() + 1)


def _box_of_lists(ink):
    rows = [i for i, row in enumerate(ink.tolist()) if max(row) > 0.1]
    columns = [j for j, column in enumerate(ink.T.tolist()) if max(column) > 0.1]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def halves(targets, cut=lambda n: n // 2, digits=range(10), sort=True):
    learn, held_out = [], []
    for digit in digits:
        places = [i for i, target in enumerate(targets.tolist()) if target == digit]
        learn += places[: cut(len(places))]
        held_out += places[cut(len(places)) :]
    parts = (sorted(learn), sorted(held_out)) if sort else (learn, held_out)
    return tuple(torch.tensor(part, dtype=torch.int64) for part in parts)


def step(
    network, optimizer, x, y, old_x, old_y, mode=None, zero=True, end=True, join=True
):
    if mode:
        network.train()
    if zero:
        optimizer.zero_grad()
    if join:
        x, y = torch.cat([old_x, x]), torch.cat([old_y, y])
    loss = F.cross_entropy(network(x), y)
    loss.backward()
    if end:
        optimizer.step()
    return loss


def by_rank(targets: Tensor) -> tuple[Tensor, Tensor]:
    """Of each image, how many of its digit come before it."""
    same = targets[:, None] == targets
    learns = same.tril(-1).sum(1) < same.sum(1) // 2
    return learns.nonzero()[:, 0], (~learns).nonzero()[:, 0]


def _step_and_train(network, optimizer, *images):
    loss = step(network, optimizer, *images)
    network.train()
    return loss


def _step_without_biases(network, optimizer, *images):
    bias = network.bias.detach().clone()
    loss = step(network, optimizer, *images)
    network.bias.data = bias
    return loss


def _step_of_length_one(network, optimizer, *images):
    """With a gradient that is clipped, as in chapter 6."""
    loss = step(network, optimizer, *images, end=False)
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss


def weighted_losses(network, optimizer, x, y, old_x, old_y):
    old = F.cross_entropy(network(old_x), old_y, reduction="sum") if len(old_y) else 0
    loss = F.cross_entropy(network(x), y, reduction="sum") + old
    loss = loss / (len(y) + len(old_y))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def one_after_the_other(network, optimizer, x, y, old_x, old_y):
    step(network, optimizer, x, y, None, None, join=False)
    return step(network, optimizer, old_x, old_y, None, None, join=False)


def two_losses(network, optimizer, x, y, old_x, old_y, share=1):
    loss = F.cross_entropy(network(x), y) + F.cross_entropy(network(old_x), old_y)
    loss = loss * share
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def without_logarithm(network, optimizer, new, new_targets, old, old_targets):
    optimizer.zero_grad()
    logits = network(torch.cat([new, old]))
    loss = F.nll_loss(logits, torch.cat([new_targets, old_targets]))
    loss.backward()
    optimizer.step()
    return loss


ATTEMPTS = {
    "center_of_mass": {
        "lies at 0.5, not at 0": lambda ink: center(ink, first=0),
        "row and column are exchanged": lambda ink: center(ink)[::-1],
        "not by the number of pixels": lambda ink: tuple(
            c * ink.sum() / ink.numel() for c in center(ink)
        ),
        "forgot to divide by the sum of": lambda ink: tuple(
            c * ink.sum() for c in center(ink)
        ),
        "dark pixels weigh more": lambda ink: center((ink > 0).float()),
        "middle of the bounding box": lambda ink: tuple(
            at.float().aminmax()[0] / 2 + at.float().aminmax()[1] / 2 + 0.5
            for at in ink.nonzero().T
        ),
        "the first pixel's middle lies at 0.5": _com(1),
        "two tensors do not fit": lambda x: (
            float((x.sum(1) * (torch.arange(28) + 0.5)).sum() / x.sum()),
            float((x.sum(0) * (torch.arange(28) + 0.5)).sum() / x.sum()),
        ),
        "is the darkest row and column": lambda x: (
            x.sum(1).argmax().item() + 0.5,
            x.sum(0).argmax().item() + 0.5,
        ),
        "the middle of the image": lambda x: (x.shape[0] / 2, x.shape[1] / 2),
        "only the first one is there": lambda x: _com()(x)[0],
        "the numbers are rounded to 0 decimals": lambda x: tuple(map(round, _com()(x))),
        "the half is taken off, not added": lambda x: tuple(
            v - 0.5 for v in _com(0)(x)
        ),
        "the numbers are cut to whole numbers": lambda x: tuple(
            int(v) for v in _com()(x)
        ),
        "you divide by the number of inked": _com(norm=lambda x: (x > 0).sum()),
    },
    "bounding_box": {
        "with > and not with >=": lambda ink: (
            (ink.amax(1) >= 0.1).nonzero().min().item(),
            (ink.amax(1) >= 0.1).nonzero().max().item() + 1,
            (ink.amax(0) >= 0.1).nonzero().min().item(),
            (ink.amax(0) >= 0.1).nonzero().max().item() + 1,
        ),
        "a slice ends before": lambda ink: tuple(
            int(end) - i % 2 for i, end in enumerate(box(ink))
        ),
        "rows and columns are exchanged": lambda ink: (*box(ink)[2:], *box(ink)[:2]),
        "the order is top, bottom": lambda ink: (*box(ink)[::2], *box(ink)[1::2]),
        "how tall and wide": lambda ink: (
            (b := box(ink))[0],
            b[1] - b[0],
            b[2],
            b[3] - b[2],
        ),
        "compare with 0.1, not with 0": lambda ink: tuple(box(ink, faintest=0)),
        "a blank row may lie between": lambda ink: (
            (b := box(ink))[0],
            b[0] + (ink > 0.1).any(1).sum(),
            b[2],
            b[2] + (ink > 0.1).any(0).sum(),
        ),
        "faint traces add up to more than": lambda x: (
            lambda r, c: (r[0].item(), r[-1].item() + 1, c[0].item(), c[-1].item() + 1)
        )((x.sum(1) > 0.1).nonzero().flatten(), (x.sum(0) > 0.1).nonzero().flatten()),
        "is the rectangle itself": lambda x: x[
            _box(x)[0] : _box(x)[1], _box(x)[2] : _box(x)[3]
        ],
        "there is a blank rim": lambda x: (
            lambda b: (b[0] - 1, b[1] + 1, b[2] - 1, b[3] + 1)
        )(_box(x)),
        "these are the two corners": lambda x: (
            (_box(x)[0], _box(x)[2]),
            (_box(x)[1], _box(x)[3]),
        ),
        "if, and, or, not need one True": lambda x: _box(x) if x > 0.1 else None,
        "is the whole image": lambda x: (0, x.shape[0], 0, x.shape[1]),
        "nothing is left here to take something": lambda x: _box(x, 0.5),
        "left and right are the columns of": lambda x: (
            lambda p: (
                p[0, 0].item(),
                p[-1, 0].item() + 1,
                p[0, 1].item(),
                p[-1, 1].item() + 1,
            )
        )((x > 0.1).nonzero()),
        "these count from the other end": lambda x: (
            lambda b: (b[0], x.shape[0] - b[1], b[2], x.shape[1] - b[3])
        )(_box(x)),
        "top and left are one too large": lambda x: tuple(v + 1 for v in _box(x)),
    },
    "held_out_split": {
        "that is the first half of all images": lambda t: (
            torch.arange(len(t) // 2),
            torch.arange(len(t) // 2, len(t)),
        ),
        "are held out as well": lambda t: (halves(t)[0], torch.arange(len(t))),
        "learn and held_out are exchanged": lambda t: halves(t)[::-1],
        "// rounds down": partial(halves, cut=lambda n: -(-n // 2)),
        "nothing but digit 0 is learned from": lambda t: (
            (learn := halves(t, digits=[0])[0]),
            torch.tensor([i for i in range(len(t)) if i not in learn]),
        ),
        "that is one image of each digit": partial(halves, cut=lambda n: 1),
        "in the order of their digits": partial(halves, sort=False),
        "return the places of the images": lambda t: tuple(t[i] for i in halves(t)),
        "return those that are held out too": lambda t: halves(t)[0],
        "these say True or False": lambda t: (
            (m := torch.zeros(len(t), dtype=torch.bool).index_fill(0, halves(t)[0], 1)),
            ~m,
        ),
        "nonzero() gives a column": lambda t: tuple(i.view(-1, 1) for i in halves(t)),
    },
    "fine_tune_step": {
        "nll_loss wants the logarithms": without_logarithm,
        "the old images are left out": partial(step, join=False),
        "two steps, one after the other": one_after_the_other,
        "one half of the loss each": partial(two_losses, share=0.5),
        "the sum of two means": two_losses,
        "the step before are still there": partial(step, zero=False),
        "the weights are what they were": partial(step, end=False),
        "to stay in evaluation mode": partial(step, mode="train"),
    },
}

SOLUTIONS = {
    "center_of_mass": [
        lambda x: torch.tensor(_com()(x)),
        lambda x: list(_com()(x)),
        lambda x: tuple(torch.tensor(v) for v in _com()(x)),
        lambda x: (
            sum(
                (i + 0.5) * x[i, j].item()
                for i in range(x.shape[0])
                for j in range(x.shape[1])
            )
            / x.sum().item(),
            sum(
                (j + 0.5) * x[i, j].item()
                for i in range(x.shape[0])
                for j in range(x.shape[1])
            )
            / x.sum().item(),
        ),
        lambda x: (
            (
                torch.stack(
                    torch.meshgrid(
                        torch.arange(x.shape[0]) + 0.5,
                        torch.arange(x.shape[1]) + 0.5,
                        indexing="ij",
                    )
                )
                * x
            ).sum((1, 2))
            / x.sum()
        ),
    ],
    "bounding_box": [
        lambda x: _box(x),
        lambda x: torch.tensor(_box(x)),
        lambda x: list(_box(x)),
        _box_of_lists,
        lambda x: (lambda r, c: (r.min(), r.max() + 1, c.min(), c.max() + 1))(
            *torch.where(x > 0.1)
        ),
        lambda x: (
            min(i for i in range(x.shape[0]) if (x[i] > 0.1).any()),
            max(i for i in range(x.shape[0]) if (x[i] > 0.1).any()) + 1,
            min(i for i in range(x.shape[1]) if (x[:, i] > 0.1).any()),
            max(i for i in range(x.shape[1]) if (x[:, i] > 0.1).any()) + 1,
        ),
    ],
    "held_out_split": [halves, lambda t: [i.tolist() for i in halves(t)], by_rank],
    "fine_tune_step": [
        step,
        lambda *arguments: step(*arguments).item(),
        weighted_losses,
    ],
}

SIMPLE = {
    "center_of_mass": [_com(norm=lambda x: x.sum().clamp(min=1))],
    "bounding_box": [
        lambda ink: _box(ink, 0.15),
        lambda ink: (
            *(box := _box(ink))[:3],
            box[2] + int((ink > 0.1).any(0).sum()),
        ),
    ],
    "held_out_split": [partial(halves, cut=lambda n: max(1, n // 2))],
    "fine_tune_step": [_step_and_train, _step_of_length_one, _step_without_biases],
}
