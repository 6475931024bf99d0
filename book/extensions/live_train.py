"""A Sphinx extension that puts the trainer into a page, and its digits beside it.

A page asks for it with a line of HTML, which JupyterLab and GitHub show as what it
holds, one sentence::

    <div class="live-train">Here the book has a network to train.</div>

The scripts lie in book/live/train, and share files with the pad's in book/live.
"""

import json
import re
import zlib
from pathlib import Path
from posixpath import relpath
from typing import Any

from docutils import nodes
from live_pad import LIVE, PACKAGE
from node_packages import BOOK, copy
from sphinx.application import Sphinx
from sphinx.util import logging

TRAIN, VAL = 10_000, 2_000
SOURCES = {
    "MNIST": "of MNIST, by Y. LeCun, C. Cortes and C. J. C. Burges, under the licence "
    "CC BY-SA 3.0.",
    "scikit-learn's digits": "that come with scikit-learn, by E. Alpaydin and "
    "C. Kaynak, under the licence CC BY 4.0: MNIST could not be had when this page was "
    "made, so figures differ from the text.",
}

logger = logging.getLogger(__name__)


class LiveTrain(nodes.General, nodes.Element):
    """The place of the trainer in a page."""


def find_places(app: Sphinx, doctree: nodes.document) -> None:
    """Make places for the trainer of the lines of HTML that ask for it."""
    for raw in list(doctree.findall(nodes.raw)):
        if re.match(r'<div class="live-train">', raw.astext()):
            raw.replace_self(LiveTrain())


def visit(self: Any, node: LiveTrain) -> None:
    """Write a place in which start.js puts the trainer, and a picture until then."""
    folder = Path(self.builder.current_docname).parent
    picture = relpath("_static/train.png", folder.as_posix())
    self.body.append(
        '<section class="live-pad live-train" aria-label="Trainer">'
        f'<figure><img src="{picture}" loading="lazy" width="1472" height="1662" '
        'alt="The trainer. Two charts in which the loss of training and validation '
        "digits falls and their accuracy rises; below them the weights of 128 neurons "
        "as small images, blue and red strokes; on the right sliders for the learning "
        'rate and the other settings.">'
        "<figcaption>Here you train a network, in a browser with JavaScript, once the "
        "page is served: make serve does it.</figcaption>"
        "</figure></section>"
    )
    raise nodes.SkipNode


def add_scripts(
    app: Sphinx, page: str, template: str, context: object, doctree: nodes.document
) -> None:
    """Let the pages that have a trainer load what it needs."""
    if doctree and next(doctree.findall(LiveTrain), None):
        app.add_js_file("live/start.js", loading_method="defer")
        app.add_css_file("live/live.css")
        app.add_css_file("live/train/train.css")


def copy_trainer(app: Sphinx) -> None:
    """Put the scripts and the digits into the site's static files."""
    target = Path(app.outdir, LIVE)
    own = ["*.js", "*.css", "train/*.js", "train/*.css"]
    copy(BOOK / "live", own, target)
    contents = target / "train" / "digits.json"
    made_of = [PACKAGE / "data.py", PACKAGE / "strokes.py", Path(__file__)]
    newest = max(path.stat().st_mtime for path in made_of)
    if not contents.exists() or contents.stat().st_mtime < newest:
        contents.write_text(json.dumps(write_digits(target / "train")), "utf-8")


def write_digits(folder: Path) -> dict[str, object]:
    """Write the digits, compressed without loss: first all images, then all targets.

    Returns:
        What digits.json holds: how many they are, whose, and ten strokes to draw.
    """
    # Takes seconds, and most builds need none of it.
    from mnistedu.data import Split, load
    from mnistedu.strokes import SAMPLES

    logger.info("writing digits for the trainer ...")
    digits = load()
    train = Split(*(part[:TRAIN] for part in digits.train))
    val = Split(*(part[:VAL] for part in digits.val))
    parts = train.images, val.images, train.targets.byte(), val.targets.byte()
    content = b"".join(part.numpy().tobytes() for part in parts)
    (folder / "digits.bin").write_bytes(zlib.compress(content, 9))
    whose = (
        f"{len(train.targets):,} training and {len(val.targets):,} validation digits"
    )
    return {
        "source": f"These are {whose} {SOURCES[digits.name]}",
        "train": len(train.targets),
        "val": len(val.targets),
        "samples": [SAMPLES[digit] for digit in range(10)],
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_node(LiveTrain, html=(visit, None))
    app.connect("builder-inited", copy_trainer)
    app.connect("doctree-read", find_places)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
