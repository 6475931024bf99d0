"""Exercises on the digits as they are: shares, averages and neighbours."""

import torch
from torch import Tensor

from mnistedu.exercises.answer import Exercise
from mnistedu.exercises.show import name_place
from mnistedu.exercises.varied import varied


def _count(targets: Tensor) -> Tensor:
    return torch.bincount(targets, minlength=10)


def _average_digit(images: Tensor, targets: Tensor, digit: int) -> Tensor:
    return images[targets == digit].float().mean(0)


def _bytes(*shape: int, start: int = 0) -> Tensor:
    return ((varied(*shape, start=start) + 5) * 25).byte()


def _squares(images: Tensor, image: Tensor) -> Tensor:
    return (images.float() - image.float()).square().sum((1, 2))


def _nearest_target(images: Tensor, targets: Tensor, image: Tensor) -> int:
    return int(targets[_squares(images, image).argmin()])


def _nearest_forgetting_0(images: Tensor, targets: Tensor, image: Tensor) -> int:
    best, nearest = 0.0, 0
    for place, distance in enumerate(_squares(images, image).tolist()):
        if not best or distance < best:
            best, nearest = distance, place
    return int(targets[nearest])


def _rank_target(
    result: Tensor, images: Tensor, targets: Tensor, image: Tensor
) -> str | None:
    """How near the image is whose target, or whose index, was returned."""
    order = _squares(images, image).argsort().tolist()
    for whose, among in (("the target", targets[order].tolist()), ("the index", order)):
        if result.item() in among:
            place = name_place(among.index(result.item()))
            return f"here that is {whose} of the {place}nearest of {len(order)} images."
    return None


CLASS_SHARES = Exercise(
    solution=lambda targets: _count(targets) / len(targets),
    cases=[
        {"targets": torch.tensor([9, 0, 9, 3])},
        {"targets": torch.tensor([4, 1, 1, 1, 4])},
        {"targets": torch.tensor([7, 2, 2, 0, 2, 7, 1])},
        {"targets": torch.tensor([6, 6, 6, 8, 5]).repeat(100)},
    ],
    mistakes={
        "these are the counts: divide them by the number of targets.": _count,
        "you divide by the number of digits: divide by the number of targets.": (
            lambda targets: _count(targets) / 10
        ),
        "you divide by the largest count: divide by the number of targets, so that the "
        "shares add up to 1.": lambda targets: _count(targets) / _count(targets).max(),
        "the shares are cut to whole numbers, by // or by a tensor of whole numbers: "
        "divide with /, and keep them as floats.": (
            lambda targets: _count(targets) // len(targets)
        ),
        "these are per cent: leave out the factor of 100, so that the shares add up to "
        "1.": lambda targets: 100 * _count(targets) / len(targets),
        "a digit that does not occur has a share too, 0: always return ten shares.": (
            lambda targets: targets.unique(return_counts=True)[1] / len(targets)
        ),
        "bincount stops at the largest digit that occurs: pass minlength=10.": (
            lambda targets: targets.bincount() / len(targets)
        ),
        "the first share belongs to the digit 0: you begin with 1.": (
            lambda targets: _count(targets).roll(-1) / len(targets),
            lambda targets: (
                torch.cat([_count(targets)[1:], torch.zeros(1)]) / len(targets)
            ),
        ),
        "softmax makes shares of anything, but others: divide the counts by the number "
        "of targets.": lambda targets: _count(targets).float().softmax(0),
    },
)

AVERAGE_DIGIT = Exercise(
    solution=_average_digit,
    cases=[
        {
            "images": torch.tensor(
                [[[0, 40]], [[200, 250]], [[100, 255]]], dtype=torch.uint8
            ),
            "targets": torch.tensor([7, 1, 1]),
            "digit": 1,
        },
        {
            "images": (torch.arange(24) * 97 % 256).byte().view(6, 2, 2),
            "targets": torch.tensor([3, 0, 3, 5, 3, 3]),
            "digit": 3,
        },
        {
            "images": _bytes(7, 3, 4),
            "targets": torch.tensor([2, 6, 4, 4, 9, 4, 4]),
            "digit": 4,
        },
        {
            "images": torch.tensor(
                [[[250, 0], [40, 20]], [[250, 0], [40, 20]], [[220, 90], [10, 50]]],
                dtype=torch.uint8,
            ).repeat(60, 1, 1),
            "targets": torch.full((180,), 5),
            "digit": 5,
        },
        {  # the digit 0, and a single image of it
            "images": torch.tensor(
                [[[10, 20], [30, 40]], [[90, 0], [50, 70]], [[80, 200], [60, 5]]],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([1, 0, 4]),
            "digit": 0,
        },
    ],
    mistakes={
        "that is the average of all images: keep those of the digit, "
        "images[targets == digit].": lambda images, targets, digit: images.float().mean(
            0
        ),
        "that is one image, the one at this place: keep those whose target is the "
        "digit, images[targets == digit].": lambda images, targets, digit: images[
            digit % len(images)
        ].float(),
        "that is the average of each image over its pixels: average each pixel over "
        "the images, along dimension 0.": lambda images, targets, digit: (
            images[targets == digit].float().mean((1, 2))
        ),
        "one number says how dark the digit is on average: average over the images "
        "only, along dimension 0.": lambda images, targets, digit: (
            images[targets == digit].float().mean()
        ),
        "that is the sum: divide it by the number of images.": (
            lambda images, targets, digit: images[targets == digit].sum(0)
        ),
        "you divide by the number of all images: divide by how many show this digit.": (
            lambda images, targets, digit: images[targets == digit].sum(0) / len(images)
        ),
        "the sum has run over, since a uint8 holds nothing above 255: take .float() of "
        "the images first.": lambda images, targets, digit: (
            images[targets == digit].sum(0, dtype=torch.uint8)
            / (targets == digit).sum()
        ),
        "you lost what stands behind the decimal point: keep the average a float.": (
            lambda images, targets, digit: _average_digit(
                images, targets, digit
            ).floor()
        ),
        "you divide by 255 as well: the average is asked for in the units of the "
        "images, 0 to 255.": lambda images, targets, digit: (
            _average_digit(images, targets, digit) / 255
        ),
        "that is the median: the mean is asked for.": lambda images, targets, digit: (
            images[targets == digit].float().median(0).values
        ),
        "that is how much each pixel varies: the mean is asked for.": (
            lambda images, targets, digit: images[targets == digit].float().std(0)
        ),
        "that is the largest value of each pixel: the mean is asked for.": (
            lambda images, targets, digit: images[targets == digit].amax(0)
        ),
        "that is the first image of the digit: take the mean of them all.": (
            lambda images, targets, digit: images[targets == digit][0]
        ),
        "you average over the rows of each image: average over the images, along "
        "dimension 0.": lambda images, targets, digit: (
            images[targets == digit].float().mean(1)
        ),
        "you average over the columns of each image: average over the images, along "
        "dimension 0.": lambda images, targets, digit: (
            images[targets == digit].float().mean(2)
        ),
        "that is the average of all other digits: keep those that are equal, ==.": (
            lambda images, targets, digit: images[targets != digit].float().mean(0)
        ),
    },
)

# In each case the measures that a reader may take by mistake lead to other images.
NEAREST_TARGET = Exercise(
    solution=_nearest_target,
    cases=[
        {
            "images": torch.tensor(
                [[[220, 60]], [[100, 120]], [[140, 190]], [[120, 30]]],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([9, 4, 7, 5]),
            "image": torch.tensor([[190, 0]], dtype=torch.uint8),
        },
        {
            "images": torch.tensor(
                [[[160, 130]], [[70, 0]], [[130, 180]], [[90, 80]], [[150, 150]]],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([8, 6, 5, 9, 7]),
            "image": torch.tensor([[220, 160]], dtype=torch.uint8),
        },
        {
            "images": torch.tensor(
                [
                    [[90, 10], [100, 100]],
                    [[100, 120], [150, 140]],
                    [[10, 250], [60, 200]],
                    [[110, 90], [95, 105]],
                ],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([2, 5, 8, 4]),
            "image": torch.tensor([[100, 100], [100, 100]], dtype=torch.uint8),
        },
        {
            "images": _bytes(10, 2, 4),
            "targets": torch.tensor([3, 8, 0, 6, 1, 9, 4, 2, 7, 5]),
            "image": _bytes(2, 4, start=90),
        },
        {
            "images": _bytes(10, 3, 3, start=40),
            "targets": torch.tensor([5, 7, 1, 9, 2, 4, 8, 0, 6, 3]),
            "image": _bytes(3, 3, start=20),
        },
        {
            "images": torch.tensor(
                [
                    [[200, 100], [100, 100]],
                    [[160, 160], [160, 160]],
                    [[10, 30], [20, 0]],
                    [[240, 250], [220, 230]],
                ],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([6, 1, 3, 8]),
            "image": torch.tensor([[100, 100], [100, 100]], dtype=torch.uint8),
        },
        {
            "images": torch.tensor(
                [[[0, 0], [0, 0]], [[0, 240], [230, 0]], [[0, 200], [20, 0]]],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([1, 7, 4]),
            "image": torch.tensor([[0, 240], [0, 0]], dtype=torch.uint8),
        },
        {
            # All are far away: 31 million and more.
            "images": torch.tensor([230, 200, 250], dtype=torch.uint8)
            .view(3, 1, 1)
            .expand(3, 28, 28),
            "targets": torch.tensor([5, 2, 9]),
            "image": torch.zeros(28, 28, dtype=torch.uint8),
        },
        {  # the same image, at a distance of 0, is the nearest
            "images": torch.tensor(
                [[[80, 90]], [[70, 60]], [[75, 60]]], dtype=torch.uint8
            ),
            "targets": torch.tensor([4, 6, 1]),
            "image": torch.tensor([[70, 60]], dtype=torch.uint8),
        },
        {
            "images": torch.tensor(
                [
                    [[136, 100], [100, 64]],
                    [[140, 100], [80, 100]],
                    [[100, 100], [100, 150]],
                ],
                dtype=torch.uint8,
            ),
            "targets": torch.tensor([3, 8, 5]),
            "image": torch.tensor([[100, 100], [100, 100]], dtype=torch.uint8),
        },
    ],
    mistakes={
        "that is the index of the nearest image: look its target up.": (
            lambda images, targets, image: int(_squares(images, image).argmin())
        ),
        "you compare by the row that differs most: add up the squares of all rows.": (
            lambda images, targets, image: targets[
                (images.float() - image).square().sum(2).amax(1).argmin()
            ]
        ),
        "that is the target of the farthest image: take the smallest distance.": (
            lambda images, targets, image: int(
                targets[_squares(images, image).argmax()]
            )
        ),
        "these are the distances: take the target of the image with the smallest.": (
            lambda images, targets, image: _squares(images, image).sqrt()
        ),
        "these are the squared distances: take the target of the image with the "
        "smallest.": lambda images, targets, image: _squares(images, image),
        "negative differences make an image nearer than near: square them before you "
        "add them up.": lambda images, targets, image: int(
            targets[(images.float() - image.float()).sum((1, 2)).argmin()]
        ),
        "differences of opposite sign cancel: square them before you add them up.": (
            lambda images, targets, image: int(
                targets[(images.float() - image.float()).sum((1, 2)).abs().argmin()]
            )
        ),
        "uint8 knows no negative numbers, and 160 - 220 becomes 196: take .float() "
        "before you subtract.": lambda images, targets, image: int(
            targets[(images - image).float().square().sum((1, 2)).argmin()]
        ),
        "in uint8 differences and squares run over, 60 * 60 becomes 16: take .float() "
        "before you subtract.": lambda images, targets, image: int(
            targets[(images - image).square().sum((1, 2)).argmin()]
        ),
        "uint8 knows no negative numbers, so nothing is left for abs() to do: take "
        ".float() before you subtract.": lambda images, targets, image: int(
            targets[(images - image).abs().sum((1, 2)).argmin()]
        ),
        "you add up how far the pixels are apart, another distance: square the "
        "differences first.": lambda images, targets, image: int(
            targets[(images.float() - image.float()).abs().sum((1, 2)).argmin()]
        ),
        "you look for the nearest row of pixels: add up all squares of an image, over "
        "dimensions 1 and 2.": lambda images, targets, image: int(
            targets[(images.float() - image.float()).square().sum(2).argmin()]
        ),
        "each row has a root of its own: add up the squares of the whole image first, "
        "then take one root, or none.": lambda images, targets, image: int(
            targets[(images.float() - image).norm(dim=2).sum(1).argmin()]
        ),
        "with ord=2, the norm of a matrix is another one, its largest singular value: "
        "leave ord out, or add up the squares.": lambda images, targets, image: int(
            targets[torch.linalg.matrix_norm(images.float() - image, 2).argmin()]
        ),
        "that is the smallest squared distance: take the target of the image that has "
        "it.": lambda images, targets, image: _squares(images, image).min(),
        "that is the smallest distance: take the target of the image that has it.": (
            lambda images, targets, image: _squares(images, image).sqrt().min()
        ),
        "that is the nearest image: return its target.": (
            lambda images, targets, image: images[_squares(images, image).argmin()]
        ),
        "you compare by the pixel that differs most: add up the squares of all.": (
            lambda images, targets, image: int(
                targets[(images.float() - image).abs().amax((1, 2)).argmin()]
            )
        ),
        "you take the largest product, and a dark image has large products with all: "
        "compare distances.": lambda images, targets, image: int(
            targets[(images.float() * image).sum((1, 2)).argmax()]
        ),
        "you look for the nearest column of pixels: add up all squares of an image, "
        "over dimensions 1 and 2.": lambda images, targets, image: int(
            targets[(images.float() - image).square().sum(1).argmin()]
        ),
        "you look for the nearest single pixel: add up all squares of an image, over "
        "dimensions 1 and 2.": lambda images, targets, image: int(
            targets[(images.float() - image).square().argmin()]
        ),
        "a distance of 0 is one too, and false where `if not best` asks: compare with "
        "`is None`, or begin with infinity.": _nearest_forgetting_0,
        "you add up over the images: add up all squares of an image, over dimensions 1 "
        "and 2.": lambda images, targets, image: int(
            targets[(images.float() - image).square().sum(0).argmin()]
        ),
        "that is the target of the last image: is the smallest distance so far kept, "
        "so that the next is compared with it?": lambda images, targets, image: targets[
            -1
        ],
        "that is the target of the first image: look at all of them, with one distance "
        "for each, the sum over dimensions 1 and 2.": (
            lambda images, targets, image: targets[0]
        ),
    },
    remark=_rank_target,
)

EXERCISES = {
    "class_shares": CLASS_SHARES,
    "average_digit": AVERAGE_DIGIT,
    "nearest_target": NEAREST_TARGET,
}
