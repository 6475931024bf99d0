"""How a network can know that it sees no digit: `python benchmarks/doubt.py`.

Several measures are compared, each with the limit that one in a hundred of MNIST's
validation digits exceeds: how many of other digits do, and how many of the drawings of
`letters.py`, which are none. The last measure is learned (see `mnistedu.doubt`): from
digits as the network had them, and from the drawings to choose by, scribbles and signs.
How well it does on kinds of drawings that it did not learn from, four parts of these in
turn tell (scribbles it always learns from). `--ship` writes it beside the shipped
weights; `--held-out` measures on the drawings that are held out: once, at the end.
"""

import argparse
import json
import math

import torch
from hands import draw_hands
from letters import drawings, scribbles, signs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from weights import augment, in_one_stroke
from writers import as_drawn, pen_digits, redrawn, validation_writers

from mnistedu.checkpoints import PRETRAINED, load_checkpoint
from mnistedu.data import load
from mnistedu.doubt import what_it_says
from mnistedu.preprocess import center_digit, normalize

DOUBTED = 0.01  # of MNIST's validation digits
TIMES = 20  # drawings of each letter, symbol and shape
FOLDS = 4
PATH = PRETRAINED.with_suffix(".doubt.json")

Features = dict[str, Tensor]


def prepare(ink: Tensor) -> Tensor:
    return torch.cat([center_digit(x / 255) for x in ink.split(50)])


def known() -> tuple[list[Tensor], Tensor]:
    """Digits as the network learned from them: ink, and the first ones' targets."""
    train, pen = load("mnist").train, in_one_stroke(pen_digits("train"))
    plain = train.images[:4000, None] / 255
    other = augment(train.images[4000:6000, None] / 255)
    few = type(pen)(*(each[:1500] for each in pen))
    pens = redrawn(few, 1).images[:, None] / 255
    drawn = draw_hands(40).images[:, None] / 255
    return [plain, other, pens, pens, pens, drawn], train.targets[:4000]


def populations() -> dict[str, Tensor]:
    """Digits that nobody learns from."""
    pens = as_drawn(in_one_stroke(pen_digits("validation"))).images[:, None] / 255
    return {
        "MNIST": load("mnist").val.images[:, None] / 255,
        "pens": pens,
        "writers": prepare(validation_writers().images[:, None]),
    }


def ask(model: nn.Module, images: Tensor) -> Tensor:
    return torch.cat([what_it_says(model, x) for x in normalize(images).split(500)])


def learn(digits: Tensor, others: Tensor) -> Tensor:
    """The weights of a logistic regression; a limit takes the place of its bias."""
    x, y = torch.cat([digits, others]), [0] * len(digits) + [1] * len(others)
    scale = StandardScaler().fit(x)
    fitted = LogisticRegression(C=0.03, max_iter=300).fit(scale.transform(x), y)
    return torch.tensor(fitted.coef_[0] / scale.scale_).float()


def simple(digits: Tensor, targets: Tensor, x: Tensor) -> dict[str, Tensor]:
    """Measures that learn nothing from drawings: the larger, the stranger."""
    means, logits = x[:, :-10], x[:, -10:]
    mine = digits[:, :-10]
    centres = torch.stack([mine[targets == c].mean(0) for c in range(10)])
    covariance = torch.cov((mine - centres[targets]).T)
    ridge = 1e-3 * covariance.diag().mean() * torch.eye(len(covariance))
    away = means[:, None] - centres  # (N, 10, F)
    squares = ((away @ (covariance + ridge).inverse()) * away).sum(2)
    cosines = nn.functional.normalize(means) @ nn.functional.normalize(mine).T
    return {
        "probability": -logits.softmax(1).amax(1),
        "largest logit": -logits.amax(1),
        "energy": -logits.logsumexp(1),
        "norm": -means.norm(dim=1),
        "Mahalanobis": squares.amin(1),
        "5th neighbour": -cosines.topk(5, 1).values[:, -1],
    }


def fold(kind: str, count: int) -> Tensor:
    """Which part each drawing is in; both cases of a letter, in both fonts, in one."""
    glyph = torch.arange(count) // TIMES
    if kind == "letters":  # first all capitals, then all small ones
        glyph = glyph // 2 % ((int(glyph[-1]) + 1) // 4)
    return glyph % FOLDS


def in_turn(digits: Tensor, val: Tensor, drawn: Features, more: Tensor) -> list[float]:
    """The shares of drawings that are doubted by what learned from other kinds."""
    shares: dict[str, list[Tensor]] = {kind: [] for kind in drawn}
    for i in range(FOLDS):
        parts = {kind: fold(kind, len(x)) for kind, x in drawn.items()}
        others = [x[parts[kind] != i] for kind, x in drawn.items()]
        weights = learn(digits, torch.cat([*others, more]))
        limit = (val @ weights).quantile(1 - DOUBTED)
        for kind, x in drawn.items():
            shares[kind].append(x[parts[kind] == i] @ weights > limit)
    return [torch.cat(each).float().mean().item() for each in shares.values()]


def row(what: str, shares: list[float]) -> None:
    print(f"{what:16}" + "".join(f"{share:9.1%}" for share in shares), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ship", action="store_true", help="write the numbers")
    parser.add_argument("--held-out", action="store_true", help="for the final figures")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = load_checkpoint(PRETRAINED)
    inks, targets = known()
    parts = [ask(model, ink) for ink in inks]
    digits = torch.cat(parts)
    figures = {name: ask(model, ink) for name, ink in populations().items()}
    chosen = {k: ask(model, prepare(x)) for k, x in drawings("choose", TIMES).items()}
    more = ask(model, prepare(torch.cat([scribbles(800), signs(6)])))
    figures |= chosen
    figures["alike"] = ask(model, prepare(drawings("look-alikes", 6)["letters"]))
    if arguments.held_out:
        held = drawings("held out", TIMES)
        figures |= {f"({k})": ask(model, prepare(x)) for k, x in held.items()}

    weights = learn(digits, torch.cat([*chosen.values(), more]))
    bias = -(figures["MNIST"] @ weights).quantile(1 - DOUBTED).item()
    print(f"{'doubted':16}" + "".join(f"{name:>9}" for name in figures))
    measured = {k: simple(parts[0], targets, x) for k, x in figures.items()}
    for name, of_val in measured["MNIST"].items():
        limit = of_val.quantile(1 - DOUBTED)
        row(name, [(m[name] > limit).float().mean().item() for m in measured.values()])
    ours = {k: x @ weights + bias > 0 for k, x in figures.items()}
    row("learned", [x.float().mean().item() for x in ours.values()])
    in_parts = in_turn(digits, figures["MNIST"], chosen, more)
    row("  four in turn", [math.nan] * 3 + in_parts)

    if arguments.ship:
        numbers = {
            "bias": round(bias, 4),
            "weights": [float(f"{w:.4g}") for w in weights],
        }
        PATH.write_text(json.dumps(numbers, separators=(",", ":")) + "\n", "utf-8")
        print(f"{PATH.name}: {len(weights)} numbers, {PATH.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
