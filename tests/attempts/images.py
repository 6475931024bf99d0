"""Attempts as readers write them, and a word of the hint that each gets."""

import torch


def _loop_in_uint8(images, targets, digit):
    total = torch.zeros_like(images[0])
    for image, target in zip(images, targets, strict=True):
        if target == digit:
            total = total + image
    return total / (targets == digit).sum()


ATTEMPTS = {
    "class_shares": {
        "these are the counts": lambda t: torch.tensor(
            [(t == digit).sum() for digit in range(10)]
        ),
        "number of digits": lambda t: torch.bincount(t, minlength=10) / 10,
        "largest count": lambda t: (
            t.bincount(minlength=10) / t.mode().values.eq(t).sum()
        ),
        "whole numbers": lambda t: t.bincount(minlength=10) // t.numel(),
        "per cent": lambda t: torch.stack(
            [100 * (t == digit).float().mean() for digit in range(10)]
        ),
        "always return ten": lambda t: torch.stack(
            [(t == d).float().mean() for d in t.unique()]
        ),
        "pass minlength=10": lambda t: (
            torch.histc(t.float(), int(t.max()) + 1, 0, int(t.max()) + 1) / len(t)
        ),
        "not a list": lambda t: (t.bincount(minlength=10) / len(t)).tolist(),
    },
    "average_digit": {
        "average of all images": lambda x, t, d: (x / 1.0).mean(0),
        "at this place": lambda x, t, d: x[d].float(),
        "over its pixels": lambda x, t, d: (x[t == d] / 1.0).flatten(1).mean(1),
        "how dark": lambda x, t, d: x[t == d].double().mean(),
        "that is the sum": lambda x, t, d: x[t == d].float().sum(0),
        "number of all images": lambda x, t, d: (
            (x * (t == d)[:, None, None]).float().mean(0)
        ),
        "run over": _loop_in_uint8,
        "behind the decimal point": lambda x, t, d: (
            x[t == d].sum(0) // int((t == d).sum())
        ),
        "divide by 255": lambda x, t, d: (x[t == d] / 255).mean(0),
    },
    "nearest_target": {
        "the nearest row of pixels": lambda images, targets, image: targets[
            ((images.float() - image.float()) ** 2).sum(2).argmin()
        ],
        "index of the nearest": lambda x, t, i: torch.cdist(
            i.float().view(1, -1), x.float().flatten(1)
        ).argmin(),
        "farthest": lambda x, t, i: t[(x.float() - i).norm(dim=(1, 2)).argmax()],
        "these are the distances": lambda x, t, i: (x.float() - i).norm(dim=(1, 2)),
        "squared distances": lambda x, t, i: ((x.float() - i) ** 2).sum((1, 2)),
        "nearer than near": lambda x, t, i: t[(x.float() - i).mean((1, 2)).argmin()],
        "opposite sign cancel": lambda x, t, i: t[
            (x.float() - i).sum((1, 2)).square().argmin()
        ],
        "160 - 220 becomes 196": lambda x, t, i: t[
            (x - i).float().norm(dim=(1, 2)).argmin()
        ],
        "60 * 60 becomes 16": lambda x, t, i: t[((x - i) ** 2).sum((1, 2)).argmin()],
        "nothing is left for abs()": lambda x, t, i: t[
            (x - i).float().abs().sum((1, 2)).argmin()
        ],
        "another distance": lambda x, t, i: t[
            (x.float() - i).abs().mean((1, 2)).argmin()
        ],
        "not a list": lambda x, t, i: [
            t[((x.float() - i) ** 2).sum((1, 2)).argmin()].item()
        ],
    },
}
