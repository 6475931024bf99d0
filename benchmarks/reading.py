"""How long the chapters take a reader: `python benchmarks/reading.py`.

Nobody's clock ran for this: it counts what there is to read and to do, and multiplies.
Words at the speed of those who read in order to remember (Carver, 1992), and the rest
at rates that are ours:

- 138 words a minute in the prose, the quizzes and their answers;
- 4 seconds for a line of code, imports and hidden solutions aside;
- 15 seconds for a figure or a displayed formula;
- 30 seconds to think about a prediction or a question of the quiz.

To these come the seconds that the computer takes, which `course.py` has measured. The
exercises that `check` answers are counted apart, at 6 minutes each, and neither those
without an end nor the sections whose titles begin with "An aside" are counted at all.
"""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "book" / "measured" / "course.md"
WORDS_A_MINUTE = 138
SECONDS = {"lines": 4, "figures": 15, "formulas": 15, "questions": 30}
MINUTES_AN_EXERCISE = 6


def without_asides(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, and of a cell the lines, that are in no section for the curious."""
    kept, level = [], 0  # that of the aside's title, or 0 outside
    for cell in cells:
        lines = []
        for line in cell.source.splitlines():
            title = re.match(r"(#+) (An aside)?", line)
            if cell.cell_type == "markdown" and title and len(title[1]) <= (level or 9):
                level = len(title[1]) if title[2] else 0
            if not level:
                lines.append(line)
        if lines:
            kept.append(NotebookNode(cell, source="\n".join(lines)))
    return kept


def count(notebook: NotebookNode) -> dict[str, int]:
    """The words, lines of code, figures and so on in a chapter."""
    cells = without_asides(notebook.cells)
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
        "questions": len(re.findall(r"^\*\*\d+\.|\*\*Predict", text, re.MULTILINE)),
        "exercises": sum('check("' in each for each in shown),
    }


def computer_minutes(number: int) -> float:
    seconds = re.search(
        rf"^\| Chapter {number}, .*?\| +([\d.]+) s", MEASURED.read_text(), re.MULTILINE
    )
    assert seconds
    return float(seconds[1]) / 60


def minutes(number: int, counted: dict[str, int]) -> float:
    """The minutes that a chapter takes its reader, those of the computer included."""
    doing = sum(counted[what] * each for what, each in SECONDS.items()) / 60
    return counted["words"] / WORDS_A_MINUTE + doing + computer_minutes(number)


def row(*figures: str) -> None:
    print("|" + "".join(f" {each:>9} |" for each in figures))


def main() -> None:
    row("chapter", "words", *SECONDS, "exercises", "minutes", "more")
    row(*["--:"] * (5 + len(SECONDS)))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        number, counted = int(path.name[:2]), count(nbformat.read(path, as_version=4))
        reading, doing = minutes(number, counted), counted["exercises"]
        figures = [f"{n:,}" for n in counted.values()]
        row(str(number), *figures, f"{reading:.0f}", f"{doing * MINUTES_AN_EXERCISE}")


if __name__ == "__main__":
    main()
