"""What the command line says, and to whom."""

import os
from collections.abc import Callable
from pathlib import Path
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
        """Write, as long as somebody listens; what cannot be said there, in escapes."""
        encoding = self.stream.encoding or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
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


def say_results(folder: Path, metrics: dict[str, Any]) -> None:
    """Print what ``write_results`` has written to a folder."""
    typer.echo(f"The best weights are those of epoch {metrics['best_epoch']}:")
    for split in ("validation", "test"):
        say_figures(split, metrics[split])
    epochs = len(metrics["history"]["val_loss"])
    done = f"{epochs} epoch{'s' * (epochs > 1)}"
    typer.echo(f"Wrote weights, metrics.json and plots of {done} to {folder}.")


def say_answers(answers: list[dict[str, Any]]) -> None:
    """Print a table of images, the digits in them and how sure each answer is."""
    width = max(
        len(visible(name)) for name in ["image", *(a["image"] for a in answers)]
    )
    typer.echo(f"{'image':<{width}}  digit  probability")
    for answer in answers:
        name, sure = visible(answer["image"]), max(answer["probabilities"])
        doubts = "  looks like no digit" if (answer["doubt"] or 0) > 0 else ""
        typer.echo(f"{name:<{width}}  {answer['digit']:>5}  {sure:>11.1%}{doubts}")
