"""Five sick trainings and a sound one, for chapter 6. Reading on gives them away."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnistedu.data import Digits
from mnistedu.preprocess import normalize

ILLNESSES = {"A": "labels", "B": "dead", "C": "leak", "D": "zero_grad", "E": "rate"}
EPOCHS = 12

Chart = dict[str, list[float]]  # what is measured after each epoch, by name


def train_patients(digits: Digits) -> dict[str, Chart]:
    """Train six small networks for a few seconds.

    Returns:
        For ``"sound"`` and each of the letters ``"A"`` to ``"E"`` what was measured
        after each epoch: ``train_loss``, ``val_loss``, ``train_accuracy``,
        ``val_accuracy``, ``gradient_norm`` (the mean length of the gradient that the
        optimizer used) and ``silent`` (the share of hidden neurons that put out 0 for
        every validation image).
    """
    return {
        name: _train(digits, ILLNESSES.get(name, "")) for name in ("sound", *ILLNESSES)
    }


def _train(digits: Digits, illness: str) -> Chart:
    generator = torch.Generator().manual_seed(0)
    images = normalize(digits.train.images[:1000]).flatten(1)
    targets = digits.train.targets[:1000]
    val = normalize(digits.val.images[:1000]).flatten(1), digits.val.targets[:1000]
    if illness == "labels":
        targets = targets[torch.randperm(len(targets), generator=generator)]
    if illness == "leak":
        images, targets = torch.cat([images, val[0]]), torch.cat([targets, val[1]])
    first, last = (_make_layer(*size, generator) for size in ((784, 64), (64, 10)))
    if illness == "dead":
        nn.init.constant_(first.bias, -100.0)
    model = nn.Sequential(first, nn.ReLU(), last)
    lr = 0.0002 if illness == "rate" else 0.05
    optimizer = torch.optim.SGD(model.parameters(), lr)
    chart: Chart = {}
    for _ in range(EPOCHS):
        norms = []
        order = torch.randperm(len(images), generator=generator)
        for batch in torch.split(order, 50):
            if illness != "zero_grad":
                optimizer.zero_grad()
            loss = F.cross_entropy(model(images[batch]), targets[batch])
            torch.autograd.backward(loss)
            norms.append(nn.utils.get_total_norm(_gradients(model)).item())
            optimizer.step()
        for name, value in _measure(model, (images, targets), val):
            chart.setdefault(name, []).append(value)
        chart.setdefault("gradient_norm", []).append(sum(norms) / len(norms))
    return chart


def _make_layer(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    for parameter in layer.parameters():
        bound = inputs**-0.5
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layer


def _gradients(model: nn.Module) -> list[Tensor]:
    return [p.grad for p in model.parameters() if p.grad is not None]


@torch.no_grad()
def _measure(
    model: nn.Sequential, train: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor]
) -> Iterator[tuple[str, float]]:
    for name, (images, targets) in (("train", train), ("val", val)):
        logits = model(images)
        yield f"{name}_loss", F.cross_entropy(logits, targets).item()
        yield f"{name}_accuracy", (logits.argmax(1) == targets).float().mean().item()
    yield "silent", (model[:2](val[0]) == 0).all(0).float().mean().item()
