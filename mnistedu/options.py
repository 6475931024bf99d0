"""The options that several commands share, everywhere by the same name."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
    Literal["auto", "mnist", "offline", "rotated"],
    typer.Option(
        help="The digits: MNIST, scikit-learn's (offline), MNIST if it can be had "
        "(auto), or the same with each image turned and 12,000 to learn from (rotated)."
    ),
]
Trained = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", help="What `mnistedu train` wrote; else the course's network."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with every figure.")]
