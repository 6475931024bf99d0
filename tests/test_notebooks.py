"""The notebooks as they are stored, and book/execute.py which stores them.

That their code still gives these outputs is nbval's business: `pytest --nbval`.
"""

import base64
import importlib.util
import io
import itertools
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = sorted((ROOT / "book").glob("*.md"))
IMAGES = {"image/png", "image/jpeg", "image/svg+xml"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
DEBRIS = {
    "a path of the machine": r"/home/|/root/|/Users/|/tmp/|site-packages|[A-Z]:\\",
    "a warning": r"[Ww]arning\b|WARNING",
    "a progress bar": r"\d+%\|",
    "an address in memory": r"\bat 0x[0-9a-f]+",
    "an answer without its question": r"(?m)^True$",
}

spec = importlib.util.spec_from_file_location("execute", ROOT / "book" / "execute.py")
assert spec and spec.loader
execute = importlib.util.module_from_spec(spec)
spec.loader.exec_module(execute)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(output: NotebookNode) -> list[str]:
    """All that is text in an output; pictures are not."""
    data = [text for kind, text in output.get("data", {}).items() if kind not in IMAGES]
    return [str(text) for text in [*data, output.get("text", "")]]


def test_is_valid_and_has_cell_ids(notebook):
    nbformat.validate(notebook)
    assert all(cell.get("id") for cell in notebook.cells)


def test_begins_with_its_title(notebook):
    assert notebook.cells[0].source.startswith("# ")


def test_was_executed_from_the_first_cell_to_the_last(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"


def test_what_is_compared_without_mnist_too_does_not_load_it(notebook):
    for cell in code_cells(notebook):
        if "nbval-check-output" in cell.metadata.get("tags", ()):
            assert " load(" not in cell.source, cell.id  # it says what it found


def test_outputs_are_fit_for_a_page(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source
            assert WIDGET_VIEW not in output.get("data", {}), cell.source
            for text in texts(output):
                for name, pattern in DEBRIS.items():
                    assert not re.search(pattern, text), f"{name} in {text!r}"


def test_pictures_have_alt_text_and_a_caption(notebook):
    """Of several pictures from one cell each would have the same caption, so none."""
    for cell in code_cells(notebook):
        pictures = [out for out in cell.outputs if {*out.get("data", {})} & IMAGES]
        if pictures:
            about = cell.metadata.get("mystnb", {})
            assert len(about.get("image", {}).get("alt", "")) >= 20, cell.source
            assert len(pictures) > 1 or about.get("figure", {}).get("caption")


def test_figures_are_sharp_and_small(notebook):
    """Two pixels a point, in 256 colours: as book/execute.py stores them."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if png := output.get("data", {}).get("image/png"):
                with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
                    assert picture.mode == "P", cell.source
                    points = output.metadata["image/png"]["width"]
                    assert picture.width == pytest.approx(2 * points, abs=1)


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda path: path.name)
def test_relative_links_lead_to_files(path):
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        prose = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    else:
        prose = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        if not re.match(r"https?:|mailto:", target):
            assert (path.parent / target).exists(), target


def test_a_folded_solution_does_not_give_itself_away(notebook):
    # JupyterLab shows the first line of a folded cell.
    for cell in code_cells(notebook):
        if cell.metadata.get("mystnb", {}).get("code_prompt_show") == "Show a solution":
            first, _, rest = cell.source.partition("\n")
            assert re.fullmatch("# A solution(, one of many)?[.]", first), first
            assert 'check("' not in rest or "note=False" in rest, first


def test_contents_list_all_notebooks():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    in_toc = [name for name in listed if name.startswith("notebooks/")]
    assert in_toc == [f"notebooks/{path.stem}" for path in NOTEBOOKS]


def write(path: Path, *sources: str) -> Path:
    """A notebook of these code cells, as JupyterLab would leave it."""
    notebook = new_notebook(cells=[new_markdown_cell("# Title")])
    notebook.cells += [new_code_cell(source) for source in sources]
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    notebook.metadata["widgets"] = {"state": {}}
    nbformat.write(notebook, path)
    return path


def test_execute_stores_what_a_page_can_show(tmp_path, capsys):
    path = write(
        tmp_path / "a.ipynb",
        "import os\nfrom pathlib import Path\nfrom tqdm import tqdm\n"
        "from ipywidgets import IntSlider\nos.listdir()",
        "for _ in tqdm(range(3)):\n    print('step')",
        "IntSlider()",
    )
    assert execute.main([str(path)]) == 0
    assert re.fullmatch(r".*a\.ipynb: \d+\.\d s\n", capsys.readouterr().out)

    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == {
        "kernelspec": execute.KERNELSPEC,
        "language_info": {"name": "python"},
    }
    folder, bar, widget = code_cells(notebook)
    assert [cell.execution_count for cell in (folder, bar, widget)] == [1, 2, 3]
    assert folder.metadata == {}
    assert folder.outputs[0].data == {"text/plain": "['a.ipynb']"}
    assert [out.text for out in bar.outputs] == ["step\nstep\nstep\n"]
    assert [list(out.data) for out in widget.outputs] == [["text/plain"]]

    stored = path.read_bytes()
    execute.main([str(path)])
    assert path.read_bytes() == stored


def test_execute_leaves_a_notebook_that_fails_as_it_was(tmp_path, capsys):
    broken = write(tmp_path / "a.ipynb", "1 / 0")
    after = write(tmp_path / "b.ipynb", "1")
    stored = [broken.read_bytes(), after.read_bytes()]
    assert execute.main([str(broken), str(after)]) == 1
    assert [broken.read_bytes(), after.read_bytes()] == stored
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [broken, after]


def test_an_exercise_asks_for_the_function_that_its_cell_defines(notebook):
    for text, cell in itertools.pairwise(notebook.cells):
        asked = re.search(
            r"^### Exercise.*?[Ww]rite\s+`(\w+)\(", text.source, re.S | re.M
        )
        if asked and "\ncheck(" in cell.source:
            names = re.findall(r"^def (\w+)", cell.source, re.M)
            assert names == [asked[1]], text.source
            assert asked[1].startswith(
                "my_"
            )  # the solution below has a name of its own
