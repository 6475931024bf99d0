"""Two processes that torchrun starts train as one would, and write once.

torchrun runs this very file: what each process does stands in ``work``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, distributed

from mnistedu.augmentation import random_affine
from mnistedu.checkpoints import read_checkpoint
from mnistedu.data import Digits, Split, load, make_loader
from mnistedu.models import MLP, ConvNet
from mnistedu.training import History, fit

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
# gloo, and a port that is free, on a machine of any kind
TWO_PROCESSES = ["--standalone", "--nproc-per-node=2"]


def gradients(digits: Digits, batch_size: int, shard: bool) -> dict[str, Tensor]:
    """The gradients of one step on 64 images."""
    torch.manual_seed(0)
    model = MLP((16,))
    images = Split(digits.train.images[:64], digits.train.targets[:64])
    loader = make_loader(images, batch_size, shard=shard)
    assert len(loader) == 1
    fit(model, loader, make_loader(digits.val), epochs=1, device="cpu")
    return {name: value.grad for name, value in model.named_parameters()}


def seen_in_two_epochs() -> tuple[Tensor, Tensor]:
    """The numbers of the images that a process learns from, and random ones beside."""
    seen, noise = [], []

    def note(ink: Tensor) -> Tensor:
        seen.append((ink[:, 0, 0, 0] * 255).round())
        noise.append(torch.rand(len(ink)))
        return ink

    torch.manual_seed(0)
    images = torch.zeros(61, 28, 28, dtype=torch.uint8)
    images[:, 0, 0] = torch.arange(61)
    numbered = Split(images, torch.arange(61) % 10)
    loader = make_loader(numbered, 8, shuffle=True, augment=note, shard=True)
    fit(MLP((8,)), loader, make_loader(numbered), epochs=2, device="cpu")
    return torch.cat(seen).view(2, -1), torch.cat(noise).view(2, -1)


def convnet(
    digits: Digits, folder: Path, shard: bool = True, **settings
) -> tuple[ConvNet, History]:
    """Three epochs with all that is random, and with batch normalisation."""
    torch.manual_seed(0)
    model = ConvNet(1, dropout=0.1)
    train = Split(digits.train.images[:301], digits.train.targets[:301])
    loader = make_loader(train, 32, shuffle=True, augment=random_affine, shard=shard)
    history = fit(
        model,
        loader,
        make_loader(digits.val),
        epochs=3,
        checkpoint_dir=folder,
        device="cpu",
        **settings,
    )
    return model, history


def interrupt(history: History) -> None:
    if len(history) == 2:
        raise KeyboardInterrupt


def work(folder: Path) -> None:
    """What each of the processes does; the tests look at what it saved."""
    distributed.init_process_group("gloo")
    digits = load("offline")
    results = {
        f"gradients/{name}": value
        for name, value in gradients(digits, 32, shard=True).items()
    }

    results["seen"], results["noise"] = seen_in_two_epochs()
    model, history = convnet(digits, folder / "whole")
    results |= {f"whole/{name}": value for name, value in model.state_dict().items()}
    results["history"] = torch.tensor([history.train_loss, history.val_loss])
    convnet(digits, folder / "broken", on_epoch_end=interrupt)
    distributed.barrier()  # until the first process has written its last epoch
    model, _ = convnet(digits, folder / "broken", resume=True)
    results |= {f"resumed/{name}": value for name, value in model.state_dict().items()}
    # Without a folder that both see, the second process begins anew.
    own = folder / ("broken" if distributed.get_rank() == 0 else "elsewhere")
    with pytest.raises(ValueError, match=r"different epochs, \[3, 0\]"):
        convnet(digits, own, resume=True)
    results["refused"] = torch.tensor(True)

    save_file(results, folder / f"rank{distributed.get_rank()}.safetensors")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where two processes have done their work."""
    folder = tmp_path_factory.mktemp("distributed")
    torchrun(__file__, folder)
    return folder


@pytest.fixture(scope="module")
def ranks(folder) -> list[dict[str, Tensor]]:
    """What each of the two has saved."""
    return [load_file(folder / f"rank{rank}.safetensors") for rank in (0, 1)]


def torchrun(*args: object) -> str:
    """The standard output of two processes."""
    done = subprocess.run(
        [*TORCHRUN, *TWO_PROCESSES, *map(str, args)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_step_has_the_gradients_of_a_single_process(ranks, offline):
    for name, expected in gradients(offline, 64, shard=False).items():
        for rank in ranks:
            torch.testing.assert_close(rank[f"gradients/{name}"], expected)


def test_each_epoch_deals_all_images_out_anew(ranks):
    for epoch in range(2):
        first, second = (rank["seen"][epoch].tolist() for rank in ranks)
        assert len(first) == len(second) == 31
        assert len({*first, *second}) == 61
    assert not torch.equal(*ranks[0]["seen"])


def test_each_process_draws_its_own_noise(ranks):
    first, second = (rank["noise"].flatten() for rank in ranks)
    assert len({*first.tolist(), *second.tolist()}) == 4 * 31


def test_processes_that_would_resume_from_different_epochs_are_told_so(ranks):
    assert all(rank["refused"] for rank in ranks)


def test_another_number_of_processes_does_not_resume(ranks, folder, offline):
    with pytest.raises(ValueError, match="processes 2, not 1"):
        convnet(offline, folder / "whole", resume=True, shard=False)


def test_all_processes_end_with_the_same_weights_and_history(ranks, folder):
    first, second = ranks
    names = [name for name in first if name.startswith(("whole/", "history"))]
    assert any("running_mean" in name for name in names)
    for name in names:
        assert torch.equal(first[name], second[name])
    assert first["history"][0, -1] < first["history"][0, 0]  # it learns

    assert {path.name for path in (folder / "whole").iterdir()} == {
        "best.safetensors",
        "last.safetensors",
    }
    last = read_checkpoint(folder / "whole" / "last.safetensors").weights
    assert all(
        torch.equal(value, first[f"whole/{name}"]) for name, value in last.items()
    )


def test_several_processes_resume_bit_for_bit(ranks):
    for rank in ranks:
        for name, value in rank.items():
            if name.startswith("whole/"):
                assert torch.equal(rank[name.replace("whole", "resumed")], value)


def test_the_command_line_in_two_processes_writes_once(tmp_path):
    args = ["--source", "offline", "--blocks", 1, "--epochs", 2, "--device", "cpu"]
    text = torchrun("-m", "mnistedu", "train", *args, "--output", tmp_path)
    for line in ("ConvNet on", "epoch 1: ", "epoch 2: ", "test: accuracy", "Wrote"):
        assert text.count(line) == 1
    assert len(list(tmp_path.iterdir())) == 7
    metrics = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert len(metrics["history"]["val_loss"]) == 2


if __name__ == "__main__":
    work(Path(sys.argv[1]))
