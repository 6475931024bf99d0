"""How long a reader waits: `python benchmarks/course.py`.

Printed, as a table in Markdown, are the seconds that each chapter takes from the start
of its kernel until it is written, with nothing else running; its imports beside those
of torch alone; `load()`, the pretrained network's answer and the book. Chapters run in
a scratch copy, so nothing is changed but `_build`. The appendix shows what this prints:
`python benchmarks/course.py | tee book/measured/course.md`.
"""

import ast
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import torch

from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load, make_loader
from mnistedu.evaluation import predict

ROOT = Path(__file__).parents[1]
ROUNDS = 5
# Runs in an interpreter of its own and prints the seconds that a statement takes.
TIMED = """
import time
{before}
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""

spec = importlib.util.spec_from_file_location("execute", ROOT / "book" / "execute.py")
assert spec and spec.loader
execute = importlib.util.module_from_spec(spec)
spec.loader.exec_module(execute)


def row(what: str, wait: str, imports: str = "", limit: str = "") -> None:
    print(f"| {what:<36} | {wait:>8} | {imports:>8} | {limit:>8} |", flush=True)


def title_and_imports(path: Path) -> tuple[str, str]:
    """A chapter's first line and all its import statements."""
    first, *others = nbformat.read(path, as_version=4).cells
    imports = [
        ast.unparse(node)
        for cell in others
        if cell.cell_type == "code"
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return first.source.splitlines()[0].removeprefix("# "), "\n".join(imports)


def chapter_seconds(paths: list[Path]) -> list[float]:
    """Execute copies of the chapters, one after the other."""
    os.environ["TQDM_DISABLE"] = "1"  # as book/execute.py has it
    seconds = []
    with tempfile.TemporaryDirectory() as scratch:
        copies = shutil.copytree(ROOT / "notebooks", Path(scratch) / "notebooks")
        for path in paths:
            start = time.perf_counter()
            execute.execute(copies / path.name)
            seconds.append(time.perf_counter() - start)
    return seconds


def fresh_seconds(statement: str, before: str = "") -> float:
    """The seconds that a statement takes in an interpreter of its own."""
    code = TIMED.format(before=before, statement=statement)
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(result.stdout.split()[-1])


def median_milliseconds(function: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:]) * 1000  # the first one warms up


def seconds_of(*command: str | Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    digits = load()  # from now on it is in the cache
    print(f"{digits.name}, {os.cpu_count()} cores, torch {torch.__version__}\n")
    row("What", "Time", "Imports", "At most")
    row("---", *["--:"] * 3)
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    chapters = [title_and_imports(path) for path in paths]
    statements = ["import torch", *(imports for _, imports in chapters)]
    # A notebook's kernel has IPython already.
    kernel = "import ipykernel.kernelapp"
    rounds = [
        [fresh_seconds(each, kernel) for each in statements] for _ in range(ROUNDS)
    ]
    alone, *imports = map(statistics.median, zip(*rounds, strict=True))
    row("`import torch`", "", f"{alone:.2f} s")
    seconds = chapter_seconds(paths)
    limit = f"{1.5 * alone:.2f} s"
    for n, (title, _) in enumerate(chapters):
        what = f"Chapter {n + 1}, {title}"
        row(what, f"{seconds[n]:.1f} s", f"{imports[n]:.2f} s", limit)
    total = f"{sum(seconds) / 60:.1f} min"
    row("All chapters, one after the other", total, limit="8 min")
    loads = [
        fresh_seconds("load()", "from mnistedu.data import load") for _ in range(ROUNDS)
    ]
    row("`load()`, from the cache", f"{statistics.median(loads):.2f} s")

    model = load_pretrained()
    loader = make_loader(digits.test, batch_size=1000)
    one = next(iter(make_loader(digits.test, batch_size=1)))
    count = len(digits.test.targets)
    row(
        "Reading one digit",
        f"{median_milliseconds(lambda: predict(model, [one]), 100):.1f} ms",
    )
    row(
        f"Reading {count:,} digits",
        f"{median_milliseconds(lambda: predict(model, loader), ROUNDS):.0f} ms",
    )

    builder = Path(sys.executable).with_name("jupyter-book")
    anew = seconds_of(builder, "build", ".", "-W", "-n", "--keep-going", "--all")
    row("Rendering every page of the book", f"{anew:.1f} s")
    row("`make book` after that", f"{seconds_of('make', 'book'):.1f} s", limit="30 s")


if __name__ == "__main__":
    main()
