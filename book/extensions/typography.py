"""A Sphinx extension: what belongs together stays on one line.

A number and its unit, the two sides of 28 × 28, a formula and the full stop after it.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

VERBATIM = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)
UNIT = re.compile(r"(?<=[\d,])\s+(?=%)|(?<=\d)\s+(?=× \d)|(?<=\d ×)\s+(?=\d)|(?<=±)\s+")
NO_BREAK = "\u00a0"


class Together(SphinxPostTransform):
    """Changes the words of a page once their links are resolved."""

    default_priority = 900

    def run(self, **kwargs: Any) -> None:
        """Put no-break spaces, and a span around a formula with its punctuation."""
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, VERBATIM):
                bound = UNIT.sub(NO_BREAK, text)
                if bound != text:
                    text.parent.replace(text, nodes.Text(bound))
        for formula in list(self.document.findall(nodes.math)):
            bind(formula)


def bind(formula: nodes.math) -> None:
    """Take in what touches a formula: a bracket before, and punctuation after it."""
    parent = formula.parent
    at = parent.index(formula)
    before, after = (
        str(n) if isinstance(n, nodes.Text) else "" for n in around(parent, at)
    )
    opened = re.search(r"\(?$", before)[0]  # type: ignore[index]  # it may be empty
    closed = re.match(r"[.,;:!?)]*", after)[0]  # type: ignore[index]
    if not opened and not closed:
        return
    words = [nodes.Text(opened), formula.deepcopy(), nodes.Text(closed)]
    if closed:
        parent[at + 1] = nodes.Text(after[len(closed) :])
    parent[at] = nodes.inline("", "", *words, classes=["together"])
    if opened:
        parent[at - 1] = nodes.Text(before[: -len(opened)])


def around(
    parent: nodes.Element, at: int
) -> tuple[nodes.Node | None, nodes.Node | None]:
    """The neighbours of a node, where there are any."""
    before = parent[at - 1] if at else None
    return before, parent[at + 1] if at + 1 < len(parent) else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(Together)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
