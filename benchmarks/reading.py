"""How long the chapters take a reader: `python benchmarks/reading.py`.

Nobody's clock ran for this: it counts what there is to read and to do, and multiplies.
Words at the speed at which adults read English prose in silence (Brysbaert, 2019, a
mean over 190 studies), and the rest at rates that are ours:

- 238 words a minute in the prose, the quizzes and their answers;
- 4 seconds for a line of code, imports and hidden solutions aside;
- 15 seconds for a figure or a displayed formula;
- 30 seconds to think about a question of the quiz;
- 3 minutes for an exercise that `check` answers. The open ones have no end.

To these come the seconds that the computer takes, which `course.py` has measured.
"""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "book" / "measured" / "course.md"
WORDS_A_MINUTE = 238
SECONDS = {"lines": 4, "figures": 15, "formulas": 15, "questions": 30, "exercises": 180}


def count(notebook: NotebookNode) -> dict[str, int]:
    """The words, lines of code, figures and so on in a chapter."""
    cells = notebook.cells
    text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    prose, formulas = re.subn(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    prose = re.sub(r"\]\([^)]*\)|<[^>]*>", "", prose)  # addresses, and HTML's tags
    code = [c for c in cells if c.cell_type == "code"]
    folded = {"hide-input", "hide-cell"}
    shown = [c.source for c in code if not folded & {*c.metadata.get("tags", [])}]
    lines = [line for each in shown for line in each.splitlines() if line.strip()]
    read = [line for line in lines if not re.match("import |from ", line)]
    outputs = [output for c in code for output in c.outputs]
    return {
        "words": len(re.findall(r"\w[\w'’]*", prose)),
        "lines": len(read),
        "figures": sum("image/png" in each.get("data", {}) for each in outputs),
        "formulas": formulas,
        "questions": len(re.findall(r"^\*\*\d+\.", text, re.MULTILINE)),
        "exercises": sum('check("' in each for each in shown),
    }


def computer_minutes(number: int) -> float:
    seconds = re.search(
        rf"^\| Chapter {number}, .*?\| +([\d.]+) s", MEASURED.read_text(), re.MULTILINE
    )
    assert seconds
    return float(seconds[1]) / 60


def minutes(number: int, notebook: NotebookNode) -> float:
    """The minutes that a chapter takes its reader, those of the computer included."""
    counted = count(notebook)
    doing = sum(counted[what] * each for what, each in SECONDS.items()) / 60
    return counted["words"] / WORDS_A_MINUTE + doing + computer_minutes(number)


def row(*figures: str) -> None:
    print("|" + "".join(f" {each:>9} |" for each in figures))


def main() -> None:
    row("chapter", "words", *SECONDS, "minutes")
    row(*["--:"] * (3 + len(SECONDS)))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        number, notebook = int(path.name[:2]), nbformat.read(path, as_version=4)
        counted = [f"{n:,}" for n in count(notebook).values()]
        row(str(number), *counted, f"{minutes(number, notebook):.0f}")


if __name__ == "__main__":
    main()
