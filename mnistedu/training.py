"""The training loop: forward, loss, backward, step."""

import copy
import inspect
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterable, Sized
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import get_total_norm
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.utils.data import DistributedSampler
from tqdm.auto import tqdm

from mnistedu.checkpoints import load_weights, read_checkpoint, save_checkpoint
from mnistedu.evaluation import accuracy, predict

if TYPE_CHECKING:
    import pandas


class Batches(Iterable[tuple[Tensor, Tensor]], Sized, Protocol):
    """What ``data.make_loader`` returns: pairs (images, targets), countable."""


@dataclass
class History:
    """What ``fit`` saw, one entry for each epoch.

    Losses are mean cross-entropies in nats and accuracies fractions in [0, 1];
    those of training are means over the epoch's batches, taken while the weights
    were changing. ``learning_rate`` is that of the epoch's last step,
    ``gradient_norm`` the mean over its steps of the length of the whole gradient,
    and ``seconds`` the time the epoch took, validation included.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.val_loss)

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the smallest validation loss."""
        return 1 + min(range(len(self)), key=self._loss_or_infinity)

    def _loss_or_infinity(self, epoch: int) -> float:
        loss = self.val_loss[epoch]
        return math.inf if math.isnan(loss) else loss  # nan compares with nothing

    def append(self, **epoch: float) -> None:
        """Add the figures of one more epoch, each by its name."""
        for name, value in epoch.items():
            getattr(self, name).append(value)

    def to_json(self) -> str:
        """The lists by name, as JSON."""
        return json.dumps(asdict(self))

    def to_frame(self) -> "pandas.DataFrame":
        """A pandas DataFrame with a column for each list and a row for each epoch."""
        import pandas  # takes a second to import

        epochs = pandas.RangeIndex(1, len(self) + 1, name="epoch")
        return pandas.DataFrame(asdict(self), index=epochs)


def seed_everything(seed: int) -> None:
    """Seed the random numbers of Python, NumPy and torch, on every device."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device() -> torch.device:
    """The fastest device there is: CUDA, Apple's MPS, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def fit(
    model: nn.Module,
    train_loader: Batches,
    val_loader: Batches,
    epochs: int = 5,
    learning_rate: float = 0.01,
    weight_decay: float = 0.01,
    label_smoothing: float = 0.0,
    mixed_precision: bool = False,
    scheduler: LRScheduler | None = None,
    patience: int | None = None,
    on_epoch_end: Callable[[History], Any] | None = None,
    checkpoint_dir: str | Path | None = None,
    resume: bool = False,
    device: torch.device | str | None = None,
) -> History:
    """Train a model in place.

    AdamW (Loshchilov and Hutter, 2019) with the one-cycle schedule: the learning
    rate rises to its peak over the first third of training and falls to zero by its
    end (Smith and Topin, 2019). An interrupt (Ctrl-C, or the stop button of a
    notebook) ends training early: the model gets its best weights so far, and the
    history up to there is returned.

    In one of several processes that torch.distributed has joined, each learns from
    its own batches, all take the same steps and return the same history, and the
    first one alone writes.

    Args:
        model: maps images ``(N, 1, 28, 28)`` to logits ``(N, 10)``. It is moved to
            the device for training, and back to where it was.
        train_loader: batches to learn from.
        val_loader: batches to measure on after each epoch.
        epochs: how many times to go through ``train_loader``.
        learning_rate: the peak of the schedule.
        weight_decay: how fast AdamW shrinks the weights.
        label_smoothing: the probability that the loss spreads evenly over all
            digits instead of wanting it on the target (Szegedy and others, 2016).
        mixed_precision: whether to train with products in bfloat16, while weights,
            sums and loss stay in float32 (Micikevicius and others, 2018). It halves
            the time where the processor has instructions for it, as GPUs and
            Intel's AMX do, and takes longer elsewhere.
        scheduler: one of torch's, in the place of the one-cycle schedule; it is
            stepped after every batch, and its own optimizer is used.
        patience: stop after so many epochs in a row without a smaller validation
            loss, and go back to the best weights. None trains all epochs and keeps
            the last weights.
        on_epoch_end: called with the history after each epoch.
        checkpoint_dir: where to keep ``best.safetensors`` and ``last.safetensors``,
            written after each epoch.
        resume: whether to go on from ``last.safetensors``, if it is there. Training
            ends with the very weights that it would have had without a break.
        device: where to train; None picks the fastest.

    Returns:
        Loss, accuracy and more, epoch by epoch.

    Raises:
        ValueError: if the checkpoint to resume from is damaged, or of another
            network or other settings.
        OSError: if a checkpoint cannot be written.
    """
    device = torch.device(device) if device else pick_device()
    home = next(model.parameters()).device
    model.to(device)
    steps = epochs * len(train_loader)
    if scheduler is None:
        parameters = model.parameters()
        adamw = _AdamW(parameters, learning_rate, weight_decay=weight_decay)
        scheduler = OneCycleLR(adamw, learning_rate, total_steps=steps)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=label_smoothing)

    settings = {
        "epochs": epochs,
        "batches": len(train_loader),
        "learning rate": learning_rate,
        "weight decay": weight_decay,
        "label smoothing": label_smoothing,
        "mixed precision": mixed_precision,
        "schedule": type(scheduler).__name__,
        **getattr(model, "settings", {}),
    }
    run = _Run(model, scheduler, checkpoint_dir, settings)
    if resume:
        run.restore()
    history = run.history
    rank = _rank()
    network = model if rank is None else DistributedDataParallel(model)
    try:
        done = len(history) * len(train_loader)
        with tqdm(
            total=steps,
            initial=done,
            unit="batch",
            leave=False,
            # tqdm's own variable, to which its bar for notebooks pays no heed
            disable=bool(rank) or "TQDM_DISABLE" in os.environ,
        ) as progress:
            for epoch in range(len(history), epochs):
                if patience and epoch and epoch - history.best_epoch >= patience:
                    break
                start = time.perf_counter()
                progress.set_description(f"epoch {epoch + 1}/{epochs}")
                _set_epoch(train_loader, epoch)
                trained = train_epoch(
                    network,
                    train_loader,
                    loss_fn,
                    scheduler,
                    progress,
                    mixed_precision,
                )
                logits, targets = predict(network, val_loader)
                figures = {
                    **trained,
                    "val_loss": nn.functional.cross_entropy(logits, targets).item(),
                    "val_accuracy": accuracy(logits, targets),
                    "seconds": time.perf_counter() - start,
                }
                history.append(**_mean_over_processes(figures, device))
                run.keep()
                if on_epoch_end is not None:
                    on_epoch_end(history)
    except KeyboardInterrupt:
        print(f"Interrupted after {len(history)} of {epochs} epochs.")
        run.go_back_to_best()
    finally:
        model.to(home)  # where the caller's own tensors are
    if patience:
        run.go_back_to_best()
    return history


def train_epoch(
    model: nn.Module,
    train_loader: Batches,
    loss_fn: nn.Module,
    scheduler: LRScheduler,
    progress: "tqdm[Any]",
    mixed_precision: bool = False,
) -> dict[str, float]:
    """Go through the training images once: forward, loss, backward, step.

    Returns:
        The figures of this epoch that ``History`` keeps.
    """
    optimizer = scheduler.optimizer
    device = next(model.parameters()).device
    model.train()
    sums = torch.zeros(3, device=device)
    count = 0
    for images, targets in train_loader:
        images, targets = images.to(device), targets.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision):
            logits = model(images)
        loss = loss_fn(logits.float(), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        learning_rate = scheduler.get_last_lr()[0]
        scheduler.step()

        n = len(targets)
        norm = get_total_norm(
            [p.grad for p in model.parameters() if p.grad is not None]
        )
        correct = (logits.argmax(1) == targets).sum()
        sums += torch.stack([loss.detach() * n, correct, norm * n])
        count += n
        progress.update()
    loss_mean, accuracy_mean, norm_mean = (sums / count).tolist()
    return {
        "train_loss": loss_mean,
        "train_accuracy": accuracy_mean,
        "gradient_norm": norm_mean,
        "learning_rate": learning_rate,
    }


def _rank() -> int | None:
    """Which of several processes this is, counted from 0; None if it is alone."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    return None


def _set_epoch(train_loader: Batches, epoch: int) -> None:
    """Have the shares of several processes drawn anew, in all of them alike."""
    batches = getattr(train_loader, "sampler", None)
    sampler = getattr(batches, "sampler", None)
    if isinstance(sampler, DistributedSampler):
        sampler.set_epoch(epoch)


def _mean_over_processes(
    figures: dict[str, float], device: torch.device
) -> dict[str, float]:
    """The same figures in every process, so that all take the same decisions."""
    if _rank() is None:
        return figures
    values = torch.tensor(list(figures.values()), dtype=torch.float64, device=device)
    distributed.all_reduce(values)
    values /= distributed.get_world_size()
    return dict(zip(figures, values.tolist(), strict=True))


class _AdamW(torch.optim.AdamW):
    """Torch's own, less the import of torch's compiler, which takes seconds.

    Torch bars these methods from being compiled; that bar alone needs the compiler.
    """

    add_param_group = inspect.unwrap(torch.optim.AdamW.add_param_group)
    load_state_dict = inspect.unwrap(torch.optim.AdamW.load_state_dict)
    state_dict = inspect.unwrap(torch.optim.AdamW.state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))
    zero_grad = inspect.unwrap(torch.optim.AdamW.zero_grad)


class _Run:
    """What outlives a run of ``fit``: its history, its best weights, its files."""

    def __init__(
        self,
        model: nn.Module,
        scheduler: LRScheduler,
        checkpoint_dir: str | Path | None,
        settings: dict[str, Any],
    ) -> None:
        self.model, self.scheduler, self.settings = model, scheduler, settings
        self.folder = Path(checkpoint_dir) if checkpoint_dir else None
        self.history = History()
        self.best: dict[str, Tensor] | None = None

    def keep(self) -> None:
        """Note the weights of the epoch that just ended, in memory and on disk."""
        is_best = self.history.best_epoch == len(self.history)
        if is_best:
            self.best = copy.deepcopy(self.model.state_dict())
        if self.folder is None or _rank():
            return
        history = asdict(self.history)
        # Best before last: whoever resumes repeats the epoch that wrote the best.
        if is_best:
            save_checkpoint(
                self.model, self.folder / "best.safetensors", history=history
            )
        optimizer = self.scheduler.optimizer.state_dict()
        tensors = {
            f"{index}/{name}": torch.as_tensor(value)
            for index, state in optimizer["state"].items()
            for name, value in state.items()
            if value is not None
        }
        save_checkpoint(
            self.model,
            self.folder / "last.safetensors",
            training=tensors | _torch_random_state(),
            random=_random_state(),
            history=history,
            fit=self.settings,
            param_groups=optimizer["param_groups"],
            scheduler=self.scheduler.state_dict(),
        )

    def restore(self) -> None:
        """Go back to the end of the last epoch on disk, if there is one."""
        if self.folder is None or not (self.folder / "last.safetensors").exists():
            return
        last = read_checkpoint(self.folder / "last.safetensors")
        theirs = last.info.get("fit", {})
        different = [
            f"{name} {theirs.get(name)}, not {value}"
            for name, value in self.settings.items()
            if theirs.get(name) != value
        ]
        if different:
            raise ValueError(
                f"{self.folder} holds a run with {'; '.join(different)}: resume it "
                "with its own settings, or start afresh in another folder."
            )
        best = read_checkpoint(self.folder / "best.safetensors")
        load_weights(self.model, last)
        self.best = best.weights
        self.history = History(**last.info["history"])
        self.scheduler.load_state_dict(last.info["scheduler"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in last.training.items():
            index, _, key = name.partition("/")
            if index.isdigit():
                state.setdefault(int(index), {})[key] = value
        optimizer = self.scheduler.optimizer
        optimizer.load_state_dict(
            {"state": state, "param_groups": last.info["param_groups"]}
        )
        _set_random_state(last.info["random"], last.training)

    def go_back_to_best(self) -> None:
        """Give the model the weights of its best epoch, if one has ended."""
        if self.best is not None:
            self.model.load_state_dict(self.best)


def _torch_random_state() -> dict[str, Tensor]:
    state = {"random/cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["random/cuda"] = torch.cuda.get_rng_state()
    return state


def _random_state() -> list[Any]:
    """The states of Python's and NumPy's random numbers, as JSON can hold them."""
    name, words, *rest = np.random.get_state(legacy=True)
    return [random.getstate(), [name, np.asarray(words).tolist(), *rest]]


def _set_random_state(state: list[Any], tensors: dict[str, Tensor]) -> None:
    (version, words, gauss), numpy_state = state
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(numpy_state))
    torch.set_rng_state(tensors["random/cpu"])
    if torch.cuda.is_available() and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"])
