"""A Sphinx extension that puts MathJax into the site: its pages need no internet."""

from pathlib import Path

from node_packages import NODE_MODULES, copy
from sphinx.application import Sphinx

# The script, its fonts, and the TeX macros that it loads when a formula uses them.
PATTERNS = [
    "tex-mml-chtml.js",
    "output/chtml/fonts/woff-v2/*",
    "input/tex/extensions/*",
]


def copy_mathjax(app: Sphinx) -> None:
    """Copy MathJax into the site's static files."""
    copy(NODE_MODULES / "mathjax/es5", PATTERNS, Path(app.outdir, "_static/mathjax"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("node_packages")
    app.config.mathjax_path = "mathjax/tex-mml-chtml.js"  # beside the pages, in _static
    app.connect("builder-inited", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
