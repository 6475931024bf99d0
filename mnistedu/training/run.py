"""What is around the loop of ``fit``: settings, best weights, files, processes."""

import copy
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import get_total_norm
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau
from tqdm import tqdm

from mnistedu import machine
from mnistedu.activations import eval_mode
from mnistedu.checkpoints import (
    Checkpoint,
    load_weights,
    read_checkpoint,
    save_checkpoint,
)
from mnistedu.data import Batches
from mnistedu.evaluation import accuracy
from mnistedu.optimizers import AdamW
from mnistedu.storage import held
from mnistedu.training.history import History
from mnistedu.training.settings import Loader, Settings, describe_data, describe_model


class Run:
    """One training, from its first step to its last.

    In one of several processes that torch.distributed has joined, each learns from its
    own batches and draws its own noise, all take the same steps and see the same
    history, and the first one alone writes.

    Args:
        model, train_loader, val_loader, epochs, learning_rate: as ``fit`` takes them.
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
            written after each epoch. What an earlier run left there is replaced.
        resume: whether to go on from ``last.safetensors``, if it is there. Training
            ends with the very weights that it would have had without a break. A
            finished run is trained further if ``epochs`` is larger than it was, with
            the schedule begun anew over the epochs that are new.
        device: where to train; None picks the fastest.

    Attributes:
        history: what the epochs so far were like.
        settings: what shapes the weights; kept with them if there is a folder.

    Raises:
        ValueError: if there are no images to train or to validate on, ``patience`` is
            below 1, the run to resume is damaged or has other settings, another one
            writes to the folder, the processes would resume from different epochs, the
            schedule waits for a loss, or there is no such device.
        OSError: if a checkpoint cannot be read or written.
    """

    def __init__(
        self,
        model: nn.Module,
        train_loader: Loader,
        val_loader: Loader,
        epochs: int,
        learning_rate: float,
        weight_decay: float = 0.01,
        label_smoothing: float = 0.0,
        mixed_precision: bool = False,
        scheduler: LRScheduler | None = None,
        patience: int | None = None,
        on_epoch_end: Callable[[History], Any] | None = None,
        checkpoint_dir: str | Path | None = None,
        resume: bool = False,
        device: torch.device | str | None = None,
    ) -> None:
        for loader, what in (train_loader, "train"), (val_loader, "validate"):
            if len(loader) == 0:
                raise ValueError(f"There are no images to {what} on.")
        if patience is not None and patience < 1:
            raise ValueError(
                f"patience is 1 or more, or None to train all epochs, not {patience}."
            )
        self.model, self.train_loader = model, train_loader
        self.on_epoch_end = on_epoch_end
        self.device = machine.find_device(device)
        self.folder = Path(checkpoint_dir) if checkpoint_dir else None
        self.history = History()
        self.best: dict[str, Tensor] | None = None  # the weights of the best epoch
        self.loss_fn = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        self.rank, self.processes = 0, 1  # counted from 0, and how many there are
        if distributed.is_available() and distributed.is_initialized():
            self.rank = distributed.get_rank()
            self.processes = distributed.get_world_size()

        self._last, self._further, before = None, False, 0
        if resume and self.folder and (self.folder / "last.safetensors").exists():
            self._last = _read_last(self.folder)
            if "run" not in self._last.info:
                raise ValueError(
                    f"{self.folder} holds no run of this mnistedu, perhaps one of an "
                    "older: start afresh in another folder."
                )
            run, losses = self._last.info["run"], self._last.info["history"]["val_loss"]
            # Whether a finished run is trained further, as a new one.
            self._further = self._last.info["finished"] and epochs > run["epochs"]
            before = len(losses) if self._further else run["trained_before"]
        own = scheduler is not None
        if scheduler is None:
            adamw = AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)
            steps = max((epochs - before) * len(train_loader), 1)
            scheduler = OneCycleLR(adamw, learning_rate, total_steps=steps)
        elif isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(
                "ReduceLROnPlateau waits for a loss after each epoch, and fit steps "
                "its schedule after each batch: choose another of torch's, or patience."
            )
        self.scheduler, schedule = scheduler, scheduler.state_dict()
        groups = scheduler.optimizer.param_groups
        self.settings = Settings(
            schedule=type(scheduler).__name__,
            optimizer=type(scheduler.optimizer).__name__,
            epochs=epochs,
            trained_before=before,
            learning_rate=None if own else learning_rate,
            weight_decay=None if own else weight_decay,
            label_smoothing=label_smoothing,
            mixed_precision=mixed_precision,
            patience=patience,
            seed=self._from_all(torch.initial_seed())[0],
            processes=self.processes,
            model=describe_model(model),
            train_data=describe_data(train_loader) if self.folder else {},
            val_data=describe_data(val_loader) if self.folder else {},
            optimizer_groups=[{**g, "params": len(g["params"])} for g in groups],
            schedule_state={k: v for k, v in schedule.items() if k[0] != "_"},
        )
        if self._last is not None:
            free = ("epochs", "trained_before", "schedule_state.total_steps")
            difference = self.settings.differ(run, *(free if self._further else ()))
            if difference:
                raise ValueError(
                    f"{self.folder} holds a run with {difference}: resume it with its "
                    "own settings, or start afresh in another folder."
                )

    @contextmanager
    def started(self) -> Iterator[nn.Module]:
        """Give the network to train, on its device, and put all back in the end."""
        home = next(self.model.parameters()).device
        with ExitStack() as stack:
            if self.folder and self.rank == 0:
                stack.enter_context(held(self.folder))
            stack.callback(self.model.to, home)  # where the caller's own tensors are
            self.model.to(self.device)
            self.device = next(self.model.parameters()).device
            try:
                self._begin()
                # Each module comes back in its own mode.
                with eval_mode(self.model), self._progress:
                    several = self.processes > 1
                    yield DistributedDataParallel(self.model) if several else self.model
                if self.settings.patience:
                    self._go_back_to_best()
            except KeyboardInterrupt:
                done, epochs = len(self.history), self.settings.epochs
                print(f"Interrupted after {done} of {epochs} epochs.")
                self._go_back_to_best()

    def _begin(self) -> None:
        """Be where the run stands, in all processes, and show it."""
        if self._last is not None:
            self._restore()
        elif self.rank:
            own = np.random.SeedSequence([self.settings.seed, self.rank])
            machine.seed_everything(int(own.generate_state(1)[0]))
        done = self._from_all(len(self.history))
        if len({*done}) > 1:
            raise ValueError(
                f"The processes would go on from different epochs, {done}: name a "
                "folder that all of them see."
            )
        steps = len(self.train_loader)
        self._progress = tqdm(
            total=self.settings.epochs * steps,
            initial=len(self.history) * steps,
            unit="batch",
            leave=False,
            # Text, which a saved notebook shows without a kernel; in a notebook
            # stderr would be red, as if something had failed.
            file=sys.stdout if "ipykernel" in sys.modules else sys.stderr,
            disable=self.rank > 0 or "TQDM_DISABLE" in os.environ,
        )

    def epochs_left(self) -> Iterator[int]:
        """Count the epochs that are to be trained, from 0, until there are enough."""
        while not self._is_finished():
            self._start = time.perf_counter()
            epoch = len(self.history)
            self._progress.set_description(f"epoch {epoch + 1}/{self.settings.epochs}")
            yield epoch

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The training batches of an epoch, on the device of the model."""
        self.model.train()
        if isinstance(self.train_loader, Batches):
            self.train_loader.set_epoch(len(self.history))
        self._sums, self._count = torch.zeros(3, device=self.device), 0
        for images, targets in self.train_loader:
            yield images.to(self.device), targets.to(self.device)
            self._progress.update()

    def precision(self) -> torch.autocast:
        """A context in which products are in bfloat16, if that is wanted."""
        mixed = self.settings.mixed_precision
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed)

    def count(self, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        """Add a step to the figures of its epoch, before the schedule moves on."""
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        correct = (logits.argmax(1) == targets).sum()
        n, norm = len(targets), get_total_norm(gradients)
        self._sums += torch.stack([loss.detach() * n, correct, norm * n])
        self._count += n
        self._learning_rate = self.scheduler.get_last_lr()[0]

    def finish_epoch(self, logits: Tensor, targets: Tensor) -> None:
        """Note the epoch that ends with these answers to the validation images."""
        train_loss, train_accuracy, norm = (self._sums / self._count).tolist()
        figures = {
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "gradient_norm": norm,
            "learning_rate": self._learning_rate,
            "val_loss": cross_entropy(logits, targets).item(),
            "val_accuracy": accuracy(logits, targets),
            "seconds": time.perf_counter() - self._start,
        }
        # The same in every process, so that all take the same decisions.
        all_figures = self._from_all(figures)
        for name in figures:
            mean = float(np.mean([each[name] for each in all_figures]))
            getattr(self.history, name).append(mean)
        is_best = self.history.best_epoch == len(self.history)
        if is_best:
            self.best = copy.deepcopy(self.model.state_dict())
        if self.folder is not None:
            states = self._from_all(machine.get_random_state(self.device))
            if self.rank == 0:
                self._write(self.folder, states, is_best)
        if self.on_epoch_end is not None:
            self.on_epoch_end(self.history)

    def _is_finished(self) -> bool:
        done, settings = len(self.history), self.settings
        if not settings.patience or done in (settings.trained_before, settings.epochs):
            return done >= settings.epochs
        best = max(self.history.best_epoch, settings.trained_before)
        return done - best >= settings.patience

    def _go_back_to_best(self) -> None:
        if self.best is not None:
            self.model.load_state_dict(self.best)

    def _write(self, folder: Path, states: list[Any], is_best: bool) -> None:
        """Keep the weights and all that it takes to go on from them."""
        history = asdict(self.history)
        # Best before last: whoever resumes repeats the epoch that wrote the best.
        if is_best:
            save_checkpoint(self.model, folder / "best.safetensors", history=history)
        optimizer = self.scheduler.optimizer.state_dict()
        save_checkpoint(
            self.model,
            folder / "last.safetensors",
            training={
                f"{index}/{name}": torch.as_tensor(value)
                for index, state in optimizer["state"].items()
                for name, value in state.items()
                if value is not None
            },
            run=self.settings.to_dict(),
            finished=self._is_finished(),
            history=history,
            random=states,
            param_groups=optimizer["param_groups"],
            scheduler=self.scheduler.state_dict(),
        )

    def _restore(self) -> None:
        """Go back to the end of the last epoch on disk."""
        last = self._last
        assert self.folder is not None and last is not None
        load_weights(self.model, last)
        best = self.folder / "best.safetensors"
        if not best.exists():  # the last weights take their place
            save_checkpoint(self.model, best, history=last.info["history"])
        self.best = read_checkpoint(best).weights
        self.history = History(**last.info["history"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in last.training.items():
            index, _, key = name.partition("/")
            state.setdefault(int(index), {})[key] = value
        optimizer = self.scheduler.optimizer
        groups, schedule = last.info["param_groups"], last.info["scheduler"]
        if self._further:
            groups = optimizer.state_dict()["param_groups"]
        else:
            if "milestones" in schedule:  # MultiStepLR's: JSON made texts of its keys
                milestones = schedule["milestones"].items()
                schedule["milestones"] = {int(step): n for step, n in milestones}
            self.scheduler.load_state_dict(schedule)
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        machine.set_random_state(last.info["random"][self.rank], self.device)

    def _from_all(self, value: Any) -> list[Any]:
        """Every process's own, in all of them."""
        values = [value] * self.processes
        if self.processes > 1:
            distributed.all_gather_object(values, value)
        return values


def _read_last(folder: Path) -> Checkpoint:
    """What a run left behind; of a damaged one, how to go on from what is whole."""
    last, best = folder / "last.safetensors", folder / "best.safetensors"
    try:
        checkpoint = read_checkpoint(last)
    except ValueError as error:
        if not _is_whole(best):
            raise
        raise ValueError(
            f"{error} But {best} is whole: `mnistedu evaluate --checkpoint {best}` "
            "measures it, and another folder takes a new run."
        ) from error
    if best.exists() and not _is_whole(best):
        raise ValueError(
            f"{best} is damaged, but {last} is whole: delete {best}, and the same "
            "command goes on, with the last weights in the place of the best."
        )
    return checkpoint


def _is_whole(path: Path) -> bool:
    with suppress(FileNotFoundError, ValueError):
        return bool(read_checkpoint(path))
    return False
