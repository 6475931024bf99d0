"""What a harder task shows that MNIST hides: `python benchmarks/rotated.py`.

Small networks learn from 12,000 digits, each turned by any angle, and the same networks
from the same digits upright. What varies is the depth, the changes to the images, and
the targets, of which a fifth is replaced by wrong ones. Each training has three seeds,
and is measured on 6,000 validation images.

Test images are opened once, at the end, for the three networks of one setting. The
rule, fixed before any was trained: of those that learned from turned digits with their
right targets, the setting with the smallest mean validation loss.

The tables and the picture of appendix F are written to the book's folders. Trained
networks stay in `run/rotated`: what was interrupted goes on, and what is there is only
measured again.
"""

from functools import cache, partial
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F

from mnistedu.augmentation import random_affine
from mnistedu.checkpoints import load_checkpoint, load_pretrained
from mnistedu.data import ROTATED, Digits, Split, load, make_loader
from mnistedu.data import _stratified_split as stratified_split
from mnistedu.evaluation import (
    accuracy,
    accuracy_interval,
    confusion_matrix,
    expected_calibration_error,
    fit_temperature,
    predict,
)
from mnistedu.machine import seed_everything
from mnistedu.models import ConvNet
from mnistedu.plotting import plot_digits
from mnistedu.training import fit

SEEDS = (0, 1, 2)
EPOCHS, LONG = 8, 24
WIDTH = 8  # maps of the first block
WIDER = 14  # with which a single block has as many weights as three blocks
REPLACED = 0.2  # of the training targets
SMOOTHING = 0.1
ROOT = Path(__file__).parents[1]
MEASURED, STATIC = ROOT / "book" / "measured", ROOT / "book" / "static"

any_angle = partial(random_affine, degrees=180)


class Setting(NamedTuple):
    """All that one training differs by from another, apart from its seed."""

    turned: bool = True
    blocks: int = 3
    width: int = WIDTH
    changes: Any = None
    replaced: bool = False
    smoothing: float = 0.0
    epochs: int = EPOCHS

    def folder(self, seed: int) -> Path:
        change = {None: "fixed", random_affine: "small"}.get(self.changes, "any")
        words = (
            "turned" if self.turned else "upright",
            f"{self.blocks}x{self.width}",
            change,
            "replaced" if self.replaced else "right",
            f"{self.smoothing:.1f}",
            str(seed),
        )
        return ROOT / "run" / "rotated" / f"{self.epochs}-epochs" / "-".join(words)


DEPTHS = {
    "1 block": {"blocks": 1},
    "1 block, wider": {"blocks": 1, "width": WIDER},
    "2 blocks": {"blocks": 2},
    "3 blocks": {},
}
CHANGES = {
    "none: each image as it is": {},
    "small ones: 10° either way, and shifts": {"changes": random_affine},
    "the same, but any angle": {"changes": any_angle},
}
NOISE = {
    "right targets": {},
    "a fifth replaced": {"replaced": True},
    "the same, label smoothing": {"replaced": True, "smoothing": SMOOTHING},
}


@cache
def digits(turned: bool) -> Digits:
    """The turned digits, or the very same ones upright."""
    if turned:
        return load("rotated")
    upright = load("auto")
    _, train = stratified_split(upright.train, ROTATED)
    return upright._replace(train=train)


@cache
def wrong_targets() -> tuple[Tensor, Tensor]:
    """All training targets, some replaced by another digit, and which ones."""
    targets = digits(True).train.targets
    # Not a seed of the angles, or the wrong ones would be those of certain angles.
    generator = torch.Generator().manual_seed(100)
    n = len(targets)
    replaced = torch.rand(n, generator=generator) < REPLACED
    others = (targets + torch.randint(1, 10, (n,), generator=generator)) % 10
    return torch.where(replaced, others, targets), replaced


def train(setting: Setting, seed: int) -> ConvNet:
    """The network of a setting and a seed, trained unless it was before."""
    folder = setting.folder(seed)
    if not (folder / "done").exists():
        seed_everything(seed)
        split, val, _ = digits(setting.turned)[1:]
        targets = wrong_targets()[0] if setting.replaced else split.targets
        loader = make_loader(
            Split(split.images, targets), shuffle=True, augment=setting.changes
        )
        fit(
            ConvNet(setting.blocks, width=setting.width),
            loader,
            make_loader(val, 1000),
            setting.epochs,
            label_smoothing=setting.smoothing,
            mixed_precision=True,
            checkpoint_dir=folder,
            resume=True,
        )
        (folder / "done").touch()
    # The last epoch's: to take the best would choose on the images that measure.
    model = load_checkpoint(folder / "last.safetensors")
    assert isinstance(model, ConvNet)
    return model


@cache
def answers(setting: Setting) -> list[tuple[Tensor, Tensor]]:
    """Logits and targets of the validation images, for each seed."""
    loader = make_loader(digits(setting.turned).val, 1000)
    return [predict(train(setting, seed), loader) for seed in SEEDS]


def of_each(measure: Any, setting: Setting) -> list[float]:
    return [float(measure(*each)) for each in answers(setting)]


def spread(values: list[float], decimals: int = 2, factor: float = 100) -> str:
    """The mean, and half the way from the smallest to the largest."""
    half = factor * (max(values) - min(values)) / 2
    return f"{factor * mean(values):.{decimals}f} ±{half:.{decimals}f}"


def write(name: str, head: list[str], rows: list[list[str]]) -> None:
    """A table in Markdown, for the page and on the screen."""
    table = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    text = "".join(f"| {' | '.join(row)} |\n" for row in table)
    MEASURED.joinpath(f"rotated-{name}.md").write_text(text, "utf-8")
    print(text, flush=True)


def depth() -> None:
    rows = []
    for what, change in DEPTHS.items():
        turned, upright = (Setting(t, **change) for t in (True, False))
        weights = sum(p.numel() for p in train(turned, 0).parameters())
        accuracies = [spread(of_each(accuracy, s)) for s in (turned, upright)]
        rows.append([what, f"{weights:,}", *accuracies])
    write("depth", ["network", "weights", "turned, %", "upright, %"], rows)
    ours = load_pretrained()
    loaders = [make_loader(digits(turned).val, 1000) for turned in (True, False)]
    reached = [f"{100 * accuracy(*predict(ours, each)):.2f}" for each in loaders]
    head = ["network", "turned, %", "upright, %"]
    write("shipped", head, [["the course's own", *reached]])


def changes() -> None:
    rows = []
    for what, change in CHANGES.items():
        columns = [
            Setting(**change),
            Setting(**change, epochs=LONG),
            Setting(turned=False, **change, epochs=LONG),
        ]
        losses = [spread(of_each(F.cross_entropy, s), 3, 1) for s in columns]
        shares = [spread(of_each(accuracy, s)) for s in columns]
        rows.append([f"{what}, right, %", *shares])
        rows.append([f"{what}, loss", *losses])
    short, long = f"turned, {EPOCHS} epochs", f"{LONG} epochs"
    write("changes", ["changes", short, long, f"upright, {LONG} epochs"], rows)


def six_for_nine(logits: Tensor, targets: Tensor) -> float:
    """Of all sixes and nines, the share that is taken for the other."""
    matrix = confusion_matrix(logits, targets)
    return float((matrix[6, 9] + matrix[9, 6]) / matrix[[6, 9]].sum())


def share_of_mistakes(logits: Tensor, targets: Tensor) -> float:
    """Of all mistakes, the share that takes a six for a nine or a nine for a six."""
    matrix = confusion_matrix(logits, targets)
    return float((matrix[6, 9] + matrix[9, 6]) / (matrix.sum() - matrix.trace()))


def doubted(logits: Tensor, targets: Tensor, which: tuple[int, ...]) -> float:
    """Of these digits, the share that is answered with less than 90 % confidence."""
    mine = torch.isin(targets, torch.tensor(which))
    return float((logits[mine].softmax(1).amax(1) < 0.9).float().mean())


def by_chance(logits: Tensor, targets: Tensor) -> float:
    """The calibration error of a network that means exactly what it says."""
    torch.manual_seed(0)
    probabilities = logits.softmax(1)
    draws = [probabilities.multinomial(1).squeeze(1) for _ in range(100)]
    return mean(expected_calibration_error(logits, drawn) for drawn in draws)


def calibration() -> None:
    rows, confusions = [], []
    others = (0, 1, 2, 3, 4, 5, 7, 8)
    for what, setting in {
        f"upright, {EPOCHS} epochs": Setting(turned=False),
        f"upright, {LONG} epochs": Setting(turned=False, epochs=LONG),
        f"turned, 1 block, {EPOCHS} epochs": Setting(blocks=1),
        f"turned, {EPOCHS} epochs": Setting(),
        f"turned, {LONG} epochs": Setting(epochs=LONG),
        "the same, small changes": Setting(changes=random_affine, epochs=LONG),
        "the same, any angle": Setting(changes=any_angle, epochs=LONG),
    }.items():
        errors = [
            spread(of_each(each, setting))
            for each in (expected_calibration_error, by_chance)
        ]
        temperatures = spread(of_each(fit_temperature, setting), 2, 1)
        rows.append([what, *errors, temperatures])
        cells = [
            (lambda *answer: 1 - accuracy(*answer), 2),
            (six_for_nine, 1),
            (share_of_mistakes, 0),
            (partial(doubted, which=(6, 9)), 1),
            (partial(doubted, which=others), 1),
        ]
        confusions.append([what, *(spread(of_each(m, setting), d) for m, d in cells)])
    head = ["network", "calibration error, %", "by chance, %", "temperature"]
    write("sure", head, rows)
    head = ["network", "misread, %", "6 for 9 or 9 for 6, % of these"]
    head += ["% of all mistakes", "6 and 9 doubted, %", "others doubted, %"]
    write("six-nine", head, confusions)


def noise() -> None:
    rows, learned = [], []
    right = digits(True).train.targets  # those of the upright images too
    targets, replaced = wrong_targets()
    for turned in (True, False):
        images = digits(turned).train.images
        loader = make_loader(Split(images, targets), 1000)
        for what, change in NOISE.items():
            setting = Setting(turned, **change)
            name = f"{'turned' if turned else 'upright'}, {what}"
            accuracies = spread(of_each(accuracy, setting))
            losses = spread(of_each(F.cross_entropy, setting), 3, 1)
            error = spread(of_each(expected_calibration_error, setting), 1)
            temperature = spread(of_each(fit_temperature, setting), 2, 1)
            rows.append([name, accuracies, losses, error, temperature])
            if not setting.replaced:
                continue
            logits = [predict(train(setting, seed), loader)[0] for seed in SEEDS]
            on_right, on_wrong = (
                [F.cross_entropy(each[mask], targets[mask]).item() for each in logits]
                for mask in (~replaced, replaced)
            )
            said = [each[replaced].argmax(1) for each in logits]
            obeyed, knew = (
                [(each == y[replaced]).float().mean().item() for each in said]
                for y in (targets, right)
            )
            cells = spread(on_right, 2, 1), spread(on_wrong, 2, 1)
            learned.append([name, *cells, spread(obeyed, 1), spread(knew, 1)])
    head = ["training", "accuracy, %", "loss", "calibration error, %", "temperature"]
    write("noise", head, rows)
    head = ["training", "loss, right", "loss, wrong", "wrong target, %", "digit, %"]
    write("learned", head, learned)


def picture() -> None:
    """Ten turned digits, and ten sixes and nines, from the validation images."""
    images, targets = digits(True).val
    first = [int((targets == digit).nonzero()[0]) for digit in range(10)]
    either = ((targets == 6) | (targets == 9)).nonzero().squeeze(1)
    chosen = [*first, *either[10:20].tolist()]
    plot_digits(images[chosen])
    plt.savefig(STATIC / "rotated.png", dpi=200, facecolor="white")
    plt.close()
    print("second row:", *targets[chosen[10:]].tolist(), flush=True)


def test() -> None:
    """The rule of the first lines, and the only look at test images."""

    def loss(setting: Setting) -> float:
        return mean(of_each(F.cross_entropy, setting))

    fair = [Setting(**change) for change in (*DEPTHS.values(), *CHANGES.values())]
    fair += [Setting(**change, epochs=LONG) for change in CHANGES.values()]
    best = min(fair, key=loss)
    loader = make_loader(digits(True).test, 1000)
    rows = []
    for seed in SEEDS:
        measured = predict(train(best, seed), loader)
        low, high = accuracy_interval(*measured)
        reached = f"{100 * (1 - accuracy(*measured)):.2f}"
        rows.append([str(seed), reached, f"{100 - 100 * high:.2f}"])
        rows[-1].append(f"{100 - 100 * low:.2f}")
    print(best)
    write("test", ["seed", "misread, %", "from", "to (95 %)"], rows)


def main() -> None:
    picture()
    for each in (depth, changes, calibration, noise, test):
        each()


if __name__ == "__main__":
    main()
