"""A Sphinx extension: a page that names a work leads to it, not just to the list.

JupyterLab knows no citations, so a chapter says "Belkin and others, 2019" in a link to
the page of references, and so do all pages. In the site that link goes on to the entry,
which has the BibTeX key for an id: belkin2019, the first author without marks, and the
year.
"""

import re
import unicodedata

from docutils import nodes
from sphinx.application import Sphinx


def key(text: str) -> str:
    """The key of the work that a text names, or nothing."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    named = re.fullmatch(r"((?:[a-z]+ )*\w+)\b.*\b(\d{4})\)?", letters, re.S)
    return "".join(named.groups()).replace(" ", "").lower() if named else ""


def lead_to_works(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Add a work's id to the links that name it."""
    for link in doctree.findall(nodes.reference):
        work = key(link.astext())
        if work and link.get("refuri", "").endswith("references.html"):
            link["refuri"] += f"#{work}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", lead_to_works)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
