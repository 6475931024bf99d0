"""Trainings that are killed and resumed: `python killed_training.py FOLDER`.

A program of its own, for test_training.py: it imports torch once and forks a process
for each training, so that a kill costs a fraction of a second. Prints one JSON line:
how often a training was killed while computing and while writing, and the runs whose
resumed weights differ from those of the uninterrupted one.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from mnistedu import checkpoints
from mnistedu.augmentation import random_affine
from mnistedu.data import load, make_loader
from mnistedu.machine import seed_everything
from mnistedu.models import MLP
from mnistedu.training import fit

EPOCHS = 4
WRITES = 2 * EPOCHS  # best and last after each epoch, as long as it improves
digits = load("offline")


def train(result: Path, folder: Path | None = None) -> None:
    """Train, or go on training, and write the last weights to `result`."""
    seed_everything(0)
    model = MLP((32,), dropout=0.2)
    loader = make_loader(digits.val, 20, shuffle=True, augment=random_affine)
    val_loader = make_loader(digits.test, 180)
    fit(
        model,
        loader,
        val_loader,
        EPOCHS,
        patience=3,
        checkpoint_dir=folder,
        resume=folder is not None,
        device="cpu",
    )
    save_file(model.state_dict(), result)


def die_in_a_write(number: int, share: float) -> None:
    """Arrange for a kill in this process's write of that number, partly done."""
    writes = 0

    def save_and_die(tensors: object, path: Path, metadata: object) -> None:
        nonlocal writes
        writes += 1
        save_file(tensors, path, metadata)
        if writes == number:
            os.truncate(path, int(share * path.stat().st_size))
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoints.save_file = save_and_die


def forked(job: Callable[[], None], kill_after: float | None = None) -> bool:
    """Run the job in a process of its own; whether it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            job()
            status = 0
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    return status == -signal.SIGKILL


def main(folder: Path) -> None:
    torch.set_num_threads(1)  # other threads would not survive a fork
    whole = folder / "whole.safetensors"
    train(whole)  # in this process, so that what torch imports late is there
    start = time.perf_counter()
    assert not forked(lambda: train(whole))
    duration = time.perf_counter() - start

    dice = random.Random()
    killed = {"computing": 0, "writing": 0}
    different = []
    runs = 0
    while killed["computing"] < 12 or killed["writing"] < 8:
        runs += 1
        run = folder / str(runs)
        if killed["writing"] < 8:
            doing = "writing"
            number, share = dice.randint(1, WRITES), dice.choice([0, 0.5, 1])
            moment = None
        else:
            doing = "computing"
            number, share = 0, 0
            moment = dice.uniform(0, 1.2 * duration)

        def job(run=run, number=number, share=share) -> None:
            die_in_a_write(number, share)
            train(folder / "killed.safetensors", run)

        if not forked(job, moment):
            continue  # it had finished before
        killed[doing] += 1
        result = folder / "resumed.safetensors"
        assert not forked(lambda run=run, result=result: train(result, run))
        ours, theirs = load_file(result), load_file(whole)
        if any(not torch.equal(ours[name], theirs[name]) for name in theirs):
            different.append([doing, number, share, moment])
    print(json.dumps({"killed": killed, "different": different}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
