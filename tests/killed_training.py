"""Trainings that are killed and resumed: `python killed_training.py FOLDER PROCESSES`.

A program of its own, for test_training.py: it imports torch once and forks the
processes of each training, so that a kill costs a fraction of a second. Prints one JSON
line: how often a training was killed while computing and while writing, and the runs
whose resumed weights differ from those of the uninterrupted one.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import torch
import torch._dynamo  # as DistributedDataParallel does, in seconds
from safetensors.torch import load_file, save_file
from torch import distributed
from tqdm import tqdm

from mnistedu import storage
from mnistedu.augmentation import random_affine
from mnistedu.data import load, make_loader
from mnistedu.machine import seed_everything
from mnistedu.models import MLP
from mnistedu.training import fit

EPOCHS = 4
WRITES = 2 * EPOCHS  # best and last after each epoch, as long as it improves
KILLS = {1: {"computing": 12, "writing": 8}, 2: {"computing": 6, "writing": 4}}
digits = load("offline")


def train(result: Path, folder: Path | None, rank: int, processes: int) -> None:
    """Train, or go on training, and write the last weights to `result`."""
    if processes > 1:
        meeting = f"file://{result.with_suffix('.meeting')}"
        distributed.init_process_group("gloo", meeting, rank=rank, world_size=processes)
    seed_everything(0)
    several = processes > 1
    loader = make_loader(digits.val, 20, True, random_affine, shard=several)
    model = MLP((32,), dropout=0.2)
    fit(
        model,
        loader,
        make_loader(digits.test, 180),
        EPOCHS,
        patience=3,
        checkpoint_dir=folder,
        resume=folder is not None,
        device="cpu",
    )
    if rank == 0:
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

    storage.save_file = save_and_die


def run(
    result: Path,
    folder: Path | None,
    processes: int,
    kill_after: float | None = None,
    death: tuple[int, float] = (0, 0),
) -> bool:
    """Train in forked processes; whether they were killed, and all of them with one."""
    result.with_suffix(".meeting").unlink(missing_ok=True)
    children = []
    for rank in range(processes):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                die_in_a_write(*death)
                train(result, folder, rank, processes)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    if kill_after is not None:
        time.sleep(kill_after)
        for child in children:
            os.kill(child, signal.SIGKILL)
    first, *others = children
    status = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    for child in others:
        if status:  # it would wait for the first
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert status in (0, -signal.SIGKILL), status
    return status == -signal.SIGKILL


def main(folder: Path, processes: int) -> None:
    torch.set_num_threads(1)  # other threads would not survive a fork
    # Nor does tqdm's own lock a kill: it is shared with all that was ever forked.
    tqdm.set_lock(threading.RLock())
    tqdm.monitor_interval = 0
    whole = folder / "whole.safetensors"
    train(
        whole, None, 0, 1
    )  # in this process, so that what torch imports late is there
    start = time.perf_counter()
    assert not run(whole, folder / "whole", processes)
    duration = time.perf_counter() - start

    wanted, dice = KILLS[processes], random.Random()
    killed = dict.fromkeys(wanted, 0)
    different, runs = [], 0
    while killed != wanted:
        runs += 1
        train_once = partial(run, folder=folder / str(runs), processes=processes)
        if killed["writing"] < wanted["writing"]:
            doing, moment = "writing", None
            death = dice.randint(1, WRITES), dice.choice([0, 0.5, 1])
        else:
            doing, moment = "computing", dice.uniform(0, 1.2 * duration)
            death = 0, 0
        result = folder / "resumed.safetensors"
        if not train_once(result, kill_after=moment, death=death):
            continue  # it had finished before
        killed[doing] += 1
        assert not train_once(result)
        ours, theirs = load_file(result), load_file(whole)
        if any(not torch.equal(ours[name], theirs[name]) for name in theirs):
            different.append([doing, *death, moment])
    print(json.dumps({"killed": killed, "different": different}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
