"""book/colab.py: a chapter that is opened on Colab installs the package first."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_each_copy_installs_the_package_and_goes_on_as_the_chapter(tmp_path):
    script = ROOT / "book" / "colab.py"
    command = [sys.executable, script, "someone/course", "0a1b2c", tmp_path]
    subprocess.run(command, check=True)
    copies = sorted((tmp_path / "notebooks").iterdir())
    assert [path.name for path in copies] == [path.name for path in CHAPTERS]
    for path, copy in zip(CHAPTERS, copies, strict=True):
        install, *others = nbformat.read(copy, as_version=4).cells
        nbformat.validate(nbformat.read(copy, as_version=4))
        package = '"mnistedu @ git+https://github.com/someone/course@0a1b2c"'
        assert f"%pip install --quiet {package}\n" in install.source
        chapter = nbformat.read(path, as_version=4).cells
        code = [cell for cell in chapter if cell.cell_type == "code"]
        assert [cell for cell in others if cell.cell_type == "code"] == code
        assert len(others) == len(chapter)
        prose = "".join(cell.source for cell in others if cell.cell_type == "markdown")
        assert "](https://github.com/someone/course/blob/main/book/" in prose
        assert not re.search(r"\]\((\.\./|\w+\.ipynb)", prose)


def test_links_lead_to_other_chapters_on_colab_and_to_github():
    colab = runpy.run_path(str(ROOT / "book" / "colab.py"))
    source = (
        "[a](05_cnn.ipynb), [b](../book/glossary.md#relu), ![c](../book/static/c.png)"
    )
    assert colab["lead_out"](source, "someone/course") == (
        "[a](https://colab.research.google.com/github/someone/course/blob/colab/"
        "notebooks/05_cnn.ipynb), "
        "[b](https://github.com/someone/course/blob/main/book/glossary.md#relu), "
        "![c](https://github.com/someone/course/raw/main/book/static/c.png)"
    )
