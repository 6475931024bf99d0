"""A Sphinx extension: pages without what their readers would only wait for.

It also mends two marks of the theme's that a screen reader stumbles over, and writes
the site's root.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# What to replace in the finished pages, by what.
FIXES = [
    # 1.5 MB; the icons come from the theme's font as well.
    (r"<script [^>]*fontawesome\.js[^>]*></script>", ""),
    # Its name is what one can read on it.
    (r'(<button class="btn search-button-field[^>]*) aria-label="Search"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # A list whose items are none.
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
]
# The site's root, which leads on to the first page. Jupyter Book would write one that
# names no icon, so that a browser looks for one where none lies.
ROOT = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="_static/{icon}">
<meta http-equiv="refresh" content="0; url={first}">
"""
# For a search in every page, which is turned off; the search page needs them.
SEARCH = r'<script src="[^"]*\b(searchtools|language_data|searchindex)\.js"></script>'


def without_mathjax(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Take MathJax out of a page without formulas; Sphinx looks at its subpages too."""
    if not app.env.get_domain("math").data["has_equations"].get(page):
        scripts = context["script_files"]
        scripts[:] = [s for s in scripts if "mathjax" not in str(s.filename)]


def write_root(app: Sphinx, error: Exception | None) -> None:
    """Write the page that leads on to the first."""
    if app.builder.format == "html":
        first = app.builder.get_target_uri(app.config.root_doc)
        icon = Path(app.config.html_favicon).name
        text = ROOT.format(title=app.config.html_title, icon=icon, first=first)
        Path(app.outdir, "index.html").write_text(text, encoding="utf-8")


def fix(app: Sphinx, error: Exception | None) -> None:
    """Replace, in the finished pages, what FIXES has."""
    for path in Path(app.outdir).rglob("*.html"):
        text = fixed = path.read_text(encoding="utf-8")
        for pattern, replacement in FIXES:
            fixed = re.sub(pattern, replacement, fixed)
        if path.name != "search.html":
            fixed = re.sub(SEARCH, "", fixed)
        if fixed != text:
            path.write_text(fixed, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", without_mathjax, priority=900)  # after it is in
    app.connect("build-finished", write_root)
    app.connect("build-finished", fix)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
