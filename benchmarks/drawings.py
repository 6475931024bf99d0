"""How many digits of other hands to learn from: `python benchmarks/drawings.py`.

MNIST's validation images cannot say: they hold hardly a flagged 1 or a barred 7. Digits
of other writers can, those of `writers.py` that are there for validation. So the recipe
of `weights.py` is trained for some epochs with few, many or none of the drawn digits.
The rule was fixed before the first row was seen: of the numbers whose loss on MNIST's
validation images is within 0.001 of the smallest, the one with the smallest loss on the
other writers' digits, both means over two seeds. No test image is looked at.

Printed is a table in Markdown, which the appendix shows:
`python benchmarks/drawings.py | tee book/measured/drawings.md`.
"""

import argparse
import statistics

from ablation import row
from torch import nn
from torch.nn import functional as F
from weights import train
from writers import validation_writers

from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.preprocess import center_digit

COUNTS = (0, 110, 220, 440)  # of each hand
EPOCHS = 8
SEEDS = (0, 1)


def figures(model: nn.Module, split: Split) -> tuple[float, float]:
    logits, targets = predict(model, make_loader(split, 1000))
    return accuracy(logits, targets), F.cross_entropy(logits, targets).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("counts", type=int, nargs="*", default=COUNTS)
    counts = parser.parse_args().counts
    val, written = load("mnist").val, validation_writers()
    prepared = center_digit(written.images[:, None] / 255).squeeze(1)  # 0 to 1
    others = Split(prepared, written.targets)
    row("Drawings of each hand", "validation", "loss", "others", "loss")
    row("---", *["--:"] * 4)
    for count in counts:
        rows = []
        for seed in SEEDS:
            model, _ = train(seed, EPOCHS, drawings=count)
            rows.append((*figures(model, val), *figures(model, others)))
        right, loss, read, lost = map(statistics.mean, zip(*rows, strict=True))
        row(str(count), f"{right:.2%}", f"{loss:.4f}", f"{read:.2%}", f"{lost:.4f}")


if __name__ == "__main__":
    main()
