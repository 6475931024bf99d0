"""What the command line says, and to whom."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO
from unicodedata import category

import typer

if TYPE_CHECKING:
    from torch import nn

    from mnistedu.data import Digits
    from mnistedu.training import History


class Listened:
    """A stream that falls silent when its reader has gone, or was never there.

    So ``mnistedu train | head -1`` prints a line and trains to its end.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream or open(os.devnull, "w")  # noqa: SIM115

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> None:
        """Write, as long as somebody listens."""
        self._try(self.stream.write, text)

    def flush(self) -> None:
        """Flush, as long as somebody listens."""
        self._try(self.stream.flush)

    def _try(self, action: Callable[..., Any], *args: str) -> None:
        try:
            action(*args)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())


def visible(text: str) -> str:
    """A text whose control characters are shown, and not sent to the terminal."""
    return "".join(repr(c)[1:-1] if category(c) == "Cc" else c for c in text)


def say_error(error: Exception) -> None:
    """Print an error as one sentence."""
    sentence = str(error)
    if isinstance(error, OSError) and error.filename:
        sentence = f"{error.filename} cannot be used: {error.strerror}."
    typer.echo(f"Error: {visible(sentence)}", err=True)


def say_what(network: "nn.Module", digits: "Digits") -> None:
    """Print the kind of network, and on how many images it is to work."""
    typer.echo(
        f"{type(network).__name__} on {digits.name}: {len(digits.train.targets):,} "
        f"training, {len(digits.val.targets):,} validation and "
        f"{len(digits.test.targets):,} test images"
    )


def say_epoch(history: "History") -> None:
    """Print the figures of the last epoch."""
    from tqdm import tqdm

    tqdm.write(  # it knows how to keep clear of the progress bar
        f"epoch {len(history)}: training loss {history.train_loss[-1]:.4f}, validation "
        f"loss {history.val_loss[-1]:.4f}, accuracy {history.val_accuracy[-1]:.2%}"
    )


def say_figures(split: str, figures: dict[str, Any]) -> None:
    """Print how good a network is on a split."""
    low, high = figures["accuracy_interval"]
    typer.echo(
        f"{split}: accuracy {figures['accuracy']:.2%} (95% interval {low:.2%} to "
        f"{high:.2%}), loss {figures['loss']:.4f}, expected calibration error "
        f"{figures['expected_calibration_error']:.4f}"
    )
