"""The network by hand beside torch's own: `python benchmarks/by_hand.py`.

Both train 784-256-128-10 from the same weights on the same batches, in turns, on two
cores: a step each, who goes first alternating, so that whatever else the machine does
meets both alike. Printed are the median milliseconds of a step, the median ratio of
neighbouring steps, test accuracy, and the seconds that all steps took together.
"""

import statistics
import time

import torch
from torch import Tensor, nn
from tqdm import tqdm

from mnistedu import layers
from mnistedu.data import load, make_loader
from mnistedu.evaluation import accuracy
from mnistedu.models import MLP

EPOCHS = 10
WARM_UP = 50  # steps that are not counted


class ByHand:
    name = "by hand"

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.model = layers.Sequential(
            layers.Flatten(),
            layers.Linear(784, 256),
            layers.ReLU(),
            layers.Linear(256, 128),
            layers.ReLU(),
            layers.Linear(128, 10),
        )
        self.model.load_state_dict(weights)
        self.loss_fn = layers.CrossEntropyLoss()
        self.optimizer = layers.Adam(self.model.parameters())

    def step(self, images: Tensor, targets: Tensor) -> None:
        self.loss_fn.forward(self.model.forward(images), targets)
        self.model.backward_parameters(self.loss_fn.backward())
        self.optimizer.step()

    def set_rate(self, lr: float) -> None:
        self.optimizer.lr = lr

    def logits(self, images: Tensor) -> Tensor:
        return self.model.forward(images)


class InTorch:
    name = "torch"

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.model = MLP()
        self.model.load_state_dict(weights)
        self.loss_fn = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def step(self, images: Tensor, targets: Tensor) -> None:
        self.optimizer.zero_grad()
        self.loss_fn(self.model(images), targets).backward()
        self.optimizer.step()

    def set_rate(self, lr: float) -> None:
        self.optimizer.param_groups[0]["lr"] = lr

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        return self.model(images)


def main() -> None:
    torch.set_num_threads(2)
    digits = load()
    test_images, test_targets = next(
        iter(make_loader(digits.test, batch_size=len(digits.test.targets)))
    )
    print(f"{digits.name}, {EPOCHS} epochs, {torch.get_num_threads()} threads")
    print(f"{'batch':>5} {'':<7} {'ms a step':>9} {'ratio':>6} {'test':>7} {'s':>6}")
    for batch_size in (64, 128):
        torch.manual_seed(0)
        weights = MLP().state_dict()
        runs = (ByHand(weights), InTorch(weights))
        seconds: list[list[float]] = [[], []]
        loader = make_loader(digits.train, batch_size, shuffle=True)
        steps = EPOCHS * len(loader)
        with tqdm(total=steps, unit="step", leave=False) as progress:
            for _ in range(EPOCHS):
                for batch in loader:
                    pairs = list(zip(runs, seconds, strict=True))
                    for run, times in pairs[:: 1 if len(seconds[0]) % 2 else -1]:
                        run.set_rate(1e-3 * (1 - len(times) / steps))
                        start = time.perf_counter()
                        run.step(*batch)
                        times.append(time.perf_counter() - start)
                    progress.update()
        ratios = [a / b for a, b in zip(*seconds, strict=True)][WARM_UP:]
        for run, times in zip(runs, seconds, strict=True):
            ratio = statistics.median(ratios) if run is runs[0] else 1
            test = accuracy(run.logits(test_images), test_targets)
            print(
                f"{batch_size:>5} {run.name:<7}"
                f" {statistics.median(times[WARM_UP:]) * 1000:9.2f}"
                f" {ratio:6.2f} {test:7.2%} {sum(times):6.1f}"
            )


if __name__ == "__main__":
    main()
