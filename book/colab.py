"""Write the notebooks for Colab: `python book/colab.py OWNER/NAME COMMIT FOLDER`.

A chapter that is opened there finds no mnistedu, so it begins with a cell that installs
the one of its own commit; and nothing lies beside it, so its links lead to Colab and
GitHub.
`.github/workflows/book.yml` keeps these copies in a branch, `colab`, to which the
book's Colab buttons lead.
"""

import json
import re
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
INSTALL = """\
# Colab has no mnistedu of its own. Restart the session if pip asks for it.
%pip install --quiet "mnistedu @ git+https://github.com/{repository}@{commit}"
from google.colab import output

output.enable_custom_widget_manager()  # for the sliders and the drawing pads"""


def lead_out(source: str, repository: str) -> str:
    """Let the links of a cell lead to other chapters on Colab, or to GitHub."""
    colab = (
        f"https://colab.research.google.com/github/{repository}/blob/colab/notebooks/"
    )
    github = f"https://github.com/{repository}"
    source = re.sub(r"\]\((\w+\.ipynb)", rf"]({colab}\1", source)
    source = re.sub(r"\]\(\.\./(\S+\.png)\)", rf"]({github}/raw/main/\1)", source)
    return source.replace("](../", f"]({github}/blob/main/")


def main(repository: str, commit: str, folder: Path) -> None:
    """Write a copy of each notebook to `folder`/notebooks."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "install",
        "metadata": {},
        "outputs": [],
        "source": INSTALL.format(repository=repository, commit=commit).splitlines(True),
    }
    target = folder / "notebooks"
    target.mkdir(parents=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        for each in notebook["cells"]:
            if each["cell_type"] == "markdown":
                text = lead_out("".join(each["source"]), repository)
                each["source"] = text.splitlines(keepends=True)
        notebook["cells"].insert(0, cell)
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        (target / path.name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
