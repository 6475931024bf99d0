"""Write the notebooks without their solutions to `student/`: `make student`.

What a teacher hands out: the exercises with their stubs and checks, no solutions, and
no outputs, since the students will make their own. Where a chapter goes on with the
function that an exercise asks for, the copy takes it from `mnistedu.exercises`, so that
it runs to its end whatever is solved. The folder lies beside `notebooks/`, and every
link still leads where it did.
"""

import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]


def is_solution(cell: NotebookNode) -> bool:
    """Whether a cell is an exercise's folded solution."""
    return cell.metadata.get("mystnb", {}).get("code_prompt_show") == "Show a solution"


def strip(notebook: NotebookNode) -> None:
    """Remove, in place, the solutions and all outputs."""
    kept = []
    for index, cell in enumerate(notebook.cells):
        if is_solution(cell):
            cell.source = stand_in(cell, notebook.cells[index + 1 :])
            cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.source:
            kept.append(cell)
    notebook.cells = kept


def stand_in(solution: NotebookNode, later: list[NotebookNode]) -> str:
    """What later cells need in the place of a solution; empty if they need nothing."""
    code = "\n".join(cell.source for cell in later if cell.cell_type == "code")
    checked = re.search(r'check\("(\w+)", (\w+)', solution.source)
    if checked is None or not re.search(rf"\b{checked[2]}\b", code):
        return ""
    return (
        "# The chapter goes on with this one, whether yours is done or not.\n"
        "from mnistedu.exercises import EXERCISES\n\n"
        f'{checked[2]} = EXERCISES["{checked[1]}"].solution'
    )


def main(source: Path = ROOT / "notebooks", target: Path = ROOT / "student") -> int:
    """Write a copy of each notebook in `source` to the new folder `target`.

    A folder that is already there is left alone: somebody may have worked in it.
    """
    if target.exists():
        print(
            f"{target} is already there, and may hold somebody's work: "
            "move or delete it, and run this again.",
            file=sys.stderr,
        )
        return 1
    notebooks = {}
    for path in sorted(source.glob("*.ipynb")):
        notebooks[path.name] = nbformat.read(path, as_version=4)
        strip(notebooks[path.name])
    target.mkdir()
    for name, notebook in notebooks.items():
        nbformat.write(notebook, target / name)
    print(f"{target}: {len(notebooks)} notebooks without solutions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
