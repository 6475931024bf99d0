"""A Sphinx extension for what lives in a page: pads, the trainer, living figures.

A page asks for one with a line of HTML, which JupyterLab and GitHub show as what it
holds, one sentence::

    <div class="live-figure" data-figure="hill">The book has a hill here.</div>

In the site its place is a section, in which book/live/start.js mounts a module. A
figure's module is book/live/figures/<data-figure>.js; live_pad.py and live_train.py
have a kind of their own. To add a figure:

1. Write book/live/figures/<name>.js, which exports ``mount(place)`` and asks for data
   only when the reader reaches for it; ../figure.js and ../draw.js help. What
   ../figure.css does not style goes into book/live/figures/<name>.css, if need be.
   FIGURES, below, names it as book/figures.md does.
2. Put the line of HTML *below* the static figure that it brings to life. That figure
   is what readers without scripts have; paper says where the living one is. So the text
   around it asks for a prediction, and only the card speaks of its controls.
3. Play with it in Chromium, in tests/test_figures.py.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from posixpath import relpath
from typing import Any, NamedTuple

from docutils import nodes
from node_packages import BOOK, copy
from sphinx.application import Sphinx
from sphinx.util import logging

LIVE = "_static/live"
PACKAGE = BOOK.parent / "mnistedu"
WANTING = "for want of MNIST"
ASKED = r'<div class="(live-\w+)"(?: data-(\w+)="(.*?)")?>'

logger = logging.getLogger(__name__)


class Kind(NamedTuple):
    """What lives in a page, and what stands there until it does."""

    label: str  #: its name for screen readers; {} is the figure's
    module: str  #: its script, in book/live
    caption: str  #: what is said where no script runs
    picture: str = ""  #: a file in _static, and the other attributes of its <img>
    values: frozenset[str] = frozenset()  #: the words that its data attribute may hold
    styles: tuple[str, ...] = ()  #: style sheets beside live.css, if there


FIGURES = {
    "drag": "Three readers",
    "heatmap": "Heatmaps of every block",
    "hill": "The hill",
    "neighbours": "Nearest neighbours",
    "threshold": "The limit",
    "window": "The window",
}
KINDS = {
    "live-figure": Kind(
        "{}",
        "figures/{}.js",
        "Here is a figure to play with, in a browser with JavaScript, once the page is "
        "served: make serve does it.",
        values=frozenset(FIGURES),
        styles=("figure.css", "figures/{}.css"),
    )
}


class Place(nodes.General, nodes.Element):
    """The place in a page of what lives there."""


def find_places(app: Sphinx, doctree: nodes.document) -> None:
    """Make places of the lines of HTML that ask for something living."""
    for raw in list(doctree.findall(nodes.raw)):
        asked = re.match(ASKED, raw.astext())
        if not asked:
            continue
        kind, data, value = asked.groups(default="")
        if kind not in KINDS or not KINDS[kind].values.issuperset(value.split()):
            logger.warning("no %s has %r", kind, value, location=raw)
        name = f"live-{value}" if kind == "live-figure" else kind
        raw.replace_self(Place(kind=kind, data=data, value=value, ids=[name]))
        # As MyST notes headings: page.md#live-hill is a link.
        slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
        slugs[name] = raw.line, name, KINDS[kind].label.format(FIGURES.get(value))


def visit(self: Any, node: Place) -> None:
    """Write the place in which start.js mounts the module, and what is there before."""
    kind, value = KINDS[node["kind"]], node["value"]
    names = dict.fromkeys(("live-pad", node["kind"]))  # all are cards, as the pad is
    attributes = f' data-{node["data"]}="{value}"' if node["data"] else ""
    attributes += f' data-module="{kind.module.format(value)}"'
    image = ""
    if kind.picture:
        file, more = kind.picture.split(" ", 1)
        folder = Path(self.builder.current_docname).parent.as_posix()
        image = (
            f'<img src="{relpath(f"_static/{file}", folder)}" loading="lazy" {more}>'
        )
    self.body.append(
        f'<section id="{node["ids"][0]}" class="{" ".join(names)}"{attributes} '
        f'aria-label="{kind.label.format(FIGURES.get(value))}">'
        f"<figure>{image}<figcaption>{kind.caption}</figcaption></figure></section>"
    )
    raise nodes.SkipNode


def add_scripts(
    app: Sphinx, page: str, template: str, context: object, doctree: nodes.document
) -> None:
    """Let the pages in which something lives load what it needs."""
    places = list(doctree.findall(Place)) if doctree else []
    if not places:
        return
    app.add_js_file("live/start.js", loading_method="defer")
    styles = [s.format(p["value"]) for p in places for s in KINDS[p["kind"]].styles]
    for sheet in dict.fromkeys(["live.css", *styles]):
        if (BOOK / "live" / sheet).exists():
            app.add_css_file(f"live/{sheet}")


def copy_scripts(app: Sphinx) -> None:
    """Put the scripts and style sheets into the site's static files."""
    copy(BOOK / "live", ["**/*.js", "**/*.css"], Path(app.outdir, LIVE))


def write_data(
    contents: Path, made_of: Iterable[Path], write: Callable[[], object]
) -> None:
    """Write a file of JSON if it is older than what it is made of, or lacks MNIST."""
    newest = max(path.stat().st_mtime for path in made_of)
    due = not contents.exists() or contents.stat().st_mtime < newest
    if due or (WANTING in contents.read_text("utf-8") and has_mnist()):
        contents.write_text(json.dumps(write()), "utf-8")


@cache
def has_mnist() -> bool:
    """Whether MNIST can be had by now."""
    from mnistedu.data import load  # takes seconds, and most builds do not ask

    try:
        load("mnist")
    except ConnectionError:
        return False
    return True


def prepare(app: Sphinx, write: Callable[[Sphinx], None]) -> None:
    """Call this before the site is built; the book as a file has no use for it."""
    app.connect(
        "builder-inited", lambda app: write(app) if app.builder.name == "html" else None
    )


def setup(app: Sphinx) -> dict[str, bool | int]:
    """Register with Sphinx."""
    app.setup_extension("node_packages")
    app.add_node(Place, html=(visit, None))
    prepare(app, copy_scripts)
    app.connect("doctree-read", find_places)
    app.connect("html-page-context", add_scripts)
    kept = {"parallel_read_safe": True, "parallel_write_safe": True}
    return kept | {"env_version": 3}  # pages read by other versions are read anew
