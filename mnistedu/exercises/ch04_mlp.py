"""Exercises on the multilayer perceptron: its size, its score, its blindness."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from mnistedu import evaluation
from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.relate import Case
from mnistedu.exercises.varied import varied
from mnistedu.optimizers import SGD


def _count_weights(sizes: list[int]) -> int:
    return sum(inputs * outputs for inputs, outputs in pairwise(sizes))


COUNT_PARAMETERS = Exercise(
    solution=lambda sizes: _count_weights(sizes) + sum(sizes[1:]),
    cases=[
        {"sizes": [2, 3]},
        {"sizes": [4, 3, 2]},
        {"sizes": [784, 256, 128, 10]},
        {"sizes": [5, 7, 3, 4, 6]},
        {"sizes": [6, 3, 3, 3]},
        {"sizes": [3, 2, 3, 4]},
    ],
    mistakes={
        "you forgot the biases: each neuron has one besides its weights.": (
            _count_weights
        ),
        "a bias for each input? Each of the layer's neurons has one: as many as its "
        "outputs.": lambda sizes: _count_weights(sizes) + sum(sizes[:-1]),
        "pixels have no bias: only neurons do, and the first number counts pixels.": (
            lambda sizes: _count_weights(sizes) + sum(sizes)
        ),
        "one bias for each layer? Each of its neurons has one.": (
            lambda sizes: _count_weights(sizes) + len(sizes) - 1,
            lambda sizes: _count_weights(sizes) + len(sizes),
        ),
        "you add inputs and neurons: each pair of them has a weight, so multiply.": (
            lambda sizes: sum(a + b for a, b in pairwise(sizes)),
            lambda sizes: sum(a + b + b for a, b in pairwise(sizes)),
        ),
        "sizes[-1] is the last, so that you count a layer from the end to the "
        "beginning: begin with i = 1.": lambda sizes: sum(
            a * b + b for a, b in pairwise([sizes[-1], *sizes])
        ),
        "each neuron has one bias, not two.": (
            lambda sizes: _count_weights(sizes) + 2 * sum(sizes[1:])
        ),
        "the neurons of the last layer have biases too.": (
            lambda sizes: _count_weights(sizes) + sum(sizes[1:-1])
        ),
        "you count the neurons: a layer has a weight for each pair of an input and a "
        "neuron.": sum,
        "you count the first layer only: go on through all neighbours in the list.": (
            lambda sizes: _count_weights(sizes[:2]) + sizes[1]
        ),
        "you count the last layer only: add them up, starting from 0.": (
            lambda sizes: _count_weights(sizes[-2:]) + sizes[-1]
        ),
        "you multiply all sizes: a layer has as many weights as its inputs times its "
        "outputs, and the layers add up.": math.prod,
        "a layer has a bias for each output, and none for its inputs.": (
            lambda sizes: _count_weights(sizes) + sum(sizes[:-1]) + sum(sizes[1:])
        ),
        "the last layer is missing.": (
            lambda sizes: _count_weights(sizes[:-1]) + sum(sizes[1:-1])
        ),
        "the first layer is missing.": (
            lambda sizes: _count_weights(sizes[1:]) + sum(sizes[2:])
        ),
        "your function counts three layers, but a network may have more or fewer.": (
            lambda sizes: _count_weights([sizes[i] for i in range(4)]) + sum(sizes[1:4])
        ),
        "you add 1 to inputs and neurons: only the inputs get one more, the bias.": (
            lambda sizes: sum((a + 1) * (b + 1) for a, b in pairwise(sizes))
        ),
        "these are the layers one by one: add them up.": lambda sizes: [
            inputs * outputs + outputs for inputs, outputs in pairwise(sizes)
        ],
    },
)


def _right(logits: Tensor, targets: Tensor) -> Tensor:
    return logits.gather(1, targets[:, None])[:, 0]


def _among_largest(logits: Tensor, targets: Tensor, k: int) -> Tensor:
    best = logits.topk(min(k, logits.shape[1])).indices
    return (best == targets[:, None]).any(1).float().mean()


ACCURACY = Exercise(
    solution=evaluation.accuracy,
    cases=[
        {
            "logits": torch.tensor([[2.5, 3.0, 2.9], [2, 5, 1], [0.1, 0.2, 2.5]]),
            "targets": torch.tensor([1, 0, 2]),
        },
        {
            "logits": torch.tensor([[3.0, 2], [-2, 1], [0, -1], [0.2, 0.5], [1, 0]]),
            "targets": torch.tensor([0, 1, 0, 1, 1]),
        },
        {
            "logits": varied(7, 4),
            "targets": torch.tensor([2, 0, 3, 1, 0, 3, 2]),
        },
        {
            "logits": varied(9, 3, start=75) / 5,
            "targets": torch.tensor([2, 1, 0, 0, 2, 1, 1, 0, 2]),
        },
        {
            "logits": varied(5, 5, start=11),
            "targets": torch.tensor([4, 0, 2, 3, 1]),
        },
        {"logits": varied(900, 3) - 6, "targets": torch.arange(900) % 3},
        {
            "logits": torch.tensor([[1000.0, 2000], [500, 300], [-900, 0]]),
            "targets": torch.tensor([1, 0, 1]),
        },
    ],
    mistakes={
        "you count the right answers: divide by the number of images.": (
            lambda logits, targets: (logits.argmax(1) == targets).sum().item()
        ),
        "that is the fraction of wrong answers.": (
            lambda logits, targets: 1 - evaluation.accuracy(logits, targets)
        ),
        "you look for the largest logit over the images: each row is one image, so "
        "take the argmax over dimension 1.": lambda logits, targets: (
            (logits.argmax(0) == targets).float().mean().item()
        ),
        "a positive logit is no answer yet: it must be the largest in its row.": (
            lambda logits, targets: (_right(logits, targets) > 0).float().mean().item()
        ),
        "that is the mean probability of the right digit: here an answer is either "
        "right or wrong.": lambda logits, targets: (
            _right(logits.softmax(1), targets).mean().item()
        ),
        "a fraction is asked for, from 0 to 1, not per cent.": (
            lambda logits, targets: 100 * evaluation.accuracy(logits, targets)
        ),
        "argmax() alone gives one place in the whole batch: take it in each row, over "
        "dimension 1.": lambda logits, targets: (
            (logits.argmax() == targets).float().mean()
        ),
        "you compare the targets with the largest logits: compare them with the places "
        "where these stand, argmax(1).": lambda logits, targets: (
            (logits.amax(1) == targets).float().mean()
        ),
        "you compare the targets with the logits themselves: compare them with the "
        "place of the largest in each row, argmax(1).": (
            lambda logits, targets: (logits == targets[:, None]).float().mean(),
            lambda logits, targets: (logits == targets).float().mean(),
        ),
        "you look for the smallest logit: take the largest.": lambda logits, targets: (
            (logits.argmin(1) == targets).float().mean()
        ),
        "your softmax goes over the images: the largest logit in each row is enough.": (
            lambda logits, targets: (
                (logits.softmax(0).argmax(1) == targets).float().mean()
            )
        ),
        "a digit may be the most probable with less than 0.5: its logit must only be "
        "the largest in its row.": lambda logits, targets: (
            (_right(logits.softmax(1), targets) > 0.5).float().mean()
        ),
        "you divide by the number of digits: divide by the number of images.": (
            lambda logits, targets: (
                (logits.argmax(1) == targets).sum() / logits.shape[1]
            )
        ),
        "you divide by 10: divide by the number of images.": lambda logits, targets: (
            (logits.argmax(1) == targets).sum() / 10
        ),
        "you return 1 if all are right, and else 0, as // does: return the fraction.": (
            lambda logits, targets: (logits.argmax(1) == targets).sum() // len(targets)
        ),
        "these say for each image whether it is right: take their mean.": (
            lambda logits, targets: logits.argmax(1) == targets
        ),
        "these are the answers: compare them with the targets.": (
            lambda logits, targets: logits.argmax(1)
        ),
        "the digits begin with 0, as the places do: add nothing to argmax(1).": (
            lambda logits, targets: (logits.argmax(1) + 1 == targets).float().mean()
        ),
        "that is the mean of the digits' accuracies: count over all images.": (
            lambda logits, targets: torch.stack(
                [
                    (logits.argmax(1) == targets)[targets == digit].float().mean()
                    for digit in targets.unique()
                ]
            ).mean()
        ),
        "a target among the two or three largest logits is no right answer yet: only "
        "the largest counts.": (
            lambda logits, targets: _among_largest(logits, targets, 2),
            lambda logits, targets: _among_largest(logits, targets, 3),
        ),
    },
)


def _epoch(slip: str = "") -> Function:
    """An epoch and its validation, with one slip."""

    def run(
        model: nn.Module,
        loss_fn: nn.Module,
        optimizer: torch.optim.Optimizer,
        train_batches: list[tuple[Tensor, Tensor]],
        val_batches: list[tuple[Tensor, Tensor]],
    ) -> Any:
        model.train(slip != "no train()")
        batches = train_batches * (2 if slip == "twice" else 1)
        for images, targets in batches + (val_batches if slip == "on val" else []):
            if slip == "step first":
                optimizer.step()
            if slip not in ("no zero_grad()", "step at the end"):
                optimizer.zero_grad()
            logits = model(images)
            measure = F.cross_entropy if slip == "own loss" else loss_fn
            loss = measure(logits.softmax(1) if slip == "softmax" else logits, targets)
            loss = -loss if slip == "uphill" else loss
            loss.backward()
            if slip not in ("no step()", "step at the end", "step first", "last step"):
                optimizer.step()
            if slip == "first batch":
                break
        if slip in ("step at the end", "last step"):
            optimizer.step()
        model.train(slip == "no eval()")
        with torch.set_grad_enabled(slip == "gradients"):
            right = [
                (model(images).argmax(1) == targets).double()
                for images, targets in (
                    train_batches if slip == "measures train" else val_batches
                )
            ]
        returned = {
            "count": torch.cat(right).sum(),
            "by batches": torch.cat(right).sum() / len(right),
            "batch means": torch.stack([batch.mean() for batch in right]).mean(),
            "last batch": right[-1].mean(),
            "loss": loss.detach(),
        }
        return returned.get(slip, torch.cat(right).mean())

    return run


def _watch(
    function: Function, model: nn.Module, loss_fn: Any, optimizer: Any, *batches: Any
) -> Any:
    """What a function does to a model, and what it returns."""
    calls = []
    model.register_forward_pre_hook(
        lambda model, inputs: calls.append(
            (len(inputs[0]), model.training, torch.is_grad_enabled())
        )
    )
    returned = function(model, loss_fn, optimizer, *batches)
    if returned is None or returned is ...:
        return returned
    return {
        "how many images are read": sum(n for n, _, _ in calls),
        "how many of them with gradients": sum(n for n, _, grad in calls if grad),
        "how many at a time in training mode": [n for n, mode, _ in calls if mode],
        "the weights and biases afterwards": parameters_to_vector(
            model.parameters()
        ).detach(),
        "what is returned": returned,
    }


def _training_case(
    sizes: list[int],
    val_sizes: list[int],
    start: int,
    label_smoothing: float = 0.0,
    lr: float = 0.5,
) -> Case:
    model = nn.Linear(3, 4, device="meta").eval()  # without drawing weights
    model.weight = nn.Parameter(varied(4, 3, start=start) / 5)
    model.bias = nn.Parameter(torch.zeros(4))
    splits = []
    for n, first in ((sizes, 50), (val_sizes, 80)):
        images = varied(sum(n), 3, start=start + first) / 5
        targets = torch.arange(sum(n)) ** 2 % 4
        parts = (torch.split(values, n) for values in (images, targets))
        splits.append(list(zip(*parts, strict=True)))
    return {
        "model": model,
        "loss_fn": nn.CrossEntropyLoss(label_smoothing=label_smoothing),
        "optimizer": SGD(model.parameters(), lr=lr),
        "train_batches": splits[0],
        "val_batches": splits[1],
    }


TRAIN_EPOCH = Exercise(
    solution=_epoch(),
    observe=_watch,
    cases=[
        _training_case([2, 2], [3, 1], start=0),
        _training_case([4, 4, 3], [4, 4, 1], start=7),
        _training_case([5, 5, 5, 2], [6, 3], start=31),
        _training_case([4, 2], [3], start=11, label_smoothing=0.3, lr=0.1),
    ],
    mistakes={
        "gradients add up from batch to batch: call optimizer.zero_grad() before each "
        "backward().": _epoch("no zero_grad()"),
        "the weights are what they were: optimizer.step() moves them, right after "
        "backward(), with no zero_grad() in between.": _epoch("no step()"),
        "there is one step for the whole epoch: take one after each batch.": (
            _epoch("step at the end"),
            _epoch("last step"),
        ),
        "the step comes before backward(), and follows the gradients of the batch "
        "before: first zero_grad() and backward(), then step().": _epoch("step first"),
        "CrossEntropyLoss does the softmax itself: give it the logits.": _epoch(
            "softmax"
        ),
        "you take a loss of your own choice: loss_fn is the one to use.": _epoch(
            "own loss"
        ),
        "you walk uphill: the loss should fall.": _epoch("uphill"),
        "each image is to be trained on once an epoch, and here twice.": _epoch(
            "twice"
        ),
        "the network learns from the validation images as well: only measure there.": (
            _epoch("on val")
        ),
        "only the first batch is trained on: does something leave the loop?": _epoch(
            "first batch"
        ),
        "the model comes to you in evaluation mode: call model.train() before you "
        "train.": _epoch("no train()"),
        "the validation runs in training mode: call model.eval() before it.": _epoch(
            "no eval()"
        ),
        "the validation records gradients, for which it has no use: put it under "
        "torch.no_grad().": _epoch("gradients"),
        "these are the right answers: divide by the number of validation images.": (
            _epoch("count")
        ),
        "you divide by the number of batches: divide by that of validation images.": (
            _epoch("by batches")
        ),
        "that is the accuracy on the training images: measure on val_batches.": (
            _epoch("measures train")
        ),
        "that is the mean of the batches' accuracies, and the last batch is smaller: "
        "count over all images.": _epoch("batch means"),
        "that is the accuracy of the last batch: count over all of them.": _epoch(
            "last batch"
        ),
        "that is the loss of the last batch: return the accuracy on the validation "
        "images.": _epoch("loss"),
    },
)


PERMUTE_WEIGHTS = Exercise(
    solution=lambda weight, order: weight[:, order],
    cases=[
        {
            "weight": torch.tensor([[1.0, 3, 2], [4, 5, 6]]),
            "order": torch.tensor([1, 2, 0]),
        },
        {
            "weight": torch.arange(12.0).view(3, 4) - 5,
            "order": torch.tensor([3, 0, 2, 1]),
        },
        {"weight": varied(4, 4), "order": torch.tensor([2, 0, 3, 1])},
        {"weight": varied(3, 5), "order": torch.tensor([1, 4, 0, 2, 3])},
    ],
    mistakes={
        "that takes the order back, since it undoes the scrambling of weights that "
        "were never scrambled: column j must be the weights of pixel order[j].": (
            lambda weight, order: weight[:, order.argsort()]
        ),
        "these are the old weights: they meet the wrong pixels now.": (
            lambda weight, order: weight.clone()
        ),
        "the shape is transposed: W has a row for each neuron, and the rows stay.": (
            lambda weight, order: weight[:, order].T
        ),
        "you only reverse the columns: put them in the given order.": (
            lambda weight, order: weight.flip(1)
        ),
        "you put the numbers of each row in order of size: the columns move as a "
        "whole.": lambda weight, order: weight.sort(1).values.flip(1),
        "you put the rows in another order, but a row is a neuron: each pixel has a "
        "column, weight[:, order].": (
            lambda weight, order: weight[order],
            lambda weight, order: weight[order.argsort()],
        ),
        "you multiply by the places: take the columns at these places, "
        "weight[:, order].": lambda weight, order: weight * order,
    },
)

EXERCISES = {
    "count_parameters": COUNT_PARAMETERS,
    "accuracy": ACCURACY,
    "train_epoch": TRAIN_EPOCH,
    "permute_weights": PERMUTE_WEIGHTS,
}
