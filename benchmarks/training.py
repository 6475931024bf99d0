"""How soon a network reads 99 of 100 digits: `python benchmarks/training.py`.

The course's `fit` races the MNIST example of pytorch/examples, both on two threads of
the CPU. Each runs in an interpreter of its own, and the clock runs from before that
starts until the test set has been evaluated with at least the wanted accuracy: imports,
set-up and reading the images count. The files are on the disk for both, the course's as
the copy that `load` keeps. The test accuracy is a stop-clock here and chose nothing:
the course's recipes come from the validation images.

The course trains in mixed precision, which pays where the processor multiplies in
bfloat16 by itself. Then it is measured which share of the machine's arithmetic a
training step uses, and where the rest goes. Where there is a CUDA device, the longer
recipe runs on it too.

Printed are tables in Markdown, which the appendix shows:
`python benchmarks/training.py | tee book/measured/training.md`.
"""

import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# What only one of the two needs is imported where it runs, on its own clock.

THREADS = 2
SEEDS = (0, 1, 2)  # of both; the example's own is 1
EXAMPLE_EPOCHS = 14
SIZE = 2048  # of the matrices whose product measures what the machine can do
ROUNDS = 60
SPAWN = multiprocessing.get_context("spawn")
WARM_UP = 10  # rounds that are not counted
SHOWN = 12  # operations of a step, the longest first
BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss

# Trains, and yields the test accuracy after each epoch or at the end.
Contestant = Callable[..., Iterator[float]]


class Recipe(NamedTuple):
    width: int
    epochs: int
    batch_size: int
    learning_rate: float
    label_smoothing: float
    augmented: bool

    def __str__(self) -> str:
        return f"ConvNet(width={self.width}), batches of {self.batch_size}"


QUICK = Recipe(8, 1, 192, 0.04, 0.05, augmented=False)  # to 99 %
LONG = Recipe(24, 3, 128, 0.01, 0.1, augmented=True)  # to 99.41 %


def course(recipe: Recipe, seed: int, device: str = "cpu") -> Iterator[float]:
    from mnistedu.augmentation import random_affine
    from mnistedu.data import load, make_loader
    from mnistedu.evaluation import accuracy, predict
    from mnistedu.machine import seed_everything
    from mnistedu.models import ConvNet
    from mnistedu.training import fit

    seed_everything(seed)
    digits = load("mnist")
    augment = random_affine if recipe.augmented else None
    model = ConvNet(width=recipe.width)
    fit(
        model,
        make_loader(digits.train, recipe.batch_size, shuffle=True, augment=augment),
        make_loader(digits.val, 1000),
        recipe.epochs,
        recipe.learning_rate,
        label_smoothing=recipe.label_smoothing,
        mixed_precision=True,
        device=device,
    )
    yield accuracy(*predict(model, make_loader(digits.test, 1000)))


class ExampleNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = self.dropout1(F.max_pool2d(x, 2)).flatten(1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


def example(seed: int) -> Iterator[float]:
    """The example as it runs on a CPU, where it never shuffles: we keep that."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import MNIST
    from torchvision.transforms import Compose, Normalize, ToTensor

    torch.manual_seed(seed)
    transform = Compose([ToTensor(), Normalize((0.1307,), (0.3081,))])
    train = MNIST(data_folder(), train=True, transform=transform)
    test = MNIST(data_folder(), train=False, transform=transform)
    model = ExampleNet()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    for _ in range(EXAMPLE_EPOCHS):
        model.train()
        for images, targets in DataLoader(train, batch_size=64):
            optimizer.zero_grad()
            F.nll_loss(model(images), targets).backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for images, targets in DataLoader(test, batch_size=1000):
                correct += int((model(images).argmax(1) == targets).sum())
        yield correct / len(test)


def data_folder() -> str:
    """Where torchvision finds the files of MNIST, or puts them."""
    import platformdirs

    cache = platformdirs.user_cache_path("mnistedu")
    return os.environ.get("MNISTEDU_DATA") or str(cache)


def prepare() -> None:
    """Put MNIST on the disk for both, and what they read and import into memory."""
    from torchvision.datasets import MNIST

    MNIST(data_folder(), download=True)
    torch.optim.Adadelta([torch.zeros(1)])  # imports torch's compiler
    next(course(QUICK, SEEDS[0]))


def compete(
    results: Connection, contestant: Contestant, arguments: tuple, mark: float
) -> None:
    torch.set_num_threads(THREADS)
    for accuracy in contestant(*arguments):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES
        results.send((accuracy, peak))
        if accuracy >= mark:
            break


def race(name: str, mark: float, contestant: Contestant, *arguments: object) -> float:
    """Run a contestant in an interpreter of its own, with a line for each evaluation.

    Returns the seconds until it reached the mark.
    """
    receiver, sender = SPAWN.Pipe(duplex=False)
    start = time.perf_counter()
    process = SPAWN.Process(target=compete, args=(sender, contestant, arguments, mark))
    process.start()
    sender.close()  # so that the receiver sees the end when the process has ended
    accuracy = seconds = 0.0
    try:
        while accuracy < mark:
            accuracy, peak = receiver.recv()
            seconds = time.perf_counter() - start
            row(name, f"{accuracy:.2%}", f"{seconds:.1f}", f"{peak / 1e9:.2f}")
    except EOFError:
        raise SystemExit(f"{name} never reached {mark:.2%}.") from None
    process.join()
    return seconds


def arithmetic(recipe: Recipe, mixed: bool) -> None:
    """Time matrix products, steps and whole batches in turns; profile the batches.

    The matrices are of float32, whether or not the steps are of mixed precision.
    """
    from torch.profiler import ProfilerActivity, profile
    from torch.utils.flop_counter import FlopCounterMode

    from mnistedu.augmentation import random_affine
    from mnistedu.data import Split, load, make_loader
    from mnistedu.models import ConvNet
    from mnistedu.training import fit

    torch.manual_seed(0)
    model = ConvNet(width=recipe.width)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    optimizer = torch.optim.AdamW(model.parameters())
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer)
    train = load("mnist").train
    few = Split(*(tensor[: 4 * recipe.batch_size] for tensor in train))
    augment = random_affine if recipe.augmented else None
    loader = make_loader(few, recipe.batch_size, shuffle=True, augment=augment)
    one = make_loader(Split(train.images[:1], train.targets[:1]))  # to validate on
    images, targets = next(iter(loader))
    a, b, product = torch.rand(3, SIZE, SIZE)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            logits = model(images)
        loss_fn(logits.float(), targets).backward()
        optimizer.step()

    def epoch() -> None:
        fit(
            *(model, loader, one, 1),
            scheduler=scheduler,
            label_smoothing=recipe.label_smoothing,
            mixed_precision=mixed,
            device="cpu",
        )

    with FlopCounterMode(display=False) as counter:
        step()
    flops = counter.get_total_flops()
    work = {  # what to call, how many steps that is, operations in one of them
        f"`torch.mm`, {SIZE}×{SIZE}": (
            lambda: torch.mm(a, b, out=product),
            1,
            2 * SIZE**3,
        ),
        "Forward, backward, update": (step, 1, flops),
        "The same in `fit`, with batch and history": (epoch, len(loader), flops),
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(WARM_UP + ROUNDS):
        for name, (function, steps, _) in work.items():
            start = time.perf_counter()
            function()
            seconds[name].append((time.perf_counter() - start) / steps)

    precision = "mixed precision" if mixed else "float32"
    head(f"ConvNet(width={recipe.width}), {precision}", "ms", "GFLOP/s", "share")
    peak = 0.0
    for name, (_, _, count) in work.items():
        median = statistics.median(seconds[name][WARM_UP:])
        rate = count / median / 1e9
        peak = peak or rate
        row(name, f"{median * 1e3:.1f}", f"{rate:.0f}", f"{rate / peak:.0%}")

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(WARM_UP):
            epoch()
    times = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    total = sum(times.values())
    head("Where the time goes in `fit`", "ms", "share")
    for name in sorted(times, key=times.__getitem__, reverse=True)[:SHOWN]:
        milliseconds = times[name] / 1e3 / (WARM_UP * len(loader))
        row(f"`{name}`", f"{milliseconds:.2f}", f"{times[name] / total:.1%}")


def row(what: str, *figures: str) -> None:
    cells = (f" {each.replace('%', ' %'):>8} |" for each in figures)
    print(f"| {what:<42} |" + "".join(cells), flush=True)


def head(what: str, *names: str) -> None:
    print()
    row(what, *names)
    row("---", *["--:"] * len(names))


def main() -> None:
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["KINETO_LOG_LEVEL"] = "6"  # else the profiler reports its own doings
    torch.set_num_threads(THREADS)
    print(f"MNIST, {THREADS} threads, torch {torch.__version__}")
    head("network", "test", "s", "peak GB")
    # In a process of its own: a child's peak of memory is at least its parent's.
    first = SPAWN.Process(target=prepare)
    first.start()
    first.join()
    ratios = []
    for n in SEEDS:  # by turns
        quick = race(f"{QUICK}, seed {n}", 0.99, course, QUICK, n)
        peer = race(f"pytorch/examples, seed {n}", 0.99, example, n)
        ratios.append(peer / quick)
    long = max(race(f"{LONG}, seed {n}", 0.9941, course, LONG, n) for n in SEEDS)
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
        race(f"{LONG}, {device}", 0.994, course, LONG, 0, "cuda")
    print()
    shares = ", ".join(f"1/{ratio:.0f}" for ratio in ratios)
    print(f"- 99 % in {shares} of pytorch/examples' time, seed by seed")
    print(f"- at least 99.41 % in {long:.0f} s")
    arithmetic(LONG, mixed=False)
    arithmetic(LONG, mixed=True)


if __name__ == "__main__":
    main()
