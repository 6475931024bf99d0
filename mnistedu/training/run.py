"""What is around the loop of ``fit``: settings, best weights, files, processes."""

import copy
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from tqdm.auto import tqdm

from mnistedu.activations import eval_mode
from mnistedu.checkpoints import (
    Checkpoint,
    load_weights,
    read_checkpoint,
    save_checkpoint,
)
from mnistedu.data import Batches
from mnistedu.evaluation import accuracy
from mnistedu.machine import (
    get_random_state,
    pick_device,
    seed_everything,
    set_random_state,
)
from mnistedu.training.adamw import AdamW
from mnistedu.training.history import History
from mnistedu.training.settings import (
    Loader,
    Settings,
    describe_data,
    describe_groups,
    describe_model,
    describe_schedule,
)


class Run:
    """One training, from its first step to its last.

    In one of several processes that torch.distributed has joined, each learns from its
    own batches and draws its own noise, all take the same steps and see the same
    history, and the first one alone writes.

    Args:
        model: maps images ``(N, 1, 28, 28)`` to logits ``(N, 10)``.
        train_loader: batches to learn from.
        val_loader: batches to measure on after each epoch.
        epochs: how many times to go through ``train_loader``.
        learning_rate: the peak of the one-cycle schedule.
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
        ValueError: if the run to resume is damaged or has other settings, the processes
            would resume from different epochs, or the schedule waits for a loss.
        OSError: if a checkpoint cannot be written.
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
        self.model, self.train_loader = model, train_loader
        self.on_epoch_end = on_epoch_end
        self.device = torch.device(device) if device else pick_device()
        self.folder = Path(checkpoint_dir) if checkpoint_dir else None
        self.history = History()
        self.best: dict[str, Tensor] | None = None  # the weights of the best epoch
        self.loss_fn = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        self.rank, self.processes = _rank_and_processes()

        self._last = self._read_last() if resume else None
        before, self._further = self._epochs_before(epochs)
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
        self.scheduler = scheduler
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
            optimizer_groups=describe_groups(scheduler.optimizer),
            schedule_state=describe_schedule(scheduler),
        )
        if self._last is not None:
            self._refuse_other_settings(self._last)

    @contextmanager
    def started(self) -> Iterator[nn.Module]:
        """Give the network to train, on its device, and put all back in the end."""
        home = next(self.model.parameters()).device
        self.model.to(self.device)
        self.device = next(self.model.parameters()).device
        steps = len(self.train_loader)
        try:
            if self._last is not None:
                self._restore(self._last)
            elif self.rank:
                own = np.random.SeedSequence([self.settings.seed, self.rank])
                seed_everything(int(own.generate_state(1)[0]))
            self._refuse_different_epochs()
            several = self.processes > 1
            with (
                eval_mode(self.model),  # which brings back the mode of each module
                tqdm(
                    total=self.settings.epochs * steps,
                    initial=len(self.history) * steps,
                    unit="batch",
                    leave=False,
                    # tqdm's own variable, to which its bar for notebooks pays no heed
                    disable=self.rank > 0 or "TQDM_DISABLE" in os.environ,
                ) as self._progress,
            ):
                yield DistributedDataParallel(self.model) if several else self.model
            if self.settings.patience:
                self._go_back_to_best()
        except KeyboardInterrupt:
            print(
                f"Interrupted after {len(self.history)} of {self.settings.epochs} "
                "epochs."
            )
            self._go_back_to_best()
        finally:
            self.model.to(home)  # where the caller's own tensors are

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
        n = len(targets)
        norm = get_total_norm(gradients)
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
        self.history.append(**self._mean_over_processes(figures))
        is_best = self.history.best_epoch == len(self.history)
        if is_best:
            self.best = copy.deepcopy(self.model.state_dict())
        if self.folder is not None:
            states = self._from_all(get_random_state(self.device))
            if self.rank == 0:
                self._write(self.folder, states, is_best)
        if self.on_epoch_end is not None:
            self.on_epoch_end(self.history)

    def _is_finished(self) -> bool:
        done, settings = len(self.history), self.settings
        if done >= settings.epochs:
            return True
        if not settings.patience or done == settings.trained_before:
            return False
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

    def _read_last(self) -> Checkpoint | None:
        """What there is to resume, if there is anything."""
        if self.folder is None or not (self.folder / "last.safetensors").exists():
            return None
        last = read_checkpoint(self.folder / "last.safetensors")
        if "run" not in last.info:
            raise ValueError(
                f"{self.folder} holds a run of an older mnistedu: start afresh in "
                "another folder."
            )
        return last

    def _epochs_before(self, epochs: int) -> tuple[int, bool]:
        """The epochs of finished runs, and whether so many more begin a new one."""
        if self._last is None:
            return 0, False
        run = self._last.info["run"]
        if self._last.info["finished"] and epochs > run["epochs"]:
            return len(self._last.info["history"]["val_loss"]), True
        return run["trained_before"], False

    def _refuse_other_settings(self, last: Checkpoint) -> None:
        free = ("epochs", "trained_before", "schedule_state.total_steps")
        difference = self.settings.differ(
            last.info["run"], *(free if self._further else ())
        )
        if difference:
            raise ValueError(
                f"{self.folder} holds a run with {difference}: resume it with its own "
                "settings, or start afresh in another folder."
            )

    def _restore(self, last: Checkpoint) -> None:
        """Go back to the end of the last epoch on disk."""
        assert self.folder is not None
        best = read_checkpoint(self.folder / "best.safetensors")
        load_weights(self.model, last)
        self.best = best.weights
        self.history = History(**last.info["history"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in last.training.items():
            index, _, key = name.partition("/")
            state.setdefault(int(index), {})[key] = value
        optimizer = self.scheduler.optimizer
        groups = last.info["param_groups"]
        if self._further:
            groups = optimizer.state_dict()["param_groups"]
        else:
            self.scheduler.load_state_dict(_with_whole_keys(last.info["scheduler"]))
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        set_random_state(last.info["random"][self.rank], self.device)

    def _refuse_different_epochs(self) -> None:
        """All processes must go on from one and the same epoch."""
        done = self._from_all(len(self.history))
        if len({*done}) > 1:
            raise ValueError(
                f"The processes would go on from different epochs, {done}: name a "
                "folder that all of them see."
            )

    def _from_all(self, value: Any) -> list[Any]:
        """Every process's own, in all of them."""
        values = [value] * self.processes
        if self.processes > 1:
            distributed.all_gather_object(values, value)
        return values

    def _mean_over_processes(self, figures: dict[str, float]) -> dict[str, float]:
        """The same figures in every process, so that all take the same decisions."""
        values = np.array([[*each.values()] for each in self._from_all(figures)])
        return dict(zip(figures, values.mean(0).tolist(), strict=True))


def _rank_and_processes() -> tuple[int, int]:
    """Which process this is, counted from 0, and how many there are."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _with_whole_keys(state: dict[str, Any]) -> dict[str, Any]:
    """JSON makes texts of numbers that are keys, as MultiStepLR's milestones are."""
    return {
        name: {int(key): value[key] for key in value} if name == "milestones" else value
        for name, value in state.items()
    }
