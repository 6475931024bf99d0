"""The training loop: forward, loss, backward, step.

What is around it, from the schedule to the files, is in ``run``.
"""

from typing import Any

from torch import nn

from mnistedu.evaluation import predict
from mnistedu.training.history import History
from mnistedu.training.run import Run
from mnistedu.training.settings import Loader

__all__ = ["History", "fit"]


def fit(
    model: nn.Module,
    train_loader: Loader,
    val_loader: Loader,
    epochs: int = 5,
    learning_rate: float = 0.01,
    **options: Any,
) -> History:
    """Train a model in place.

    AdamW (Loshchilov and Hutter, 2019) with the one-cycle schedule: the learning
    rate rises to its peak over three tenths of training and falls to zero by its
    end (Smith and Topin, 2019). An interrupt (Ctrl-C, or the stop button of a
    notebook) ends training early: the model gets its best weights so far, and the
    history up to there is returned.

    Args:
        model: maps images ``(N, 1, 28, 28)`` to logits ``(N, 10)``. Afterwards it is
            on the device and in the mode in which it came.
        train_loader: batches to learn from.
        val_loader: batches to measure on after each epoch.
        epochs: how many times to go through ``train_loader``.
        learning_rate: the peak of the schedule.
        options: what else a ``Run`` can be told: ``weight_decay``, ``label_smoothing``,
            ``mixed_precision``, ``scheduler``, ``patience``, ``on_epoch_end``,
            ``checkpoint_dir``, ``resume``, ``device``.

    Returns:
        Loss, accuracy and more, epoch by epoch.

    Raises:
        OSError: as ``Run``.
        ValueError: as ``Run``.
    """
    run = Run(model, train_loader, val_loader, epochs, learning_rate, **options)
    loss_fn, scheduler, optimizer = run.loss_fn, run.scheduler, run.scheduler.optimizer
    with run.started() as network:
        for _ in run.epochs_left():
            for images, targets in run.batches():
                with run.precision():
                    logits = network(images)
                loss = loss_fn(logits.float(), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.count(loss, logits, targets)
                scheduler.step()
            run.finish_epoch(*predict(network, val_loader))
    return run.history
