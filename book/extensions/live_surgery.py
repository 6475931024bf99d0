"""A Sphinx extension that lets the reader of a page operate on the shipped network.

A page asks for it with a line of HTML, which JupyterLab and GitHub show as what it
holds, one sentence::

    <div class="live-surgery">Here the book has a network to operate on.</div>

The scripts lie in book/live/surgery, and share files with the pad's in book/live.
"""

import zlib
from pathlib import Path

from live import KINDS, LIVE, PACKAGE, Kind, prepare, write_data
from live_train import SOURCES
from sphinx.application import Sphinx

COUNT = 1000
KINDS["live-surgery"] = Kind(
    label="Operating table",
    module="surgery/surgery.js",
    caption="Here you switch off maps of the network, in a browser with JavaScript and "
    "WebAssembly, once the page is served: make serve does it.",
    picture='surgery.png width="1472" height="2286" alt="The operating table. A drawn '
    "digit, what the network sees and ten bars; below them the 64 maps of a block, "
    "some of them switched off, and for each digit a bar of how far its logit is still "
    'ahead."',
    styles=("surgery/surgery.css",),
)


def copy_surgery(app: Sphinx) -> None:
    """Put the digits into the site's static files."""
    folder = Path(app.outdir, LIVE, "surgery")
    weights = PACKAGE / "weights" / "convnet.safetensors"
    made_of = [weights, *PACKAGE.glob("*.py"), Path(__file__)]
    write_data(folder / "digits.json", made_of, lambda: write_all(folder))


def write_all(folder: Path) -> dict[str, object]:
    """Write the digits, compressed without loss.

    Returns:
        What digits.json holds: how many digits they are and whose; ten strokes to
        draw; block after block, the maps' size and each one's mean over these digits.
    """
    # Takes seconds, and most builds need none of it.
    from mnistedu.activations import feature_maps
    from mnistedu.checkpoints import load_pretrained
    from mnistedu.data import load
    from mnistedu.models import ConvNet
    from mnistedu.preprocess import normalize
    from mnistedu.strokes import SAMPLES

    model = load_pretrained()
    assert isinstance(model, ConvNet)
    digits = load()
    images, targets = (part[:COUNT] for part in digits.val)
    content = images.numpy().tobytes() + targets.byte().numpy().tobytes()
    (folder / "digits.bin").write_bytes(zlib.compress(content, 9))
    maps = [feature_maps(model, normalize(images), block) for block in model.blocks]
    whose = f"{len(targets):,} validation digits {SOURCES[digits.name]}"
    return {
        "source": f"The digits that are counted are {whose}",
        "train": 0,
        "val": len(targets),
        "samples": [SAMPLES[digit] for digit in range(10)],
        "sizes": [each.shape[1:] for each in maps],
        "means": [each.mean((0, 2, 3)).tolist() for each in maps],
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("live_pad")
    prepare(app, copy_surgery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
