"""Write the notebooks for Google Colab: `python book/colab.py OWNER/NAME FOLDER`.

A chapter that is opened there finds no mnistedu, so it begins with a cell that installs
it. `.github/workflows/book.yml` keeps these copies in a branch, `colab`, to which the
book's Colab buttons lead.
"""

import json
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
INSTALL = """\
# Colab has no mnistedu of its own. Restart the session if pip asks for it.
%pip install --quiet "mnistedu @ git+https://github.com/{repository}"
from google.colab import output

output.enable_custom_widget_manager()  # for the sliders and the drawing pads"""


def main(repository: str, folder: Path) -> None:
    """Write a copy of each notebook to `folder`/notebooks."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "install",
        "metadata": {},
        "outputs": [],
        "source": INSTALL.format(repository=repository).splitlines(keepends=True),
    }
    target = folder / "notebooks"
    target.mkdir(parents=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        notebook["cells"].insert(0, cell)
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        (target / path.name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
