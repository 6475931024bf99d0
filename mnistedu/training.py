"""The training loop: forward, loss, backward, step."""

import time
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mnistedu.evaluation import accuracy, predict


class Batches(Iterable[tuple[Tensor, Tensor]], Sized, Protocol):
    """What ``data.make_loader`` returns: pairs (images, targets), countable."""


@dataclass
class History:
    """What ``fit`` saw, one entry for each epoch.

    Losses are mean cross-entropies in nats, accuracies fractions in [0, 1], and
    ``seconds`` counts from the start of training. Training loss and accuracy are
    means over the epoch's batches, taken while the weights were changing.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


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
) -> History:
    """Train a model in place.

    AdamW with the one-cycle schedule: the learning rate rises to its peak over the
    first third of training and falls to zero by its end (Smith and Topin, 2019).

    Args:
        model: maps images ``(N, 1, 28, 28)`` to logits ``(N, 10)``. It is moved to
            the fastest device and stays there.
        train_loader: batches to learn from.
        val_loader: batches to measure on after each epoch.
        epochs: how many times to go through ``train_loader``.
        learning_rate: the peak of the schedule.
        weight_decay: how fast AdamW shrinks the weights (Loshchilov and Hutter,
            2019).

    Returns:
        Loss and accuracy on both sets, epoch by epoch.
    """
    device = pick_device()
    model.to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(
        model.parameters(), learning_rate, weight_decay=weight_decay
    )
    steps = epochs * len(train_loader)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps
    )
    history = History()
    start = time.perf_counter()
    with tqdm(total=steps, unit="batch", leave=False) as progress:
        for epoch in range(epochs):
            model.train()
            loss_sum = correct = count = 0.0
            for images, targets in train_loader:
                images, targets = images.to(device), targets.to(device)
                logits = model(images)
                loss = loss_fn(logits, targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()

                loss_sum += loss.item() * len(targets)
                correct += (logits.argmax(1) == targets).sum().item()
                count += len(targets)
                progress.update()
                progress.set_postfix(epoch=f"{epoch + 1}/{epochs}", loss=loss.item())

            val_logits, val_targets = predict(model, val_loader)
            history.train_loss.append(loss_sum / count)
            history.train_accuracy.append(correct / count)
            history.val_loss.append(loss_fn(val_logits, val_targets).item())
            history.val_accuracy.append(accuracy(val_logits, val_targets))
            history.seconds.append(time.perf_counter() - start)
    return history
