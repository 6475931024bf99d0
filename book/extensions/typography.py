"""A Sphinx extension: what belongs together stays on one line.

A number and its unit, the two sides of 28 × 28, a formula and the full stop after it,
the two dashes of an option and its name.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

VERBATIM = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)
UNIT = re.compile(
    r"(?<=[\d,])\s+(?=%)|(?<=\d)\s+(?=× \d|min\b)|(?<=\d ×)\s+(?=\d)|(?<=±)\s+"
)
OPTION = re.compile(r"(?:^|\s)--?\w")
NO_BREAK = "\u00a0"


class Together(SphinxPostTransform):
    """Changes the words of a page once their links are resolved."""

    default_priority = 900

    def run(self, **kwargs: Any) -> None:
        """Put no-break spaces, spans around formulas, a class on code with options."""
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, VERBATIM):
                bound = UNIT.sub(NO_BREAK, text)
                if bound != text:
                    text.parent.replace(text, nodes.Text(bound))
        for formula in list(self.document.findall(nodes.math)):
            bind(formula)
        for code in self.document.findall(nodes.literal):
            if OPTION.search(code.astext()):
                code["classes"].append("whole-words")


def bind(formula: nodes.math) -> None:
    """Take in what touches a formula: a bracket before, and punctuation after it."""
    line, at = formula.parent, formula.parent.index(formula)
    bound = nodes.inline(classes=["together"])
    if at and isinstance(line[at - 1], nodes.Text) and line[at - 1].endswith("("):
        line[at - 1] = nodes.Text(line[at - 1][:-1])
        bound += nodes.Text("(")
    bound += formula.deepcopy()
    if at + 1 < len(line) and isinstance(line[at + 1], nodes.Text):
        rest = line[at + 1].lstrip(".,;:!?)")
        bound += nodes.Text(line[at + 1].removesuffix(rest))
        line[at + 1] = nodes.Text(rest)
    if bound.astext() != formula.astext():
        line[at] = bound


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(Together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
