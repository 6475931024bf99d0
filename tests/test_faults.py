"""The faults that CONTRIBUTING.md lists, those of them that are of no single module."""

import ast
import json
import os
import random
import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from test_reading import mutated, small_files
from torch import nn

from mnistedu.checkpoints import load_checkpoint, save_checkpoint
from mnistedu.data import Digits, make_loader
from mnistedu.kaggle import read_table
from mnistedu.models import MLP, ConvNet
from mnistedu.pad.pictures import encode
from mnistedu.reading import read_digit
from mnistedu.strokes import SAMPLES, rasterize
from mnistedu.training import fit

ROOT = Path(__file__).parent.parent
Start = Callable[..., "subprocess.Popen[str]"]
STRANGE = "Größe 数字 (1)"  # for a path


def table() -> list[tuple[str, str]]:
    """Each fault of the table in CONTRIBUTING.md, with a test for it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (section,) = re.findall(r"^## Faults\n(.*?)(?=^## |\Z)", text, re.M | re.DOTALL)
    rows = re.findall(r"^\| (.+?) \| .+? \| (.+) \|$", section, re.M)[1:]
    return [(fault, test) for fault, cell in rows for test in cell.split(", ")]


@pytest.mark.parametrize(("fault", "test"), table())
def test_a_fault_in_the_table_has_its_test(fault: str, test: str) -> None:
    file, name = test.strip("`").split("::")
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name in tests, fault


def test_ten_kernels_at_once_all_answer(start: Start) -> None:
    program = (
        "from mnistedu.checkpoints import load_pretrained\n"
        "from mnistedu.preprocess import center_digit, normalize\n"
        "from mnistedu.strokes import SAMPLES, rasterize\n"
        "model = load_pretrained()\n"
        "for strokes in SAMPLES.values():\n"
        "    logits = model(normalize(center_digit(rasterize(strokes))))\n"
        "    print(logits.argmax().item())\n"
    )
    kernels = [start("-c", program) for _ in range(10)]
    answers = {kernel.communicate()[0] for kernel in kernels}
    assert answers == {"".join(f"{digit}\n" for digit in SAMPLES)}


def test_a_clock_that_is_set_back_spoils_no_training(
    offline: Digits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seconds = count(time.time(), -3600)
    monkeypatch.setattr(time, "time", lambda: next(seconds))
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    loader = make_loader(offline.val)
    for epochs in (1, 1):  # the second finds the first one's files, of the future
        history = fit(
            *(model, loader, loader, epochs), checkpoint_dir=tmp_path, resume=True
        )
        for file in tmp_path.iterdir():
            os.utime(file, (2e9, 2e9))
    assert len(history) == 1 and 0 < history.seconds[0] < 600


@pytest.fixture
def comma(tmp_path: Path) -> dict[str, str]:
    """A locale in which a half is 0,5, made here if that is possible."""
    made = tmp_path / "de_DE.UTF-8"
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(made)]
    if not shutil.which("localedef") or subprocess.run(command).returncode:
        pytest.skip("no locale with a decimal comma can be made here")
    return {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}


@pytest.fixture
def ascii_only() -> dict[str, str]:
    return {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def unchanged() -> dict[str, str]:
    return {}


# Trains, and reads a picture with the result, as somebody on the command line would.
SESSION = """
import locale, sys
locale.setlocale(locale.LC_ALL, "")  # as some libraries do
print(locale.localeconv()["decimal_point"])
from mnistedu.cli import app
picture, run = sys.argv[1:]
train = "train --source offline --model mlp --epochs 1 --output"
app([*train.split(), run], standalone_mode=False)
app(["predict", picture], standalone_mode=False)
"""


@pytest.mark.parametrize(
    ("place", "point"), [("unchanged", "."), ("ascii_only", "."), ("comma", ",")]
)
def test_strange_paths_and_other_locales_change_no_answer(
    place: str,
    point: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    start: Start,
) -> None:
    home = tmp_path / STRANGE
    home.mkdir()
    picture = home / f"{STRANGE}.png"
    picture.write_bytes(encode(1 - rasterize(SAMPLES[3])[0, 0]))
    # Where only ASCII can be shown, click writes past sys.stdout and what that holds.
    there = {"HOME": str(home), "PYTHONUNBUFFERED": "1"}
    there |= request.getfixturevalue(place)
    session = start("-c", SESSION, picture, home / "run", env=os.environ | there)
    output, errors = session.communicate()
    assert session.returncode == 0, errors
    lines = output.splitlines()
    assert lines[0] == point
    shown = str(picture)
    if (
        place == "ascii_only"
    ):  # where the file is found, but its letters cannot be shown
        shown = "".join(chr(b) if b < 128 else "?" for b in shown.encode())
    assert re.fullmatch(rf"{re.escape(shown)} +3 +\d+\.\d+ ?%", lines[-1])
    metrics = json.loads((home / "run" / "metrics.json").read_text("utf-8"))
    assert len(metrics["history"]["seconds"]) == 1


COLUMNS = ["label", "pixel0", "pixel1"]
TABLE = ",".join(COLUMNS) + '\n1,0,255\n"9",7,8\n'
READERS: dict[str, Callable[[Path], object]] = {
    "picture": read_digit,
    "checkpoint": load_checkpoint,
    "table": lambda path: read_table(path, COLUMNS),
}


def whole_files(kind: str, folder: Path) -> list[bytes]:
    """Files of a kind that its reader reads, to be damaged by ``mutated``."""
    if kind == "picture":
        return small_files()
    if kind == "table":
        return [TABLE.encode()]
    files = []
    for model in (MLP([4]), ConvNet(blocks=1)):
        save_checkpoint(model, folder / "whole")
        files.append((folder / "whole").read_bytes())
    return files


@pytest.mark.parametrize("kind", ["checkpoint", "table"])
def test_a_damaged_file_gives_a_result_or_a_sentence(kind: str, tmp_path: Path) -> None:
    """As benchmarks/fuzz.py tries for long; tests/test_reading.py has the pictures."""
    chance = random.Random(0)
    whole, path, refused = whole_files(kind, tmp_path), tmp_path / "damaged", 0
    for _ in range(1000):
        path.write_bytes(mutated(whole, chance))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                READERS[kind](path)
        except ValueError as error:
            assert str(error).endswith(".")
            refused += 1
    assert 500 < refused < 1000
