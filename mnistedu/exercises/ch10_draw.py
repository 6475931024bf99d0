"""Exercises on how a drawing becomes an image like MNIST's, and a hand is learned."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from mnistedu.exercises.answer import Exercise, Function
from mnistedu.exercises.relate import Case
from mnistedu.exercises.varied import varied
from mnistedu.optimizers import SGD


def _mean_position(mass: Tensor, first: float = 0.5) -> float:
    position = torch.arange(len(mass)) + first
    return ((mass * position).sum() / mass.sum()).item()


def _ends(inked: Tensor) -> tuple[int, int]:
    at = inked.nonzero()
    return int(at.min()), int(at.max()) + 1


def _bounding_box(ink: Tensor, faintest: float = 0.1) -> tuple[int, int, int, int]:
    inked = ink > faintest
    return *_ends(inked.any(1)), *_ends(inked.any(0))


def _count_inked(ink: Tensor) -> tuple[int, int, int, int]:
    """As if no row between the first and the last were blank."""
    inked = ink > 0.1
    top, _, left, _ = _bounding_box(ink)
    return top, top + int(inked.any(1).sum()), left, left + int(inked.any(0).sum())


def _untransposed(ink: Tensor) -> tuple[int, ...]:
    """As it is if two pixels are inked: with another number it raises."""
    first, second = (ink > 0.1).nonzero()
    return (
        *(int(first.min()), int(first.max()) + 1),
        *(int(second.min()), int(second.max()) + 1),
    )


CENTER_OF_MASS = Exercise(
    solution=lambda ink: (_mean_position(ink.sum(1)), _mean_position(ink.sum(0))),
    cases=[
        {"ink": torch.tensor([[0.0, 1.0]])},
        {"ink": torch.tensor([[0.0, 0.5], [0.0, 0.5], [0.5, 0.5]])},
        {"ink": torch.tensor([[0.1, 0.0, 0.0, 0.6], [0.0, 0.0, 0.2, 0.0]])},
        {"ink": F.pad(varied(4, 6).relu() / 5, (1, 0, 1, 0))},
    ],
    mistakes={
        "count from the middle of each pixel: the first lies at 0.5, not at 0.": (
            lambda ink: (
                _mean_position(ink.sum(1), first=0),
                _mean_position(ink.sum(0), first=0),
            )
        ),
        "row and column are exchanged: the row comes first, and ink.sum(1) is the ink "
        "of each row.": (
            lambda ink: (_mean_position(ink.sum(0)), _mean_position(ink.sum(1)))
        ),
        "divide by the sum of the ink, not by the number of pixels.": (
            lambda ink: (
                _mean_position(ink.sum(1)) * ink.mean().item(),
                _mean_position(ink.sum(0)) * ink.mean().item(),
            )
        ),
        "you forgot to divide by the sum of the ink.": (
            lambda ink: (
                _mean_position(ink.sum(1)) * ink.sum().item(),
                _mean_position(ink.sum(0)) * ink.sum().item(),
            )
        ),
        "dark pixels weigh more than faint ones: multiply each position by the ink "
        "there.": (
            lambda ink: (
                ink.nonzero()[:, 0].float().mean().item() + 0.5,
                ink.nonzero()[:, 1].float().mean().item() + 0.5,
            )
        ),
        "that is the middle of the bounding box: where there is more ink counts too.": (
            lambda ink: (
                sum(_bounding_box(ink, 0)[:2]) / 2,
                sum(_bounding_box(ink, 0)[2:]) / 2,
            )
        ),
        "that is the darkest row and column: take the mean of all, weighted with their "
        "ink.": lambda ink: (
            ink.sum(1).argmax().item() + 0.5,
            ink.sum(0).argmax().item() + 0.5,
        ),
        "that is counted from the middle of the image: count from its upper and left "
        "edge.": lambda ink: (
            _mean_position(ink.sum(1)) - ink.shape[0] / 2,
            _mean_position(ink.sum(0)) - ink.shape[1] / 2,
        ),
        "that is where the darkest row and column begin: take the mean of all, "
        "weighted with their ink.": lambda ink: (
            ink.sum(1).argmax(),
            ink.sum(0).argmax(),
        ),
        "that is the middle of the image: where the ink is counts.": (
            lambda ink: tuple(n / 2 for n in ink.shape)
        ),
        "you divide by the number of inked pixels: divide by the sum of the ink.": (
            lambda ink: (
                _mean_position(ink.sum(1)) * ink[ink > 0].mean().item(),
                _mean_position(ink.sum(0)) * ink[ink > 0].mean().item(),
            )
        ),
        "the first pixel's middle lies at 0.5: you count from 1.": (
            lambda ink: (
                _mean_position(ink.sum(1), first=1),
                _mean_position(ink.sum(0), first=1),
            )
        ),
        "the half is taken off, not added: the middle of the first pixel is 0.5.": (
            lambda ink: (
                _mean_position(ink.sum(1), first=-0.5),
                _mean_position(ink.sum(0), first=-0.5),
            )
        ),
        "row and column are the same: the column needs ink.sum(0) and the width.": (
            lambda ink: (_mean_position(ink.sum(1)),) * 2
        ),
        "that is the darkest pixel: take the mean of all, weighted with their ink.": (
            lambda ink: tuple(at + 0.5 for at in divmod(int(ink.argmax()), len(ink[0])))
        ),
    },
)

BOUNDING_BOX = Exercise(
    solution=_bounding_box,
    cases=[
        {"ink": torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])},
        {"ink": torch.tensor([[0.0, 0.5, 0.0], [0.05, 0.0, 0.0]])},
        {"ink": torch.tensor([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])},
        {  # Python's 0.1
            "ink": torch.tensor([[0.1, 0.0, 1.0, 0.0, 1.0]], dtype=torch.double)
        },
        {
            "ink": torch.tensor(
                [
                    [0.06, 0.06, 0.0, 0.05, 0.0, 0.0],
                    [0.0, 0.0, 0.0, 0.3, 0.0, 0.0],
                    [0.06, 0.9, 0.0, 0.0, 0.0, 0.04],
                    [0.0, 0.0, 0.0, 0.0, 0.11, 0.07],
                    [0.0, 0.0, 0.7, 0.0, 0.0, 0.0],
                    [0.0, 0.0, 0.0, 0.0, 0.0, 0.09],
                    [0.05, 0.0, 0.0, 0.0, 0.08, 0.09],
                ]
            )
        },
    ],
    mistakes={
        "a slice ends before its second number: bottom and right are one more than the "
        "last row and column with ink.": lambda ink: tuple(
            end - i % 2 for i, end in enumerate(_bounding_box(ink))
        ),
        "rows and columns are exchanged: ink is indexed as ink[row, column].": (
            lambda ink: _bounding_box(ink.T)
        ),
        "the order is top, bottom, left, right.": (
            lambda ink: tuple(_bounding_box(ink)[i] for i in (0, 2, 1, 3))
        ),
        "bottom and right are where the box ends, not how tall and wide it is.": (
            lambda ink: tuple(
                _bounding_box(ink)[i] - (_bounding_box(ink)[i - 1] if i % 2 else 0)
                for i in range(4)
            )
        ),
        "ink of 0.1 or less counts as paper: compare with 0.1, not with 0.": (
            lambda ink: _bounding_box(ink, faintest=0)
        ),
        "ink of exactly 0.1 is paper too: compare with > and not with >=.": (
            lambda ink: _bounding_box(ink, faintest=0.0999)
        ),
        "a blank row may lie between two parts of a digit: look for the first and the "
        "last row with ink instead of counting them, and so for the columns.": (
            _count_inked
        ),
        "bottom and right are not how many rows and columns have ink: they are one "
        "more than the last that has.": lambda ink: (
            *(_bounding_box(ink)[0], int((ink > 0.1).any(1).sum())),
            *(_bounding_box(ink)[2], int((ink > 0.1).any(0).sum())),
        ),
        "faint traces add up to more than 0.1 in a row or column: compare each pixel "
        "with 0.1 before you look at rows and columns.": lambda ink: (
            *_ends(ink.sum(1) > 0.1),
            *_ends(ink.sum(0) > 0.1),
        ),
        "left and right are the columns of the first and the last inked pixel, and "
        "others may lie further out: take the smallest and the largest.": lambda ink: (
            (at := (ink > 0.1).nonzero())[0, 0].item(),
            at[-1, 0].item() + 1,
            at[0, 1].item(),
            at[-1, 1].item() + 1,
        ),
        "nonzero() has a row for each pixel, and a column each for its row and its "
        "column: transpose it, .T, before you take it apart.": _untransposed,
        "there is a blank rim: keep the smallest rectangle, without a margin.": (
            lambda ink: tuple(
                end + (1 if i % 2 else -1) for i, end in enumerate(_bounding_box(ink))
            )
        ),
        "top and left are one too large: the slice begins with them.": (
            lambda ink: tuple(end + 1 for end in (_bounding_box(ink)))
        ),
        "these count from the other end: bottom and right are counted from the first "
        "row and column, too.": lambda ink: tuple(
            ink.shape[i // 2] - end if i % 2 else end
            for i, end in enumerate(_bounding_box(ink))
        ),
        "that is the whole image: keep what has ink.": (
            lambda ink: (0, ink.shape[0], 0, ink.shape[1])
        ),
        "ink of more than 0.1 counts: compare with 0.1, not with 0.5.": (
            lambda ink: _bounding_box(ink, faintest=0.5)
        ),
        "these are the two corners: return four numbers in one row, top, bottom, left, "
        "right.": lambda ink: (_bounding_box(ink)[::2], _bounding_box(ink)[1::2]),
        "that is the rectangle itself: return its four ends.": (
            lambda ink: ink[
                slice(*_bounding_box(ink)[:2]), slice(*_bounding_box(ink)[2:])
            ]
        ),
        "at[0] of nonzero() is the first inked pixel: all rows are at[:, 0], and all "
        "columns at[:, 1].": lambda ink: tuple(
            end
            for at in (ink > 0.1).nonzero()[:2]
            for end in (int(at.min()), int(at.max()) + 1)
        ),
        "that is the box of the paper: ink is what lies above 0.1.": (
            lambda ink: (*_ends((ink <= 0.1).any(1)), *_ends((ink <= 0.1).any(0)))
        ),
        "a row may have little ink and yet belong to the digit: compare each pixel "
        "with 0.1, not the mean of a row or column.": lambda ink: (
            *_ends(ink.mean(1) > 0.1),
            *_ends(ink.mean(0) > 0.1),
        ),
        "these are only two numbers: take rows and columns apart.": lambda ink: (
            int((ink > 0.1).nonzero().min()),
            int((ink > 0.1).nonzero().max()) + 1,
        ),
    },
)


def _split(pick: Callable[[Tensor], Tensor], digits: range = range(10)) -> Function:
    """Of each digit what ``pick`` takes of its places to learn from, the rest not."""

    def run(targets: Tensor) -> tuple[Tensor, Tensor]:
        learn = torch.zeros(len(targets), dtype=torch.bool)
        for digit in digits:
            learn[pick((targets == digit).nonzero()[:, 0])] = True
        return learn.nonzero()[:, 0], (~learn).nonzero()[:, 0]

    return run


_halves = _split(lambda at: at[: len(at) // 2])


def _by_digit(targets: Tensor, places: Tensor) -> Tensor:
    return places[targets[places].argsort(stable=True)]


def _within_digits(targets: Tensor) -> tuple[Tensor, Tensor]:
    """The halves as they are counted within each digit."""
    counts = torch.bincount(targets).tolist()
    return (
        torch.cat([torch.arange(n // 2) for n in counts]),
        torch.cat([torch.arange(n // 2, n) for n in counts]),
    )


HELD_OUT_SPLIT = Exercise(
    solution=_halves,
    cases=[
        {"targets": torch.tensor([3, 3])},
        {"targets": torch.tensor([1, 0, 0, 1, 1, 8])},
        {"targets": torch.tensor([9, 2, 9, 4, 2, 9, 4, 9, 2, 7, 4, 7, 2, 2, 9, 7, 9])},
        {"targets": torch.tensor([5, 0, 8, 8, 0, 5, 0, 5, 8, 5, 8, 5, 0, 0, 5, 5])},
    ],
    mistakes={
        "that is the first half of all images, and a digit that comes late is not "
        "learned from: take the first half of each digit's.": lambda targets: (
            torch.arange(len(targets)).tensor_split([len(targets) // 2])
        ),
        "the images to learn from are held out as well: hold out all the others.": (
            lambda targets: (_halves(targets)[0], torch.arange(len(targets)))
        ),
        "learn and held_out are exchanged.": lambda targets: _halves(targets)[::-1],
        "held_out holds the images that are learned from: it holds all the others.": (
            lambda targets: _halves(targets)[:1] * 2
        ),
        "you learn from the second half of each digit's images: take the first.": (
            _split(lambda at: at[(len(at) + 1) // 2 :])
        ),
        "of an odd number the one in the middle is held out: // rounds down.": (
            _split(lambda at: at[: (len(at) + 1) // 2])
        ),
        "from a single image of a digit nothing is learned: 1 // 2 is 0.": (
            _split(lambda at: at[: max(1, len(at) // 2)])
        ),
        "that is every second image of each digit: take the first half.": (
            _split(lambda at: at[::2]),
            _split(lambda at: at[1::2]),
        ),
        "that is one image of each digit: take half of them.": _split(
            lambda at: at[:1]
        ),
        "nothing is learned from digit 9: range(10) ends with it.": _split(
            lambda at: at[: len(at) // 2], range(9)
        ),
        "nothing but digit 0 is learned from: does the return stand within the loop?": (
            _split(lambda at: at[: len(at) // 2], range(1))
        ),
        "nothing is learned from digit 0: range(10) begins with it.": _split(
            lambda at: at[: len(at) // 2], range(1, 10)
        ),
        "these say True or False for each image: return their places, "
        "nonzero()[:, 0].": lambda targets: tuple(
            torch.isin(torch.arange(len(targets)), places)
            for places in _halves(targets)
        ),
        "digit 0 is in neither part: range(10) begins with it.": lambda targets: tuple(
            places[targets[places] > 0] for places in _halves(targets)
        ),
        "digit 9 is in neither part: range(10) ends with it.": lambda targets: tuple(
            places[targets[places] < 9] for places in _halves(targets)
        ),
        "these are places among the images of one digit: return their places among all "
        "targets.": lambda targets: tuple(
            places.sort().values for places in _within_digits(targets)
        ),
        "these are the targets of the images: return the places of the images.": (
            lambda targets: tuple(targets[places] for places in _halves(targets))
        ),
        "these are in the order of their digits: put the places in ascending order, "
        "with sort().values.": lambda targets: tuple(
            _by_digit(targets, places) for places in _halves(targets)
        ),
        "nonzero() gives a column, (n, 1): take [:, 0] of it.": lambda targets: tuple(
            places[:, None] for places in _halves(targets)
        ),
        "these are the places to learn from: return those that are held out too.": (
            lambda targets: _halves(targets)[0]
        ),
    },
)


def _step(slip: str = "") -> Function:
    """One step of fine-tuning, with one slip."""

    def run(
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        new_images: Tensor,
        new_targets: Tensor,
        old_images: Tensor,
        old_targets: Tensor,
    ) -> Any:
        def loss_on(images: Tensor, targets: Tensor) -> Tensor:
            logits = network(images)
            logits = logits.softmax(1) if slip == "softmax" else logits
            if slip == "nll_loss":
                return F.nll_loss(logits, targets)
            return F.cross_entropy(
                logits, targets, reduction="sum" if slip == "added up" else "mean"
            )

        def move(loss: Any) -> None:
            if slip != "no zero_grad()":
                optimizer.zero_grad()
            loss = -loss if slip == "uphill" else loss
            loss.backward()
            for _ in range({"no step()": 0, "step() twice": 2}.get(slip, 1)):
                optimizer.step()

        new, old = (new_images, new_targets), (old_images, old_targets)
        both = (
            torch.cat([new_images, old_images]),
            torch.cat([new_targets, old_targets]),
        )
        network.train(slip == "train()")
        if slip == "two steps":
            move(loss_on(*new))
        if slip in ("half each", "sum"):
            loss = loss_on(*new) + loss_on(*old)
            loss = loss / 2 if slip == "half each" else loss
        else:
            parts = {
                "new": new,
                "old": old,
                "two steps": old,
                "crossed": (both[0], torch.cat([old_targets, new_targets])),
            }
            loss = loss_on(*parts.get(slip, both))
        move(loss)
        if slip == "train() in the end":
            network.train()
        if slip == "twice":
            move(loss_on(*both))
        if slip == "after":
            return loss_on(*both).item()
        if slip == "loss on new":
            return loss_on(*new).item()
        if slip == "accuracy":
            return (network(both[0]).argmax(1) == both[1]).float().mean()
        return loss.item()

    return run


def _watch_step(
    function: Function, network: nn.Module, optimizer: Any, *images: Tensor
) -> Any:
    """What a step does to a network that has just made another one."""
    read = []
    network.register_forward_pre_hook(
        lambda network, inputs: read.append((len(inputs[0]), network.training))
    )
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    returned = function(network, optimizer, *images)
    if returned is None or returned is ...:
        return returned
    if isinstance(returned, Tensor):
        returned = returned.detach()
    return {
        "how many images are read": sum(n for n, _ in read),
        "how many of them in training mode": sum(n for n, mode in read if mode),
        "the loss": returned,
        "the weights and biases afterwards": parameters_to_vector(
            network.parameters()
        ).detach(),
        "the training mode afterwards": network.training,
    }


def _step_case(new: int, old: int, start: int) -> Case:
    network = nn.Linear(3, 4, device="meta").eval()  # without drawing weights
    network.weight = nn.Parameter(varied(4, 3, start=start) / 5)
    network.bias = nn.Parameter(torch.zeros(4))
    targets = (torch.arange(new + old) + start) ** 2 % 4
    images = varied(new + old, 3, start=start + 40) / 2  # gradients longer than 1
    return {
        "network": network,
        "optimizer": SGD(network.parameters(), lr=0.5),
        "new_images": images[:new],
        "new_targets": targets[:new],
        "old_images": images[new:],
        "old_targets": targets[new:],
    }


FINE_TUNE_STEP = Exercise(
    solution=_step(),
    observe=_watch_step,
    cases=[_step_case(1, 2, 0), _step_case(2, 5, 7), _step_case(4, 9, 31)],
    mistakes={
        "the old images are left out: whoever practises only the new forgets the "
        "old.": _step("new"),
        "the new images are left out.": _step("old"),
        "these are two steps, one after the other: join new and old with torch.cat and "
        "take one.": _step("two steps"),
        "new and old have one half of the loss each, however many they are: join them "
        "with torch.cat, and take the mean over all.": _step("half each"),
        "the loss is the sum of two means: join new and old with torch.cat, and take "
        "the mean over all.": _step("sum"),
        "the gradients of the step before are still there: call optimizer.zero_grad() "
        "before backward().": _step("no zero_grad()"),
        "the weights are what they were: after zero_grad() comes loss.backward(), and "
        "then optimizer.step().": _step("no step()"),
        "you walk uphill: the loss should fall.": _step("uphill"),
        "cross_entropy takes the logits, and has the softmax in it.": _step("softmax"),
        "nll_loss wants the logarithms of probabilities: cross_entropy takes the "
        "logits.": _step("nll_loss"),
        "the network is to stay in evaluation mode: leave out train().": (
            _step("train()"),
            _step("train() in the end"),
        ),
        "that is the loss after the step, for which the network must read once more: "
        "return the one that you have.": _step("after"),
        "one step is asked for, and these are two.": (
            _step("twice"),
            _step("step() twice"),
        ),
        "the loss is the sum over the images: take the mean.": _step("added up"),
        "that is the loss on the new images only: return that on all.": _step(
            "loss on new"
        ),
        "that is the accuracy: return the loss.": _step("accuracy"),
        "images and targets are joined in different orders: the first target belongs "
        "to the first image.": _step("crossed"),
    },
)

EXERCISES = {
    "center_of_mass": CENTER_OF_MASS,
    "bounding_box": BOUNDING_BOX,
    "held_out_split": HELD_OUT_SPLIT,
    "fine_tune_step": FINE_TUNE_STEP,
}
