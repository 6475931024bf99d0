"""book/colab.py: a chapter that is opened on Colab installs the package first."""

import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_each_copy_installs_the_package_and_goes_on_as_the_chapter(tmp_path):
    script = ROOT / "book" / "colab.py"
    subprocess.run([sys.executable, script, "someone/course", tmp_path], check=True)
    copies = sorted((tmp_path / "notebooks").iterdir())
    assert [path.name for path in copies] == [path.name for path in CHAPTERS]
    for path, copy in zip(CHAPTERS, copies, strict=True):
        install, *others = nbformat.read(copy, as_version=4).cells
        nbformat.validate(nbformat.read(copy, as_version=4))
        package = '"mnistedu @ git+https://github.com/someone/course"'
        assert f"%pip install --quiet {package}\n" in install.source
        assert others == nbformat.read(path, as_version=4).cells
