"""The command line: ``mnistedu train``, ``evaluate``, ``predict``, ``export`` ...

Each command imports what it needs: torch takes seconds, and ``--help`` must not.
"""

import json
import math
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperGroup

from mnistedu.options import Device, Epochs, Json, Seed, Source, Trained
from mnistedu.terminal import (
    Listened,
    say_answers,
    say_epoch,
    say_error,
    say_figures,
    say_results,
    say_what,
    visible,
)

if TYPE_CHECKING:
    from mnistedu.training import History

Command = TypeVar("Command", bound=Callable[..., None])
INTERRUPTED = 130  # the exit code of a program that Ctrl-C has ended


class OneSentence(TyperGroup):
    """Prints what the package complains about, a sentence each, and exits with 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command, to its end even where nobody listens any more."""
        out, err = Listened(sys.stdout), Listened(sys.stderr)
        with redirect_stdout(out), redirect_stderr(err):  # type: ignore[type-var]
            try:
                return super().invoke(ctx)
            except (OSError, ValueError, ModuleNotFoundError) as error:
                say_error(error)
                raise typer.Exit(2) from None


app = typer.Typer(
    cls=OneSentence,
    help="Train networks on handwritten digits, measure them and use them.",
    epilog="mnistedu COMMAND --help says more about a command, with examples.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain text, that can be searched and copied
    pretty_exceptions_enable=False,
)


def _command(*examples: str) -> Callable[[Command], Command]:
    """Make a function a command whose help ends with examples."""
    return app.command(epilog="\b\nExamples:\n  " + "\n  ".join(examples))


@_command(
    "mnistedu train",
    "mnistedu train --model mlp --hidden-sizes 512,256 --dropout 0.2",
    "mnistedu train --source rotated --output turned     (a harder task)",
    "mnistedu train --epochs 15 --output long",
    "mnistedu train --epochs 15 --output long --resume   (after a break)",
    "mnistedu train --epochs 30 --output long --resume   (15 more)",
    "torchrun --nproc-per-node=2 -m mnistedu train       (in two processes)",
)
def train(
    model: Annotated[
        Literal["mlp", "convnet"], typer.Option(help="The kind of network.")
    ] = "convnet",
    blocks: Annotated[
        int | None,
        typer.Option(min=1, max=4, help="A convnet's blocks; 3 if not given."),
    ] = None,
    hidden_sizes: Annotated[
        str | None,
        typer.Option(help="An mlp's hidden layers; 256,128 if not given."),
    ] = None,
    dropout: Annotated[
        float, typer.Option(min=0, max=0.99, help="Probability of a silent neuron.")
    ] = 0.0,
    epochs: Epochs = 5,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Images to a step, in each process.")
    ] = 128,
    learning_rate: Annotated[
        float, typer.Option(min=0, max=10, help="The peak of the one-cycle schedule.")
    ] = 0.01,
    weight_decay: Annotated[
        float, typer.Option(min=0, max=10, help="How fast AdamW shrinks the weights.")
    ] = 0.01,
    augment: Annotated[
        bool, typer.Option(help="Turn, scale, slant and shift the training images.")
    ] = True,
    seed: Seed = 0,
    source: Source = "auto",
    device: Device = None,
    output: Annotated[
        Path, typer.Option(file_okay=False, help="The folder for all that is written.")
    ] = Path("run"),
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the run in the folder, if there is one."
        ),
    ] = False,
) -> None:
    """Train a network and write it down, with its figures and plots.

    The folder gets best.safetensors and last.safetensors (the weights of the best
    and the last epoch), metrics.json (history, final figures of the best weights,
    settings, versions) and plots. Ctrl-C ends training and keeps what there is. With
    --resume a broken run goes on, and a finished one if --epochs is larger now.
    """
    if (output / "last.safetensors").exists() and not resume:
        raise ValueError(
            f"{output} already holds a run: go on with it with --resume, or name "
            "another folder with --output."
        )
    from mnistedu.augmentation import random_affine
    from mnistedu.data import load, make_loader
    from mnistedu.machine import join_processes, seed_everything
    from mnistedu.models import build_network
    from mnistedu.results import write_results
    from mnistedu.storage import refuse_unwritable
    from mnistedu.training import fit

    seed_everything(seed)
    network = build_network(model, blocks, hidden_sizes, dropout)
    with join_processes(device) as (where, rank, processes):
        refuse_unwritable(output / "metrics.json")
        digits = load(source)
        say_what(network, digits)
        changes = random_affine if augment else None
        history = fit(
            network,
            make_loader(digits.train, batch_size, True, changes, shard=processes > 1),
            make_loader(digits.val, 1000),
            epochs,
            learning_rate,
            weight_decay=weight_decay,
            on_epoch_end=say_epoch,
            checkpoint_dir=output,
            resume=resume,
            device=where,
        )
    if rank:
        return  # the first process alone measures and writes
    _check(history)
    import matplotlib

    matplotlib.use("Agg")  # draws into files and opens no window
    say_results(output, write_results(output, digits))
    if len(history) < epochs:
        raise typer.Exit(INTERRUPTED)


@_command(
    "mnistedu evaluate",
    "mnistedu evaluate --checkpoint run/best.safetensors",
    "mnistedu evaluate --checkpoint run/best.safetensors --source offline --json",
)
def evaluate(
    checkpoint: Trained = None,
    source: Source = "auto",
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Measure a trained network on the test images."""
    from mnistedu.checkpoints import PRETRAINED, load_checkpoint
    from mnistedu.data import load, make_loader
    from mnistedu.evaluation import predict
    from mnistedu.machine import find_device
    from mnistedu.results import measure

    network = load_checkpoint(checkpoint or PRETRAINED)
    with redirect_stdout(StringIO()) if as_json else nullcontext():
        digits = load(source)
        say_what(network, digits)
    test_loader = make_loader(digits.test, 1000)
    logits, targets = predict(network.to(find_device(device)), test_loader)
    figures = measure(logits, targets)
    if as_json:
        typer.echo(json.dumps({"data": digits.name, **figures}, indent=2))
        return
    from sklearn.metrics import classification_report  # takes a second to import

    say_figures("test", figures)
    # A digit that is never the answer has no precision: 0, and no warning.
    report = classification_report(targets, logits.argmax(1), digits=4, zero_division=0)
    typer.echo(f"\n{report}")


@_command(
    "mnistedu predict three.png seven.jpg",
    "mnistedu predict --checkpoint run/best.safetensors *.png",
    "mnistedu predict --json three.png",
)
def predict(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Files that show one digit each."),
    ],
    checkpoint: Trained = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Read the digit in each image file.

    Dark ink on light paper and light ink on dark paper will both do. A file that shows
    no digit is named, and the others are read all the same. The network may also be an
    .onnx file, such as one that was trained in the book's page.
    """
    from mnistedu.checkpoints import PRETRAINED, load_checkpoint
    from mnistedu.machine import find_device
    from mnistedu.reading import Model, not_one, read_digit

    if checkpoint and checkpoint.suffix == ".onnx":
        from mnistedu.export import load_onnx

        network: Model = load_onnx(checkpoint)
    else:
        network = load_checkpoint(checkpoint or PRETRAINED).to(find_device(device))
    answers: list[dict[str, Any]] = []
    for path in images:
        try:
            with warnings.catch_warnings(
                record=True, action="always", category=UserWarning
            ) as notes:
                reading = read_digit(path, network)
            for note in notes:
                typer.echo(visible(str(note.message)), err=True)
            if reading.digit is None:
                raise ValueError(not_one(str(path), reading.digits_seen))
            answer = {"image": str(path), "digit": reading.digit}
            numbers = {"probabilities": reading.probabilities.tolist()}
            answers.append(answer | numbers | {"doubt": reading.doubt})
        except (OSError, ValueError) as error:
            say_error(error)
    if answers and as_json:
        typer.echo(json.dumps(answers, indent=2))
    elif answers:
        say_answers(answers)
    if len(answers) < len(images):
        raise typer.Exit(2)


@_command(
    "mnistedu export",
    "mnistedu export --checkpoint run/best.safetensors --output mine.onnx",
)
def export(
    checkpoint: Trained = None,
    output: Annotated[
        Path, typer.Option(dir_okay=False, help="The file to write.")
    ] = Path("mnistedu.onnx"),
) -> None:
    """Write a network to an ONNX file, which runs without Python.

    It takes a drawing of any size, and gives the centred digit and the logits; of a
    convnet also the feature maps, and a heatmap for each class.
    """
    from mnistedu.checkpoints import PRETRAINED, load_checkpoint, read_checkpoint
    from mnistedu.export import export_onnx
    from mnistedu.storage import refuse_unwritable

    refuse_unwritable(output)
    path = checkpoint or PRETRAINED
    network = load_checkpoint(path)
    export_onnx(network, output, **read_checkpoint(path).info)
    typer.echo(f"Wrote {output}, {output.stat().st_size / 1000:,.0f} kB.")


@_command(
    "mnistedu kaggle train.csv test.csv",
    "mnistedu kaggle train.csv test.csv --epochs 30 --output mine.csv",
)
def kaggle(
    train_csv: Annotated[
        Path, typer.Argument(metavar="TRAIN.csv", exists=True, dir_okay=False)
    ],
    test_csv: Annotated[
        Path, typer.Argument(metavar="TEST.csv", exists=True, dir_okay=False)
    ],
    epochs: Epochs = 15,
    seed: Seed = 0,
    device: Device = None,
    output: Annotated[
        Path, typer.Option(dir_okay=False, help="The file to hand in.")
    ] = Path("submission.csv"),
) -> None:
    """Train on the files of Kaggle's Digit Recognizer and write a submission.

    TRAIN.csv has the columns label, pixel0 ... pixel783, TEST.csv the same without
    label. A tenth of TRAIN.csv is kept for validation.
    """
    from mnistedu.data import make_loader
    from mnistedu.evaluation import predict
    from mnistedu.kaggle import read_known, read_unknown, write_submission
    from mnistedu.machine import find_device, seed_everything
    from mnistedu.models import ConvNet
    from mnistedu.storage import refuse_unwritable
    from mnistedu.training import fit

    if output.resolve() in (train_csv.resolve(), test_csv.resolve()):
        raise ValueError(f"{output} is one of the tables to read: choose another name.")
    refuse_unwritable(output)
    seed_everything(seed)
    where, network = find_device(device), ConvNet()
    loaders, unknown = read_known(train_csv), read_unknown(test_csv)
    history = fit(network, *loaders, epochs, on_epoch_end=say_epoch, device=where)
    _check(history)
    answers = predict(network, make_loader(unknown, 1000))[0].argmax(1)
    write_submission(output, answers)
    typer.echo(f"Wrote {output}, {len(answers):,} answers.")
    if len(history) < epochs:
        raise typer.Exit(INTERRUPTED)


def _check(history: "History") -> None:
    """Stop here if training has led to nothing that could be used."""
    if not len(history):
        typer.echo("No epoch was finished, so there is nothing to write.")
        raise typer.Exit(INTERRUPTED)
    if not math.isfinite(history.val_loss[-1]):
        raise ValueError(
            "The loss grew beyond all numbers: the learning rate is too high."
        )
