"""book/student.py: the notebooks that a teacher hands out hold no solutions."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mnistedu.exercises import EXERCISES

ROOT = Path(__file__).parents[1]
NAMES = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]

spec = importlib.util.spec_from_file_location("student", ROOT / "book" / "student.py")
assert spec and spec.loader
student = importlib.util.module_from_spec(spec)
spec.loader.exec_module(student)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make student` writes."""
    target = tmp_path_factory.mktemp("teacher") / "student"
    assert student.main(target=target) == 0
    return target


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def checks(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Each name that the notebook passes to `check`, and the cell that does it."""
    found = []
    for cell in notebook.cells:
        for name in re.findall(r'^check\("(\w+)"', cell.source, re.MULTILINE):
            found.append((name, cell.source))
    return found


def test_copies_every_notebook(folder):
    assert sorted(path.name for path in folder.iterdir()) == NAMES


def test_no_solution_is_left_and_every_stub_is(folder):
    asked = []
    for name in NAMES:
        copy = read(folder / name)
        assert "A solution" not in "".join(cell.source for cell in copy.cells)
        for exercise, source in checks(copy):
            to_mend = EXERCISES[exercise].to_mend
            assert source.count("return ...\n") == (not to_mend), source
            asked.append(exercise)
    assert asked == list(EXERCISES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_else_is_missing(folder, name):
    original, copy = read(ROOT / "notebooks" / name), read(folder / name)
    solutions = {cell.id for cell in original.cells if student.is_solution(cell)}
    copies = {cell.id: (cell.source, cell.metadata) for cell in copy.cells}
    for cell in original.cells:
        if cell.id not in solutions:
            assert copies.pop(cell.id) == (cell.source, cell.metadata)
        else:
            assert cell.source.startswith("# A solution")
    assert copies.keys() <= solutions
    for source, metadata in copies.values():  # stand-ins for what is needed later
        assert re.search(r'^\w+ = EXERCISES\["\w+"\]\.solution$', source, re.MULTILINE)
        assert metadata == {}


@pytest.mark.parametrize("name", NAMES)
def test_is_valid_and_has_no_outputs(folder, name):
    copy = read(folder / name)
    nbformat.validate(copy)
    for cell in copy.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_from_a_folder_beside_notebooks(folder, name):
    prose = (c.source for c in read(folder / name).cells if c.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#\s]+)", "\n".join(prose)):
        if target.startswith("../"):
            assert (ROOT / target.removeprefix("../")).exists(), target
        elif not re.match(r"https?:|mailto:", target):
            assert (folder / target).exists(), target


def test_no_cell_misses_what_a_solution_defined(folder):
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--isolated", "--select", "F821", folder]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_runs_to_its_end_with_nothing_solved(tmp_path):
    sources = [
        "import torch\nfrom mnistedu.exercises import check",
        "def my_softmax(logits):\n    return ...\n\n\ncheck('softmax', my_softmax)",
        "# A solution.\ndef softmax(logits):\n    return logits.softmax(1)\n\n\n"
        'check("softmax", softmax)',
        "softmax(torch.zeros(1, 2))",
        "# A solution that nothing needs.\ndef ece(c, a, n):\n    return 0\n\n\n"
        'check("ece", ece)',
    ]
    cells = [new_code_cell(source) for source in sources]
    for cell in cells[2], cells[4]:
        cell.metadata["mystnb"] = {"code_prompt_show": "Show a solution"}
    cells[3].outputs = [new_output("stream", text="of another time")]
    (tmp_path / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / "a.ipynb")
    assert student.main(tmp_path / "notebooks", tmp_path / "student") == 0

    copy = read(tmp_path / "student" / "a.ipynb")
    NotebookClient(copy, timeout=120, kernel_name="python3").execute()
    said = [out.data["text/plain"] for cell in copy.cells for out in cell.outputs]
    assert said == [
        "Not yet: put your own lines in the place of the three dots.",
        "tensor([[0.5000, 0.5000]])",
    ]


def test_leaves_a_folder_alone_that_is_already_there(tmp_path, capsys):
    work = tmp_path / "student" / "01_data.ipynb"
    work.parent.mkdir()
    work.write_text("an hour's work")
    assert student.main(target=work.parent) == 1
    assert "already there" in capsys.readouterr().err
    assert [path.read_text() for path in work.parent.iterdir()] == ["an hour's work"]
