"""Attempts as readers write them, and a word of the hint that each gets."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
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


def _permute_loop(w, o):
    r = torch.empty_like(w)
    for j in range(len(o)):
        r[:, j] = w[:, o[j]]
    return r


def accuracy(model, batches):
    right = [model(images).argmax(1) == targets for images, targets in batches]
    return torch.cat(right).float().mean().item()


def epoch(
    model,
    loss_fn,
    optimizer,
    train_batches,
    val_batches,
    zero=True,
    step=True,
    sign=1,
    train=True,
    evaluate=True,
    no_grad=True,
    measure=accuracy,
    softmax=False,
):
    if train:
        model.train()
    for images, targets in train_batches:
        logits = model(images)
        loss = sign * loss_fn(logits.softmax(1) if softmax else logits, targets)
        loss.backward()
        if step:
            optimizer.step()
        if zero:
            optimizer.zero_grad()
    model.train(train and not evaluate)
    with torch.set_grad_enabled(not no_grad):
        return measure(model, val_batches)


def _step_first(model, loss_fn, optimizer, train_batches, val_batches):
    model.train()
    for images, targets in train_batches:
        optimizer.step()
        optimizer.zero_grad()
        loss_fn(model(images), targets).backward()
    model.eval()
    with torch.no_grad():
        return accuracy(model, val_batches)


def _own_optimizer(model, loss_fn, optimizer, train_batches, val_batches):
    own = torch.optim.SGD(model.parameters(), lr=0.5)
    return epoch(model, loss_fn, own, train_batches, val_batches)


def _zero_biases(model, *arguments):
    result = epoch(model, *arguments)
    torch.nn.init.zeros_(model.bias)
    return result


ATTEMPTS = {
    "count_parameters": {
        "sizes[-1] is the last": lambda sizes: sum(
            sizes[i - 1] * sizes[i] + sizes[i] for i in range(len(sizes))
        ),
        "you add inputs and neurons": lambda sizes: sum(
            a + b for a, b in pairwise(sizes)
        ),
        "one bias, not two": lambda sizes: sum(
            a * b + 2 * b for a, b in pairwise(sizes)
        ),
        "you forgot the biases": lambda sizes: count(sizes, lambda s, i: 0),
        "bias for each input": lambda sizes: count(sizes, lambda s, i: s[i]),
        "pixels have no bias": lambda sizes: (
            sizes[0] + count(sizes, lambda s, i: s[i + 1])
        ),
        "one bias for each layer": lambda sizes: (
            len(sizes) + count(sizes, lambda s, i: 0)
        ),
        "the last layer have biases too": lambda sizes: (
            count(sizes, lambda s, i: s[i + 1]) - sizes[-1]
        ),
        "you count the neurons": lambda sizes: int(torch.tensor(sizes).sum()),
        "first layer only": lambda sizes: (sizes[0] + 1) * sizes[1],
        "last layer only": count_last,
        "you multiply all sizes": lambda s: math.prod(s),
        "this list has no such place": lambda s: sum(
            s[i] * s[i + 1] + s[i + 1] for i in range(len(s))
        ),
        "last layer is missing": lambda s: sum(
            s[i] * s[i + 1] + s[i + 1] for i in range(len(s) - 2)
        ),
        "it is 0.001 times what it should": lambda s: (
            sum((a * b + b for a, b in pairwise(s))) / 1000
        ),
        "it is 235146 in every case": lambda s: (
            784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
        ),
        "your function counts three layers, but a": lambda s: (
            s[0] * s[1] + s[1] + s[1] * s[2] + s[2] + s[2] * s[3] + s[3]
        ),
        "these are the layers one by one: add them up": lambda s: [
            a * b + b for a, b in pairwise(s)
        ],
        "first layer is missing": lambda s: sum(
            s[i] * s[i + 1] + s[i + 1] for i in range(1, len(s) - 1)
        ),
        "has a bias for each output, and": lambda s: sum(
            (a * b + a + b for a, b in pairwise(s))
        ),
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
        "times len(logits) / (len(logits) + 1)": lambda z, t: (
            (z.argmax(1) == t).sum() / (len(t) + 1)
        ),
        "argmax() alone gives one place in the": lambda z, t: (
            (z.argmax() == t).float().mean()
        ),
        "only floats have a mean": lambda z, t: (z.argmax(1) == t).mean(),
        "the targets with the largest": lambda z, t: (z.amax(1) == t).float().mean(),
        "the targets with the logits": lambda z, t: (z == t).float().mean(),
        "a digit may be the most probable": lambda z, t: (
            (z.softmax(1)[range(len(t)), t] > 0.5).float().mean()
        ),
        "for the smallest logit": lambda z, t: (z.argmin(1) == t).float().mean(),
        "you divide by the": lambda z, t: (z.argmax(1) == t).sum() / z.shape[1],
        "these say for each image whether it": lambda z, t: (z.argmax(1) == t).float(),
        "what you compare is no tensor, so": lambda z, t: (
            (z.max(1) == t).float().mean()
        ),
        "divide by 10": lambda z, t: (z.argmax(1) == t).sum() / 10,
        "and else 0, as // does": lambda z, t: (z.argmax(1) == t).sum() // len(t),
        "if, and, or, not need one True": lambda z, t: 1.0 if z.argmax(1) == t else 0.0,
        "these are the answers: compare them with the targets": lambda z, t: z.argmax(
            1
        ),
    },
    "permute_weights": {
        "takes the order back": lambda w, order: torch.empty_like(w).index_copy(
            1, order, w
        ),
        "these are the old weights": lambda w, order: w,
        "the shape is transposed": lambda w, order: w.T[order],
        "only reverse": lambda w, order: w[:, range(w.shape[1] - 1, -1, -1)],
        "order of size": lambda w, order: torch.sort(w, descending=True).values,
        "put the rows in another order, but": lambda w, o: w[o],
        "the right numbers are there, but sorted": lambda w, o: w.sort(1).values,
        "you multiply by the places": lambda w, o: w * o,
        "whole numbers or a mask meet floats": lambda w, o: w @ o,
        "gather and scatter want an index with": lambda w, o: w.gather(1, o),
    },
    "train_epoch": {
        "you take a loss of your own": lambda model, loss_fn, optimizer, train, val: (
            epoch(model, torch.nn.functional.cross_entropy, optimizer, train, val)
        ),
        "gradients add up from batch": partial(epoch, zero=False),
        "the weights are what they were": partial(epoch, step=False),
        "returns nothing": partial(epoch, measure=lambda model, batches: None),
        "you walk uphill": partial(epoch, sign=-1),
        "call model.train() before you": partial(epoch, train=False),
        "call model.eval() before it": partial(epoch, evaluate=False),
        "the validation records gradients": partial(epoch, no_grad=False),
        "these are the right answers": partial(
            epoch,
            measure=lambda model, batches: sum(
                int((model(x).argmax(1) == y).sum()) for x, y in batches
            ),
        ),
        "mean of the batches' accuracies": partial(
            epoch,
            measure=lambda model, batches: (
                sum((model(x).argmax(1) == y).float().mean() for x, y in batches)
                / len(batches)
            ),
        ),
        "softmax itself: give it the logits": partial(epoch, softmax=True),
        "the step comes before backward()": _step_first,
        "you divide by the number of batches": partial(
            epoch,
            measure=lambda model, batches: (
                sum((model(x).argmax(1) == y).sum() for x, y in batches) / len(batches)
            ),
        ),
        "the accuracy on the training images": (
            lambda model, loss_fn, opt, train, val: epoch(
                model, loss_fn, opt, train, train
            )
        ),
        "accuracy of the last batch": partial(
            epoch,
            measure=lambda model, batches: [
                (model(x).argmax(1) == y).float().mean() for x, y in batches
            ][-1],
        ),
        "learns from the validation images": lambda model, loss_fn, opt, train, val: (
            epoch(model, loss_fn, opt, train + val, val)
        ),
        "here twice": lambda model, loss_fn, opt, train, val: epoch(
            model, loss_fn, opt, train + train, val
        ),
        "what is returned is wrong, and every other is right: these are per cent": (
            partial(
                epoch,
                measure=lambda model, batches: 100 * accuracy(model, batches),
            )
        ),
    },
}

SOLUTIONS = {
    "count_parameters": [
        lambda s: sum(s[i + 1] * (s[i] + 1) for i in range(len(s) - 1)),
        lambda s: torch.tensor([(a + 1) * b for a, b in zip(s, s[1:])]).sum(),
        lambda s: float(sum(((a + 1) * b for a, b in zip(s[:-1], s[1:])))),
    ],
    "accuracy": [
        lambda z, t: (z.argmax(1) == t).float().mean().item(),
        lambda z, t: sum((int(r.argmax()) == int(u) for r, u in zip(z, t))) / len(t),
        lambda z, t: np.mean(z.numpy().argmax(1) == t.numpy()),
        lambda z, t: (z.max(1).indices == t).sum() / len(t),
    ],
    "permute_weights": [
        _permute_loop,
        lambda w, o: w.index_select(1, o),
        lambda w, o: w.T[o].T,
        lambda w, o: w @ torch.eye(len(o))[o].T,
    ],
    "train_epoch": [
        epoch,
        lambda model, loss_fn, optimizer, train, val: epoch(
            model,
            loss_fn,
            optimizer,
            iter(train),
            [tuple(torch.cat(part) for part in zip(*val))],
        ),
        lambda model, loss_fn, optimizer, train, val: epoch(
            model, lambda z, t: loss_fn(z.double(), t), optimizer, tuple(train), val
        ),
    ],
}

# Right in simple cases only.
SIMPLE = {
    "count_parameters": [
        lambda sizes: sum(a * b + b for a, b in {*pairwise(sizes)}),
        lambda sizes: sum((s + 1) * sizes[sizes.index(s) + 1] for s in sizes[:-1]),
    ],
    "accuracy": [
        lambda z, t: (z.relu().argmax(1) == t).float().mean().item(),
        lambda z, t: ((z.exp() / z.exp().sum(1, True)).argmax(1) == t).float().mean(),
        lambda z, t: (z.argmax(1) == t).sum(dtype=torch.uint8).item() / len(t),
    ],
    "train_epoch": [_own_optimizer, _zero_biases],
}
