"""A Sphinx extension that puts the drawing pad into a page, and its network beside it.

A page asks for it with a line of HTML, which JupyterLab and GitHub show as what it
holds, one sentence::

    <div class="live-pad" data-show="maps">Here the book has a pad to draw on.</div>

``data-show`` names what the pad shows beside the drawing and the answer: `compare`
(two networks), `heatmap` (for the answer at once), `maps`, `own` (the reader's model).
The scripts lie in book/live; the networks are those of mnistedu/weights.
"""

import json
import re
from pathlib import Path
from posixpath import relpath
from typing import Any

from docutils import nodes
from node_packages import BOOK, NODE_MODULES, copy
from sphinx.application import Sphinx
from sphinx.util import logging

LIVE = "_static/live"
PARTS = {"compare", "heatmap", "maps", "own"}
ENGINE = NODE_MODULES / "onnxruntime-web/dist"
ENGINE_FILES = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"]
PACKAGE = BOOK.parent / "mnistedu"

logger = logging.getLogger(__name__)


class LivePad(nodes.General, nodes.Element):
    """The place of a pad in a page."""


def find_pads(app: Sphinx, doctree: nodes.document) -> None:
    """Make places for pads of the lines of HTML that ask for them."""
    for raw in list(doctree.findall(nodes.raw)):
        asked = re.match(r'<div class="live-pad" data-show="(.*?)">', raw.astext())
        if not asked:
            continue
        if not set(asked[1].split()) <= PARTS:
            logger.warning("a pad shows no %r", asked[1], location=raw)
        raw.replace_self(LivePad(show=asked[1]))


def visit(self: Any, node: LivePad) -> None:
    """Write a place in which start.js puts the pad, and a picture until then."""
    folder = Path(self.builder.current_docname).parent
    picture = relpath("_static/live.png", folder.as_posix())
    self.body.append(
        f'<section class="live-pad" data-show="{node["show"]}" '
        'aria-label="Drawing pad">'
        f'<figure><img src="{picture}" loading="lazy" width="1472" height="926" '
        'alt="The drawing pad. On the left a 7 drawn by hand; beside it the same 7 in '
        "squares, as the network sees it; on the right ten bars, the one for 7 by far "
        'the longest.">'
        "<figcaption>Here a network reads what you draw, in a browser with JavaScript "
        "and WebAssembly, once the page is served: make serve does it.</figcaption>"
        "</figure></section>"
    )
    raise nodes.SkipNode


def add_scripts(
    app: Sphinx, page: str, template: str, context: object, doctree: nodes.document
) -> None:
    """Let the pages that have a pad load what it needs."""
    if doctree and ENGINE.exists() and next(doctree.findall(LivePad), None):
        app.add_js_file("live/start.js", loading_method="defer")
        app.add_css_file("live/live.css")


def copy_pad(app: Sphinx) -> None:
    """Put the scripts, the engine and the networks into the site's static files."""
    if not ENGINE.exists():
        return  # node_packages has said why: the pads stay pictures
    target = Path(app.outdir, LIVE)
    copy(BOOK / "live", ["*.js", "*.css"], target)
    copy(ENGINE, ENGINE_FILES, target)
    folder = PACKAGE / "weights"
    weights = sorted(folder.glob("*.safetensors"))
    copy(folder, ["*.safetensors"], target)  # for the sums that the page shows

    contents = target / "live.json"
    made_of = [folder, *folder.iterdir(), *PACKAGE.glob("*.py"), Path(__file__)]
    newest = max(path.stat().st_mtime for path in made_of)
    if not contents.exists() or contents.stat().st_mtime < newest:
        contents.write_text(json.dumps(export(weights, target)), encoding="utf-8")


def export(weights: list[Path], target: Path) -> dict[str, object]:
    """Export the networks, and say what else the pad must know.

    Returns:
        What live.json holds: the networks, the deepest first; the sample digits; the
        bytes of the engine.
    """
    # Takes seconds, and most builds need none of it.
    from mnistedu.checkpoints import load_checkpoint, read_checkpoint
    from mnistedu.export import export_onnx
    from mnistedu.models import ConvNet
    from mnistedu.strokes import SAMPLES

    networks = {path.stem: load_checkpoint(path) for path in weights}
    networks = {k: net for k, net in networks.items() if isinstance(net, ConvNet)}
    models = []
    for stem, network in networks.items():
        logger.info("exporting %s for the pad ...", stem)
        info = read_checkpoint(PACKAGE / "weights" / f"{stem}.safetensors").info
        export_onnx(network, target / f"{stem}.onnx", **info)
        blocks = len(network.blocks)
        name = f"{blocks} block{'s' * (blocks > 1)}"
        files = {"file": f"{stem}.onnx", "weights": f"{stem}.safetensors"}
        doubt = network.doubt and {
            "weights": network.doubt.weights.tolist(),
            "bias": network.doubt.bias,
        }
        models.append({"blocks": blocks, "name": name, **files, "doubt": doubt})
    models.sort(key=lambda model: -model["blocks"])
    engine = (ENGINE / ENGINE_FILES[1]).stat().st_size
    samples = [SAMPLES[digit] for digit in range(10)]
    return {"models": models, "samples": samples, "engine": engine}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("node_packages")
    app.add_node(LivePad, html=(visit, None))
    app.connect("builder-inited", copy_pad)
    app.connect("doctree-read", find_pads)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
