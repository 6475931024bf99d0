"""The command line: ``mnistedu train``, ``evaluate``, ``predict``, ``export`` ...

Each command imports what it needs: torch takes seconds, and ``--help`` must not.
"""

import json
import math
import os
import platform
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

import mnistedu

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from mnistedu.data import Digits, Split
    from mnistedu.models import MLP, ConvNet
    from mnistedu.training import History

INTERRUPTED = 130  # the exit code of a program that Ctrl-C has ended


class OneSentence(TyperGroup):
    """Prints what the package complains about, a sentence each, and exits with 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (OSError, ValueError, ModuleNotFoundError) as error:
            _say_error(error)
            raise typer.Exit(2) from None


def _say_error(error: Exception) -> None:
    sentence = str(error)
    if isinstance(error, OSError) and error.filename:
        sentence = f"{error.filename} cannot be used: {error.strerror}."
    typer.echo(f"Error: {sentence}", err=True)


app = typer.Typer(
    cls=OneSentence,
    help="Train networks on handwritten digits, measure them and use them.",
    epilog="mnistedu COMMAND --help says more about a command, with examples.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain text, that can be searched and copied
    pretty_exceptions_enable=False,
)


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n  " + "\n  ".join(lines)


# The options that several commands share.
Epochs = Annotated[
    int, typer.Option(min=1, help="How often to go through the training images.")
]
Seed = Annotated[
    int,
    typer.Option(
        min=0, max=2**32 - 1, help="The same seed gives the same result on a machine."
    ),
]
Device = Annotated[
    str | None,
    typer.Option(help="cpu, cuda, cuda:1, mps ...; the fastest if it is not given."),
]
Source = Annotated[
    Literal["auto", "mnist", "offline"],
    typer.Option(
        help="The digits: MNIST, scikit-learn's (offline), or MNIST if it can be had."
    ),
]

Trained = Annotated[
    Path | None,
    typer.Option(help="What `mnistedu train` wrote; else the course's network."),
]


@app.command(
    epilog=_examples(
        "mnistedu train",
        "mnistedu train --model mlp --hidden-sizes 512,256 --dropout 0.2",
        "mnistedu train --epochs 15 --output long",
        "mnistedu train --epochs 15 --output long --resume   (after a break)",
        "torchrun --nproc-per-node=2 -m mnistedu train       (in two processes)",
    )
)
def train(
    model: Annotated[
        Literal["mlp", "convnet"], typer.Option(help="The kind of network.")
    ] = "convnet",
    blocks: Annotated[
        int | None,
        typer.Option(min=1, max=3, help="A convnet's blocks; 3 if not given."),
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
    settings, versions) and plots. Ctrl-C ends training and keeps what there is.
    """
    settings = {name: value for name, value in locals().items() if name != "output"}
    if (output / "last.safetensors").exists() and not resume:
        raise ValueError(
            f"{output} already holds a run: go on with it with --resume, or name "
            "another folder with --output."
        )
    from torch import distributed

    from mnistedu.augmentation import random_affine
    from mnistedu.data import load, make_loader
    from mnistedu.training import fit, seed_everything

    seed_everything(seed)  # in all processes alike: so they shuffle alike, and resume
    network = _build(model, blocks, hidden_sizes, dropout)
    where, rank = _join_processes(device)
    output.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(StringIO()) if rank else nullcontext():
        digits = load(source)
        _say_what(network, digits)
        history = fit(
            network,
            make_loader(
                digits.train,
                batch_size,
                shuffle=True,
                augment=random_affine if augment else None,
                shard=rank is not None,
            ),
            make_loader(digits.val, 1000),
            epochs,
            learning_rate,
            weight_decay,
            on_epoch_end=_say_epoch,
            checkpoint_dir=output,
            resume=resume,
            device=where,
        )
    if rank is not None:
        distributed.destroy_process_group()
    if rank:
        return  # the first process alone measures and writes
    _check(history)
    _write_results(output, digits, history, settings | network.settings)
    if len(history) < epochs:
        raise typer.Exit(INTERRUPTED)


@app.command(
    epilog=_examples(
        "mnistedu evaluate run/best.safetensors",
        "mnistedu evaluate run/best.safetensors --source offline",
    )
)
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="What `mnistedu train` wrote.")],
    source: Source = "auto",
) -> None:
    """Measure a trained network on the test images."""
    from mnistedu.checkpoints import load_checkpoint
    from mnistedu.data import load, make_loader
    from mnistedu.evaluation import predict
    from mnistedu.training import pick_device

    network = load_checkpoint(checkpoint)
    digits = load(source)
    _say_what(network, digits)
    logits, targets = predict(network.to(pick_device()), make_loader(digits.test, 1000))

    from sklearn.metrics import classification_report  # takes a second to import

    _say_figures("test", _figures(logits, targets))
    # A digit that is never the answer has no precision: 0, and no warning.
    report = classification_report(targets, logits.argmax(1), digits=4, zero_division=0)
    typer.echo(f"\n{report}")


@app.command(
    epilog=_examples(
        "mnistedu predict three.png seven.jpg",
        "mnistedu predict --checkpoint run/best.safetensors *.png",
        "mnistedu predict --json three.png",
    )
)
def predict(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Files that show one digit each."),
    ],
    checkpoint: Trained = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with all ten probabilities.")
    ] = False,
) -> None:
    """Read the digit in each image file.

    Dark ink on light paper and light ink on dark paper will both do. A file that shows
    no digit is named, and the others are read all the same.
    """
    import torch

    from mnistedu.checkpoints import PRETRAINED, load_checkpoint
    from mnistedu.evaluation import predict
    from mnistedu.preprocess import center_digit, normalize
    from mnistedu.reading import read_image

    network = load_checkpoint(checkpoint or PRETRAINED)
    digits: dict[Path, Tensor] = {}
    for path in images:
        try:
            digits[path] = center_digit(read_image(path))
        except (OSError, ValueError) as error:
            _say_error(error)
    unread = len(digits) < len({*images})
    if not digits:
        raise typer.Exit(2)
    batch = normalize(torch.cat([*digits.values()]))
    logits, _ = predict(network, [(batch, torch.zeros(len(batch)))])
    answers = [
        {
            "image": str(path),
            "digit": row.argmax().item(),
            "probabilities": row.tolist(),
        }
        for path, row in zip(digits, logits.softmax(1), strict=True)
    ]
    if as_json:
        typer.echo(json.dumps(answers, indent=2))
    else:
        _say_answers(answers)
    if unread:
        raise typer.Exit(2)


def _say_answers(answers: list[dict[str, Any]]) -> None:
    width = max(len("image"), *(len(answer["image"]) for answer in answers))
    typer.echo(f"{'image':<{width}}  digit  probability")
    for answer in answers:
        probability = max(answer["probabilities"])
        typer.echo(
            f"{answer['image']:<{width}}  {answer['digit']:>5}  {probability:>11.1%}"
        )


@app.command(
    epilog=_examples(
        "mnistedu export",
        "mnistedu export --checkpoint run/best.safetensors --output mine.onnx",
    )
)
def export(
    checkpoint: Trained = None,
    output: Annotated[
        Path, typer.Option(dir_okay=False, help="The file to write.")
    ] = Path("mnistedu.onnx"),
) -> None:
    """Write a network to an ONNX file, which runs without Python.

    It takes a drawing of any size, and gives the centred digit and the logits; of a
    convnet also the feature maps, and Grad-CAM for each class.
    """
    from mnistedu.checkpoints import PRETRAINED, load_checkpoint, read_checkpoint
    from mnistedu.export import export_onnx

    path = checkpoint or PRETRAINED
    network = load_checkpoint(path)
    output.parent.mkdir(parents=True, exist_ok=True)
    export_onnx(network, output, **read_checkpoint(path).info)
    typer.echo(f"Wrote {output}, {output.stat().st_size / 1000:,.0f} kB.")


@app.command(
    epilog=_examples(
        "mnistedu kaggle train.csv test.csv",
        "mnistedu kaggle train.csv test.csv --epochs 30 --output mine.csv",
    )
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
    import torch

    from mnistedu.augmentation import random_affine
    from mnistedu.data import Split, make_loader
    from mnistedu.evaluation import predict
    from mnistedu.kaggle import PIXELS, read_table
    from mnistedu.models import ConvNet
    from mnistedu.training import fit, seed_everything

    seed_everything(seed)
    where = _device(device)
    known = read_table(train_csv, ["label", *PIXELS])
    unknown = read_table(test_csv, PIXELS)
    if len(known) < 2:
        raise ValueError(f"{train_csv} has one row, too few to train and validate on.")
    known = known[torch.randperm(len(known))]  # in any order, before it is split
    images, targets = known[:, 1:].view(-1, 28, 28), known[:, 0].long()
    val_size = max(1, len(known) // 10)
    val = Split(images[:val_size], targets[:val_size])
    train = Split(images[val_size:], targets[val_size:])

    output.parent.mkdir(parents=True, exist_ok=True)
    network = ConvNet()
    history = fit(
        network,
        make_loader(train, shuffle=True, augment=random_affine),
        make_loader(val, 1000),
        epochs,
        on_epoch_end=_say_epoch,
        device=where,
    )
    _check(history)
    test = Split(unknown.view(-1, 28, 28), torch.zeros(len(unknown)))
    answers = predict(network, make_loader(test, 1000))[0].argmax(1)
    rows = (f"{i},{digit}\n" for i, digit in enumerate(answers.tolist(), start=1))
    output.write_text("ImageId,Label\n" + "".join(rows), "utf-8")
    typer.echo(f"Wrote {output}, {len(answers):,} answers.")
    if len(history) < epochs:
        raise typer.Exit(INTERRUPTED)


def _build(
    model: str, blocks: int | None, hidden_sizes: str | None, dropout: float
) -> "MLP | ConvNet":
    from mnistedu.models import MLP, ConvNet

    if model == "convnet":
        if hidden_sizes is not None:
            raise ValueError(
                "--hidden-sizes is for --model mlp; a convnet has --blocks."
            )
        return ConvNet(blocks or 3, dropout)
    if blocks is not None:
        raise ValueError("--blocks is for --model convnet; an mlp has --hidden-sizes.")
    sizes = "256,128" if hidden_sizes is None else hidden_sizes
    if not all(size.strip().isdecimal() and int(size) for size in sizes.split(",")):
        raise ValueError(
            "--hidden-sizes takes whole numbers from 1 with commas between them, as "
            f"in 256,128, not {sizes!r}."
        )
    return MLP([int(size) for size in sizes.split(",")], dropout)


def _device(name: str | None) -> "torch.device":
    import torch

    from mnistedu.training import pick_device

    if name is None:
        return pick_device()
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"The device {name!r} cannot be used here: name another, or leave --device "
            "out to take the fastest there is."
        ) from error
    return device


def _join_processes(device: str | None) -> "tuple[torch.device, int | None]":
    """Join the other processes, if torchrun has started this one with others.

    Returns:
        The device of this process and its rank, None if it is alone.
    """
    import torch
    from torch import distributed

    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        return _device(device), None
    if _device(device).type == "cuda":
        where, backend = _device(f"cuda:{os.environ['LOCAL_RANK']}"), "nccl"
        torch.cuda.set_device(where)
    else:
        where, backend = torch.device("cpu"), "gloo"
    distributed.init_process_group(backend)
    return where, distributed.get_rank()


def _say_what(network: "nn.Module", digits: "Digits") -> None:
    typer.echo(
        f"{type(network).__name__} on {digits.name}: {len(digits.train.targets):,} "
        f"training, {len(digits.val.targets):,} validation and "
        f"{len(digits.test.targets):,} test images"
    )


def _say_epoch(history: "History") -> None:
    from tqdm.auto import tqdm

    tqdm.write(  # it knows how to keep clear of the progress bar
        f"epoch {len(history)}: training loss {history.train_loss[-1]:.4f}, validation "
        f"loss {history.val_loss[-1]:.4f}, accuracy {history.val_accuracy[-1]:.2%}"
    )


def _say_figures(split: str, figures: dict[str, Any]) -> None:
    low, high = figures["accuracy_interval"]
    typer.echo(
        f"{split}: accuracy {figures['accuracy']:.2%} (95% interval {low:.2%} to "
        f"{high:.2%}), loss {figures['loss']:.4f}, expected calibration error "
        f"{figures['expected_calibration_error']:.4f}"
    )


def _check(history: "History") -> None:
    """Stop here if training has led to nothing that could be used."""
    if not len(history):
        typer.echo("No epoch was finished, so there is nothing to write.")
        raise typer.Exit(INTERRUPTED)
    if not math.isfinite(history.val_loss[-1]):
        raise ValueError(
            "The loss grew beyond all numbers: the learning rate is too high."
        )


def _figures(logits: "Tensor", targets: "Tensor") -> dict[str, Any]:
    from torch.nn.functional import cross_entropy

    from mnistedu import evaluation

    return {
        "loss": cross_entropy(logits, targets).item(),
        "accuracy": evaluation.accuracy(logits, targets),
        "accuracy_interval": evaluation.accuracy_interval(logits, targets),
        "expected_calibration_error": evaluation.expected_calibration_error(
            logits, targets
        ),
        "per_class_accuracy": evaluation.per_class_accuracy(logits, targets).tolist(),
    }


def _write_results(
    folder: Path, digits: "Digits", history: "History", settings: dict[str, Any]
) -> None:
    """Measure the best weights, and write metrics.json and the plots."""
    import torch

    from mnistedu.checkpoints import load_checkpoint
    from mnistedu.data import make_loader
    from mnistedu.evaluation import predict

    network = load_checkpoint(folder / "best.safetensors")
    figures = {}
    typer.echo(f"The best weights are those of epoch {history.best_epoch}:")
    for name, split in (("validation", digits.val), ("test", digits.test)):
        logits, targets = predict(network, make_loader(split, 1000))
        figures[name] = _figures(logits, targets)
        _say_figures(name, figures[name])
    metrics = {
        "data": digits.name,
        "settings": settings,
        "best_epoch": history.best_epoch,
        **figures,
        "history": asdict(history),
        "versions": {
            "mnistedu": mnistedu.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")
    _write_plots(folder, digits.test, history, logits)
    typer.echo(
        f"Wrote weights, metrics.json and plots of {len(history)} "
        f"epoch{'s' * (len(history) > 1)} to {folder}."
    )


def _write_plots(
    folder: Path, test: "Split", history: "History", logits: "Tensor"
) -> None:
    import matplotlib
    import torch

    matplotlib.use("Agg")  # draws into files and opens no window
    import matplotlib.pyplot as plt

    from mnistedu import plotting
    from mnistedu.evaluation import confusion_matrix, most_confident_mistakes

    plotting.plot_history(history)
    plt.savefig(folder / "history.png", dpi=150)
    plotting.plot_gradient_norms(history)
    plt.savefig(folder / "gradient_norms.png", dpi=150)
    plotting.plot_confusion_matrix(confusion_matrix(logits, test.targets))
    plt.savefig(folder / "confusion_matrix.png", dpi=150)

    right = (logits.argmax(1) == test.targets).nonzero().squeeze(1)
    chosen = torch.cat([right[:6], most_confident_mistakes(logits, test.targets, 6)])
    plotting.plot_predictions(
        test.images[chosen], logits[chosen].softmax(1), test.targets[chosen]
    )
    plt.savefig(folder / "predictions.png", dpi=150)
    plt.close("all")
