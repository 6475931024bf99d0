"""A Sphinx extension that puts the drawing pad into a page, and its network beside it.

A page asks for it with a line of HTML, which JupyterLab and GitHub show as what it
holds, one sentence::

    <div class="live-pad" data-show="maps">Here the book has a pad to draw on.</div>

``data-show`` names what the pad shows beside the drawing and the answer: `compare`
(two networks), `heatmap` (for the answer at once), `maps`, `own` (the reader's model).
The scripts lie in book/live; the networks are those of mnistedu/weights.
"""

from pathlib import Path

from live import KINDS, LIVE, PACKAGE, Kind, prepare, write_data
from node_packages import NODE_MODULES, copy
from sphinx.application import Sphinx

ENGINE = NODE_MODULES / "onnxruntime-web/dist"
ENGINE_FILES = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"]
KINDS["live-pad"] = Kind(
    label="Drawing pad",
    module="pad.js",
    caption="Here a network reads what you draw, in a browser with JavaScript and "
    "WebAssembly, once the page is served: make serve does it.",
    picture='live.png width="1472" height="1118" alt="The drawing pad. On the left a 7 '
    "drawn by hand; beside it the same 7 in squares, as the network sees it; on the "
    'right ten bars, the one for 7 by far the longest."',
    values=frozenset({"compare", "heatmap", "maps", "own"}),
)


def copy_pad(app: Sphinx) -> None:
    """Put the networks, and an engine for others, into the site's static files."""
    target = Path(app.outdir, LIVE)
    copy(ENGINE, ENGINE_FILES, target)  # nothing, if npm could not fetch it
    folder = PACKAGE / "weights"
    copy(folder, ["*.safetensors"], target)

    made_of = [folder, *folder.iterdir(), *PACKAGE.glob("*.py"), Path(__file__)]
    weights = sorted(folder.glob("*.safetensors"))
    write_data(target / "live.json", made_of, lambda: describe(weights))


def describe(weights: list[Path]) -> dict[str, object]:
    """What live.json holds.

    Returns:
        The networks, the deepest first; the sample digits.
    """
    # Takes seconds, and most builds need none of it.
    from mnistedu.checkpoints import load_checkpoint
    from mnistedu.models import ConvNet
    from mnistedu.strokes import SAMPLES

    networks = {path.stem: load_checkpoint(path) for path in weights}
    networks = {k: net for k, net in networks.items() if isinstance(net, ConvNet)}
    models = []
    for stem, network in networks.items():
        blocks = len(network.blocks)
        name = f"{blocks} block{'s' * (blocks > 1)}"
        file = f"{stem}.safetensors"
        doubt = network.doubt and {
            "weights": network.doubt.weights.tolist(),
            "bias": network.doubt.bias,
        }
        models.append({"blocks": blocks, "name": name, "file": file, "doubt": doubt})
    models.sort(key=lambda model: -model["blocks"])
    samples = [SAMPLES[digit] for digit in range(10)]
    return {"models": models, "samples": samples}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("live")
    prepare(app, copy_pad)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
