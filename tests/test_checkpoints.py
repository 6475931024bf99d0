"""Weights on disk, and the network that the package ships."""

import json
import math
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_file
from torch import nn

from mnistedu import storage
from mnistedu.checkpoints import (
    PRETRAINED,
    load_checkpoint,
    load_pretrained,
    load_weights,
    read_checkpoint,
    save_checkpoint,
)
from mnistedu.data import make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import MLP, ConvNet


def test_weights_come_back_bit_for_bit(tmp_path):
    model = ConvNet(2)
    path = tmp_path / "weights.safetensors"
    save_checkpoint(model, path)
    again = ConvNet(2)
    load_model(again, path)
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("model", [MLP((9, 8), dropout=0.1), ConvNet(2, dropout=0.3)])
def test_a_file_says_which_network_it_holds(model, tmp_path):
    save_checkpoint(model, tmp_path / "new folder" / "a.safetensors")
    again = load_checkpoint(tmp_path / "new folder" / "a.safetensors")
    assert type(again) is type(model)
    assert again.settings == model.settings
    assert not again.training
    x = torch.rand(5, 1, 28, 28)
    assert torch.equal(again(x), model.eval()(x))


def test_what_training_needs_is_kept_apart_from_the_weights(tmp_path):
    model, path = MLP(()), tmp_path / "a.safetensors"
    info = {"history": {"val_loss": [0.1, 1 / 3]}, "labels": {"0": "zero"}}
    save_checkpoint(model, path, {"0/step": torch.tensor(3.0)}, **info)
    weights, training, read = read_checkpoint(path)
    assert weights.keys() == model.state_dict().keys()
    assert training == {"0/step": torch.tensor(3.0)}
    assert read == {"architecture": "MLP", "settings": model.settings, **info}
    load_weights(model, read_checkpoint(path))


def test_another_network_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(MLP((9,)), path)
    for model in (MLP((8,)), ConvNet(1)):
        before = {name: value.clone() for name, value in model.state_dict().items()}
        with pytest.raises(ValueError, match=r"another network, MLP .*\[9\]"):
            load_weights(model, read_checkpoint(path))
        after = model.state_dict()
        assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_network_that_is_not_ours_can_be_kept_too(tmp_path):
    model, path = nn.Linear(2, 3), tmp_path / "a.safetensors"
    save_checkpoint(model, path)
    sentence = (
        f"{path} holds a Linear: build it yourself and use load_weights, since only "
        "MLP and ConvNet are known here."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load_checkpoint(path)
    again = nn.Linear(2, 3)
    load_weights(again, read_checkpoint(path))
    assert torch.equal(again.weight, model.weight)


def test_a_network_of_a_later_version_gets_a_sentence(tmp_path):
    model, path = MLP((9,)), tmp_path / "a.safetensors"
    model.settings["residual"] = True
    save_checkpoint(model, path)
    sentence = (
        f"{path} holds a MLP that this version of mnistedu does not know, with the "
        f"settings {model.settings}: update the package."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load_checkpoint(path)


class Harmful:
    """What a pickled checkpoint can be: unpickling it writes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def damaged_files(folder: Path) -> dict[str, bytes]:
    """Files that are no checkpoints, by the fault they have."""
    path = folder / "whole"
    save_checkpoint(MLP(()), path)
    whole = path.read_bytes()
    path.unlink()
    torch.save({"weights": Harmful(folder / "harm")}, path)
    pickled = path.read_bytes()
    save_file({"a": torch.zeros(3)}, path)
    foreign = path.read_bytes()
    path.unlink()
    half = whole[: len(whole) // 2]
    faults = {"truncated": half, "one byte short": whole[:-1], "header": whole[:100]}
    return faults | {"empty": b"", "pickled": pickled, "foreign": foreign}


@pytest.mark.parametrize(
    "fault",
    ["truncated", "one byte short", "header", "empty", "pickled", "foreign"],
)
def test_a_damaged_file_gets_a_sentence_and_is_left_alone(fault, tmp_path):
    path = tmp_path / "last.safetensors"
    content = damaged_files(tmp_path)[fault]
    path.write_bytes(content)
    sentence = (
        f"{path} is damaged or is no checkpoint of mnistedu: only whole safetensors "
        "files are read, and never pickled ones."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load_checkpoint(path)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # no harm


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    save_checkpoint(MLP((9,)), path)

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        read_checkpoint(path)


def test_other_weights_do_not_inherit_a_networks_doubt(tmp_path):
    model = load_pretrained()
    assert model.doubt is not None
    save_checkpoint(ConvNet(**model.settings), tmp_path / "mine.safetensors")
    load_weights(model, read_checkpoint(tmp_path / "mine.safetensors"))
    assert model.doubt is None


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no checkpoint at .*\.$"):
        load_checkpoint(tmp_path / "a.safetensors")


def assert_is_kept_when_a_write_fails(path: Path, why: str) -> None:
    """Write a large network over the file, which must stay as it is."""
    before = path.read_bytes()
    with pytest.raises(OSError, match=rf"could not be written \([^\n]*{why}"):
        save_checkpoint(MLP(), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_half_way_leaves_the_file_before_it(tmp_path, monkeypatch):
    def write_half(tensors, path, metadata):
        path.write_bytes(b"half of it")
        raise SafetensorError("I/O error: No space left on device")

    path = tmp_path / "a.safetensors"
    save_checkpoint(MLP(()), path)
    monkeypatch.setattr(storage, "save_file", write_half)
    assert_is_kept_when_a_write_fails(path, "No space left")


def test_a_file_that_may_not_grow_leaves_the_one_before_it(tmp_path):
    resource = pytest.importorskip("resource", reason="needs limits on file sizes")
    path = tmp_path / "a.safetensors"
    save_checkpoint(MLP(()), path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as if the disk ended
    try:
        assert_is_kept_when_a_write_fails(path, "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path):
    blocked = tmp_path / "runs"
    blocked.write_text("a file in the folder's place")
    for path in (blocked / "a.safetensors", blocked / "more" / "a.safetensors"):
        advice = (
            r"\): free some space or choose another folder\. "
            r"What was there before is unchanged\.$"
        )
        with pytest.raises(OSError, match=f"could not be written .*{advice}"):
            save_checkpoint(MLP(()), path)
    assert blocked.read_text() == "a file in the folder's place"


def test_a_checkpoint_has_the_mode_of_any_file(tmp_path):
    save_checkpoint(MLP(()), tmp_path / "a.safetensors")
    (tmp_path / "b").touch()
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    model, path = MLP((9,)), tmp_path / "a.safetensors"
    model[1].weight.data[3, 4] = value
    save_checkpoint(model, path)
    with pytest.raises(ValueError, match=r"1\.weight .* not finite: its training has"):
        load_checkpoint(path)
    with pytest.raises(ValueError, match="not finite"):
        load_weights(MLP((9,)), read_checkpoint(path))


def stated(words: str) -> float:
    """A number that the README says in these words of the shipped network."""
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    (number,) = re.findall(words, " ".join(readme.split()))
    return float(number.replace(",", ""))


def test_the_shipped_network_is_small():
    megabytes = PRETRAINED.stat().st_size / 1e6
    assert round(megabytes, 1) == stated(r"a file of ([\d.]+) MB") <= 1.2
    parameters = sum(p.numel() for p in load_pretrained().parameters())
    assert parameters == stated(r"ships has ([\d,]+) parameters") <= 300_000


def test_the_shipped_network_reads_mnist(mnist):
    model = load_pretrained()
    assert not model.training
    logits, targets = predict(model, make_loader(mnist.test, batch_size=1000))
    reached = 100 * accuracy(logits, targets)
    assert reached == pytest.approx(stated(r"reads ([\d.]+) % of MNIST's"), abs=0.02)


def with_header(path: Path, header: str) -> Path:
    """A file of weights whose header somebody else has written."""
    save_file(MLP(()).state_dict(), path, {"mnistedu": header})
    return path


@pytest.mark.parametrize(
    "header",
    [
        "{}",
        "[]",
        "null",
        '"MLP"',
        "no JSON",
        '{"architecture": "MLP"}',
        '{"architecture": [], "settings": {}}',
        '{"architecture": "MLP", "settings": 1}',
    ],
)
def test_a_foreign_header_gets_a_sentence(tmp_path, header):
    with pytest.raises(ValueError, match="is damaged or is no checkpoint"):
        load_checkpoint(with_header(tmp_path / "a", header))


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden_sizes": [-1]},
        {"hidden_sizes": [1e300]},
        {"hidden_sizes": [10**20]},
        {"dropout": "much"},
        {"hidden_sizes": None},
        {"dropout": 7},
    ],
)
def test_settings_of_no_network_get_a_sentence(tmp_path, settings):
    header = json.dumps({"architecture": "MLP", "settings": settings})
    with pytest.raises(ValueError, match="update the package"):
        load_checkpoint(with_header(tmp_path / "a", header))


def test_a_huge_network_takes_no_memory_before_its_weights_are_seen(tmp_path):
    settings = {"hidden_sizes": [10**9, 10**6]}  # 4,000,000 GB
    header = json.dumps({"architecture": "MLP", "settings": settings})
    with pytest.raises(ValueError, match="a holds another network, MLP"):
        load_checkpoint(with_header(tmp_path / "a", header))


def test_loading_does_not_wait_for_sympy():
    code = """
import sys
from mnistedu.checkpoints import load_pretrained
load_pretrained()
sys.exit("sympy" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loading_draws_no_random_numbers():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    load_pretrained()
    assert torch.equal(torch.rand(1), expected)


def test_weights_that_layers_share_are_kept(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
            self.b.weight = self.a.weight

    model, again, path = Tied(), Tied(), tmp_path / "a.safetensors"
    save_checkpoint(model, path)
    load_weights(again, read_checkpoint(path))
    assert torch.equal(again.b.weight, model.a.weight)


def test_a_model_without_settings_has_none_in_its_file(tmp_path):
    path = tmp_path / "made" / "with" / "its folders" / "a.safetensors"
    save_checkpoint(nn.Linear(2, 3), path)
    assert read_checkpoint(path).info == {"architecture": "Linear", "settings": {}}


def test_weights_that_lie_transposed_in_memory_are_kept(tmp_path):
    model = nn.Linear(3, 2)
    model.weight.data = torch.arange(6.0).view(3, 2).T
    save_checkpoint(model, tmp_path / "a.safetensors")
    weights = read_checkpoint(tmp_path / "a.safetensors").weights
    assert weights["weight"].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_the_sentence_on_another_network_names_the_first_difference(tmp_path):
    path = tmp_path / "a.safetensors"
    model = MLP((9,))
    save_checkpoint(model, path)
    held = f"The checkpoint holds another network, MLP {model.settings}"
    for other, difference in (
        (MLP((9, 8)), "its 3.weight has shape (10, 9), the model's (8, 9)."),
        (nn.Linear(2, 3), "its weight has shape none, the model's (3, 2)."),
        (nn.Flatten(), "its 1.bias has shape (9,), the model's none."),
    ):
        with pytest.raises(ValueError) as error:
            load_weights(other, read_checkpoint(path))
        assert str(error.value) == f"{held}: {difference}"
