"""The digit images: loading, splits and batches.

MNIST is read once through torchvision and kept, split and checked, as one file in
the user's cache folder. Without internet the course runs on the 1,797
handwritten digits that scikit-learn carries (Alpaydin and Kaynak, 1998). For a harder
task either can be had with every digit turned.
"""

import errno
import hashlib
import os
import re
import socket
import tempfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, distributed
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
)

from mnistedu.augmentation import affine
from mnistedu.images import to_ink
from mnistedu.preprocess import center_digit, normalize
from mnistedu.storage import save_tensors

# MNIST's files, uncompressed: where torchvision puts them, and what they must hold.
RAW_FOLDER = Path("MNIST", "raw")
SHA256 = {
    "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
CACHE_NAME = "mnist-v1.safetensors"  # a new name for every change of its content
CACHED = [f"{s}_{p}" for s in ("test", "train", "val") for p in ("images", "targets")]
ROTATED = 12_000  #: training images of ``load("rotated")``
CONNECTION_LIMIT = 10  # seconds
# A full disk, a full share of one, or no folder that can be written to.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.ENOENT)


class Split(NamedTuple):
    """``images``, raw digits or ink, and their ``targets``, int64 ``(N,)``."""

    images: Tensor
    targets: Tensor


class Digits(NamedTuple):
    """Three splits of one data set, and its name.

    ``train`` is for fitting the weights, ``val`` (validation) for every choice on
    the way, ``test`` for the one measurement at the end.
    """

    name: str
    train: Split
    val: Split
    test: Split


def load(source: str = "auto") -> Digits:
    """Load the digit images.

    MNIST comes as 54,000 training, 6,000 validation (stratified, the same ones
    every time) and 10,000 test images: from the cache, else from the folder that the
    environment variable ``MNISTEDU_DATA`` names and that holds ``MNIST/raw``, as
    ``torchvision.datasets.MNIST`` lays it out, or from the internet.

    Args:
        source: ``"mnist"``; ``"offline"`` for scikit-learn's 1,797 digits (1,257
            training, 180 validation, 360 test); ``"auto"`` for MNIST where it
            can be had and the offline digits where it cannot; or ``"rotated"`` for
            these with every image turned (see ``rotate``), and no more than 12,000
            for training, after the task of Larochelle and others (2007).

    Returns:
        The three splits, their images raw digits, uint8 ``(N, 28, 28)``, and their
        targets in 0..9.

    Raises:
        ValueError: if ``source`` is unknown, or a file of MNIST is missing or damaged.
        ConnectionError: if ``source`` is ``"mnist"`` and it cannot be had.
    """
    if source == "offline":
        return _load_offline()
    if source == "rotated":
        return _rotated(load())
    if source not in ("auto", "mnist"):
        raise ValueError(
            f'source is "auto", "mnist", "offline" or "rotated", not {source!r}.'
        )
    try:
        return _load_mnist()
    except ConnectionError as error:
        if source == "mnist":
            raise
        _say_once(
            f"{error} Working with scikit-learn's 1,797 digits instead, so figures "
            "will differ from the text."
        )
        return _load_offline()


@cache
def _say_once(sentence: str) -> None:
    print(sentence)


def _load_mnist() -> Digits:
    cache_file = platformdirs.user_cache_path("mnistedu") / CACHE_NAME
    if (cached := _read_cache(cache_file)) is not None:
        return cached
    folder = os.environ.get("MNISTEDU_DATA")
    digits = _read_raw(Path(folder)) if folder else _download()
    _write_cache(digits, cache_file)
    return digits


def _download() -> Digits:
    from torchvision.datasets import MNIST  # takes seconds to import

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECTION_LIMIT)  # torchvision sets none
    try:
        with tempfile.TemporaryDirectory() as folder:
            MNIST(folder, download=True)
            return _read_raw(Path(folder))
    except (OSError, RuntimeError, EOFError, HTTPException) as error:
        no_room = isinstance(error, OSError) and error.errno in NO_ROOM
        raise ConnectionError(
            "MNIST could not be downloaded, as there is no room for it in the folder "
            "for temporary files. To get it, free some space and load again, or set "
            "MNISTEDU_DATA to a folder that holds MNIST/raw."
            if no_room
            else "MNIST could not be downloaded. To get it, connect to the internet "
            "and load again, or set MNISTEDU_DATA to a folder that holds MNIST/raw."
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def _read_raw(folder: Path) -> Digits:
    from torchvision.datasets import MNIST  # takes seconds to import

    for name, expected in SHA256.items():
        dimensions = 3 if name.endswith("images") else 1
        path = folder / RAW_FOLDER / f"{name}-idx{dimensions}-ubyte"
        if not path.is_file():
            raise ValueError(
                f"{path} is missing: copy it there, uncompressed; or correct "
                "MNISTEDU_DATA, or unset it and MNIST is downloaded."
            )
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise ValueError(
                f"{path} is damaged (its SHA-256 is not that of MNIST): replace it "
                "or delete the folder, and load again."
            )
    known, test = (MNIST(folder, train=train) for train in (True, False))
    train, val = _stratified_split(Split(known.data, known.targets), 6_000)
    return Digits("MNIST", train, val, Split(test.data, test.targets))


def _read_cache(path: Path) -> Digits | None:
    """The parsed copy, or None if there is none, or a damaged or foreign one."""
    try:
        with safe_open(path, "pt") as file:
            checksum = (file.metadata() or {}).get("crc32")
            tensors = [file.get_tensor(name) for name in CACHED]
    except (OSError, SafetensorError):
        return None
    if checksum != _checksum(tensors):
        return None
    test, train, val = map(Split, tensors[::2], tensors[1::2])
    return Digits("MNIST", train, val, test)


def _write_cache(digits: Digits, path: Path) -> None:
    tensors = [*digits.test, *digits.train, *digits.val]  # in the order of CACHED
    with suppress(OSError):  # the copy only saves time
        named = dict(zip(CACHED, tensors, strict=True))
        save_tensors(path, named, {"crc32": _checksum(tensors)})


def _checksum(tensors: Iterable[Tensor]) -> str:
    checksum = 0
    for tensor in tensors:
        checksum = zlib.crc32(tensor.contiguous().numpy().data, checksum)
    return f"{checksum:08x}"


def _load_offline() -> Digits:
    from sklearn.datasets import load_digits  # slow to import, seldom needed

    images, targets = load_digits(return_X_y=True)
    ink = torch.from_numpy(images / 16).float().view(-1, 1, 8, 8)
    pixels = (center_digit(ink) * 255).round().byte().squeeze(1)
    rest, test = _stratified_split(Split(pixels, torch.from_numpy(targets)), 360)
    train, val = _stratified_split(rest, 180)
    return Digits("scikit-learn's digits", train, val, test)


def rotate(split: Split, degrees: float = 180, seed: int = 0) -> Split:
    """Turn each image by an angle of its own, the same one every time.

    Args:
        split: raw digits, uint8 ``(N, 28, 28)``, and their targets.
        degrees: the angles are drawn evenly from -degrees to degrees.
        seed: that of the angles.

    Returns:
        Raw digits, interpolated linearly (see ``augmentation.affine``), and the same
        targets. What is turned out of the image is lost.
    """
    generator = torch.Generator().manual_seed(seed)
    angles = degrees * (2 * torch.rand(len(split.targets), generator=generator) - 1)
    ink = affine(split.images, angles)
    return Split((ink * 255).round().byte().squeeze(1), split.targets)


def _rotated(digits: Digits) -> Digits:
    train = digits.train
    if len(train.targets) > ROTATED:
        _, train = _stratified_split(train, ROTATED)
    splits = enumerate((train, digits.val, digits.test))
    turned = [rotate(split, seed=seed) for seed, split in splits]
    return Digits(f"{digits.name}, rotated", *turned)


def _stratified_split(split: Split, held_out: int) -> tuple[Split, Split]:
    from sklearn.model_selection import train_test_split  # slow to import

    kept, held = train_test_split(
        torch.arange(len(split.targets)).numpy(),
        test_size=held_out,
        stratify=split.targets.numpy(),
        random_state=0,
    )
    kept, held = sorted(kept), sorted(held)
    return Split(*(t[kept] for t in split)), Split(*(t[held] for t in split))


class Batches(DataLoader[tuple[Tensor, ...]]):
    """What ``make_loader`` returns: batches, and what they were made of."""

    def __init__(
        self,
        dataset: TensorDataset,
        order: Sampler[int],
        batch_size: int,
        augment: Callable[[Tensor], Tensor] | None,
    ) -> None:
        def prepare(batch: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
            images, targets = batch
            return normalize(augment(to_ink(images)) if augment else images), targets

        batches = BatchSampler(order, batch_size, drop_last=False)
        super().__init__(dataset, sampler=batches, batch_size=None, collate_fn=prepare)
        self.tensors, self.order, self.augment = dataset.tensors, order, augment
        self.images_to_a_batch = batch_size

    def set_epoch(self, epoch: int) -> None:
        """Have the shares of several processes drawn anew, in all of them alike."""
        if isinstance(self.order, DistributedSampler):
            self.order.set_epoch(epoch)

    def settings(self) -> dict[str, Any]:
        """All that makes these batches what they are, as JSON can hold it."""
        order, augment = self.order, self.augment
        return {
            "images": f"{len(self.tensors[0]):,} (checksum {_checksum(self.tensors)})",
            "batch_size": self.images_to_a_batch,
            "shuffle": getattr(order, "shuffle", isinstance(order, RandomSampler)),
            "augment": augment and re.sub(" at 0x[0-9a-f]+", "", repr(augment)),
        }


def make_loader(
    split: Split,
    batch_size: int = 128,
    shuffle: bool = False,
    augment: Callable[[Tensor], Tensor] | None = None,
    shard: bool = False,
) -> Batches:
    """Batches of normalised images and their targets.

    Whole batches are cut out of the tensors at once, so no worker processes are
    needed. The order of a shuffled loader follows ``torch.manual_seed``.

    Args:
        split: the images, raw digits or ink of 28x28 pixels, and the targets.
        batch_size: how many to a batch; the last one may be smaller.
        shuffle: whether every epoch goes through them in a new random order.
        augment: changes the ink ``(N, 1, 28, 28)`` of each batch, before it is
            normalised; for training only.
        shard: whether to take this process's share only, one of several of the same
            size (see ``torch.distributed``), as ``fit`` needs it there. They shuffle
            as the seed of the first process says.

    Returns:
        A ``DataLoader`` of ``(images, targets)``: float32 ``(N, 1, 28, 28)``, int64
        ``(N,)``.

    Raises:
        ValueError: once a batch is taken whose images are neither kind.
    """
    dataset = TensorDataset(*split)
    order: Sampler[int]
    if shard:
        seed = [torch.initial_seed()]
        distributed.broadcast_object_list(seed)
        order = DistributedSampler(dataset, shuffle=shuffle, seed=seed[0])
    else:
        order = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
    return Batches(dataset, order, batch_size, augment)
