"""How many digits of other hands to learn from: `python benchmarks/drawings.py`.

MNIST's validation images cannot say: they hold no flagged 1 and no barred 7. So the
recipe of `weights.py` is trained for some epochs on eight of the twelve hands of
`hands.py`, and asked to read the other four. The rule was fixed before the first row
was seen: of the numbers whose loss on MNIST's validation images is within 0.001 of the
smallest, the one with the smallest loss on the four hands. Neither MNIST's test set nor
the digits of other writers are looked at.

Printed is a table in Markdown, which the appendix shows:
`python benchmarks/drawings.py | tee book/measured/drawings.md`.
"""

import argparse

import torch
from ablation import row
from hands import HANDS, draw_hands
from torch.nn import functional as F
from weights import train

from mnistedu.data import Split, load, make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import ConvNet

COUNTS = (110, 220, 440)  # of each hand
EPOCHS = 8
UNSEEN = HANDS[1::3]  # a 1 with a flag and a foot, an open 4, a 7 with a bar, a 9


def figures(model: ConvNet, split: Split) -> tuple[str, str]:
    logits, targets = predict(model, make_loader(split, 1000))
    loss = F.cross_entropy(logits, targets).item()
    return f"{accuracy(logits, targets):.2%}", f"{loss:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("counts", type=int, nargs="*", default=COUNTS)
    counts = parser.parse_args().counts
    seen = [hand for hand in HANDS if hand not in UNSEEN]
    row("Drawings of each hand", "validation", "loss", "four hands", "loss")
    row("---", *["--:"] * 4)
    for count in counts:
        model, _ = train(0, EPOCHS, drawings=count, hands=seen)
        torch.manual_seed(1)
        unseen = draw_hands(250, UNSEEN)
        val = load("mnist").val
        row(str(count), *figures(model, val), *figures(model, unseen))


if __name__ == "__main__":
    main()
