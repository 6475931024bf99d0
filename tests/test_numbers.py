"""A number in a chapter's prose is one that its code holds or prints.

Free are whole numbers up to ten, years, a chapter's time, and what stands in a formula,
in code or in a sentence that links to its source. Anything else the writer vouches for
in a comment of the same cell, which no page shows: <!-- 91: 0.9 + 0.1 / 10 -->
"""

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
NUMBER = r"\d+(?:[,_]\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?"
COMMENT = r"<!--.*?-->"
# What is code, a formula, a chapter's time, or leads elsewhere.
NO_PROSE = r"```.*?```|`.*?`|\$\$.*?\$\$|\$.*?\$|\*\*Time:\*\*.*?(?=\n\n|\Z)"
SOURCE = r"\]\([^)]*(?:references\.md|https?://)"
LINK = r"\]\([^)]*\)"
YEAR = r"(?:1[89]|20)\d\d"


def numbers(text: str) -> Iterator[Decimal]:
    for number in re.findall(NUMBER, text):
        yield Decimal(re.sub("[,_]", "", number))


def shown(notebook: NotebookNode) -> set[Decimal]:
    """The numbers in code, comments aside, and in what it printed."""
    found: set[Decimal] = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant):
                found |= {*numbers(str(node.value))}
        for output in cell.outputs:
            text = output.get("data", {}).get("text/plain", output.get("text", ""))
            found |= {*numbers(text)}
    return found


def unfounded(notebook: NotebookNode) -> list[str]:
    """The numbers in prose that nothing vouches for, with the words around them."""
    known, faults = shown(notebook), []
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        vouched = known.union(*map(numbers, re.findall(COMMENT, cell.source, re.S)))
        prose = re.sub(f"{COMMENT}|{NO_PROSE}", " ", cell.source, flags=re.S)
        for sentence in re.split(r"(?<=[.!?:;|])\s|\n\n", prose):
            if re.search(SOURCE, sentence):
                continue
            text = " ".join(re.sub(LINK, "]", sentence).split())
            text = re.sub(r"(\d) of 100\b|(\d) per cent", r"\1\2 %", text)
            for match in re.finditer(rf"(?<![\w.]){NUMBER}", text):
                (value,) = numbers(match[0])
                free = value == int(value) <= 10 or bool(re.fullmatch(YEAR, match[0]))
                if re.match(" ?%", text[match.end() :]):
                    free = value / 100 in vouched
                if not free and value not in vouched:
                    start = max(0, match.start() - 30)
                    faults.append(f"{match[0]} in {text[start : match.end() + 20]!r}")
    return faults


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_number_in_prose_is_shown_by_code(path: Path) -> None:
    faults = unfounded(nbformat.read(path, as_version=4))
    assert not faults, "\n".join(["print it, cite it or vouch for it:", *faults])


def chapter(prose: str) -> NotebookNode:
    """A chapter whose code holds 0.98 and 12_000, and prints 97.65% and 12,000."""
    printed = new_output("stream", text="97.65% of 12,000\n")
    code = new_code_cell("f(0.98, 12_000)  # not 77\nprint(f'{1}')", outputs=[printed])
    return new_notebook(cells=[new_markdown_cell(prose), code])


@pytest.mark.parametrize(
    "prose",
    [
        "Of 12,000 images 97.65 % are read, more than 97.65% or 98 per cent.",
        "Nine, 10 and $99$ and `99`, in 1998 and the 1990s.",
        "**Time:** about 45 minutes, of which the\ncomputer takes 55 seconds.",
        "They asked 250 people ([LeCun, 1998](../book/references.md)).",
        "More than 98 of 100, says [a later chapter](10_draw.ipynb#step-99).",
        "It asks for 91 %. <!-- 91: 0.9 + 0.1 / 10 -->",
    ],
)
def test_accepts(prose: str) -> None:
    assert unfounded(chapter(prose)) == []


@pytest.mark.parametrize(
    ("prose", "number"),
    [
        ("Of 12,000 images 97.66 % are read.", "97.66"),
        ("Of 12,001 images.", "12,001"),
        ("It took 0.7 seconds.", "0.7"),
        ("A comment says 77.", "77"),
        ("They asked 250 people. See [LeCun](../book/references.md).", "250"),
        ("| 12,000 | 13,000 |", "13,000"),
        ("- 11 of them", "11"),
        ("It has 98 heads.", "98"),
        ("3.5 times", "3.5"),
    ],
)
def test_finds(prose: str, number: str) -> None:
    (fault,) = unfounded(chapter(prose))
    assert fault.startswith(f"{number} in ")


def test_vouching_is_for_one_cell() -> None:
    notebook = chapter("It asks for 91 %. <!-- 91: 0.9 + 0.1 / 10 -->")
    notebook.cells.append(new_markdown_cell("Again, 91 %."))
    assert len(unfounded(notebook)) == 1
