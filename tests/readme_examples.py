"""The README's commands and its Python, run: `python readme_examples.py`.

A program of its own, so that it can be run by any Python that has mnistedu installed
and nothing else: by that of test_project.py, and by the one of a release's wheel. The
pictures and tables that the README names are made here, from scikit-learn's digits.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import mnistedu
from mnistedu.cli import app

ROOT = Path(__file__).parent.parent
QUICKLY = {  # the same, with less to do and without a download
    "train": ["--source", "offline", "--epochs", "1"],
    "evaluate": ["--source", "offline"],
    "kaggle": ["--epochs", "1"],
}


def examples() -> list[list[str]]:
    """The words of each command in the README's section."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (section,) = re.findall(r"## On the command line\n(.*?)\n## ", readme, re.DOTALL)
    (block,) = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [shlex.split(re.split(r"  +", line)[0]) for line in block.splitlines()]


def python_example() -> str:
    """The lines of Python in the README."""
    (block,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    return block


def make_files(folder: Path) -> None:
    """What the README's commands read."""
    images, targets = load_digits(return_X_y=True)
    for name, digit in (("three.png", 3), ("seven.jpg", 7)):
        small = images[list(targets).index(digit)].reshape(8, 8)
        large = np.kron(255 - 15 * small, np.ones((20, 20)))
        Image.fromarray(large.astype(np.uint8)).save(folder / name)
    pixels = np.zeros((30, 784), int)
    pixels[:, :64] = images[:30] * 15
    names = [f"pixel{i}" for i in range(784)]
    for name, head, table in (
        ("train.csv", ["label", *names], np.column_stack([targets[:30], pixels])),
        ("test.csv", names, pixels),
    ):
        np.savetxt(
            folder / name,
            table,
            "%d",
            delimiter=",",
            header=",".join(head),
            comments="",
        )


def main() -> None:
    """Run them in a folder of their own; a failure raises."""
    assert ROOT not in Path(mnistedu.__file__).parents, "this is the repository's own"
    os.environ["TQDM_DISABLE"] = "1"
    command = Path(sys.executable).with_name("mnistedu")
    subprocess.run([command, "--help"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        make_files(Path(folder))
        for program, name, *rest in examples():
            assert program == "mnistedu"
            arguments = [name, *rest, *QUICKLY.get(name, [])]
            print("$ mnistedu", *arguments, flush=True)
            app(arguments, standalone_mode=False)  # torch is imported once for all
        exec(python_example(), {})


if __name__ == "__main__":
    main()
