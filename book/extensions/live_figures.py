"""A Sphinx extension that computes what living figures show, beside their modules.

``threshold``: what the course's network says to each validation digit, and what the
digits look like of which it is least sure.
"""

import json
import zlib
from pathlib import Path

from live import LIVE, PACKAGE
from live_train import SOURCES
from sphinx.application import Sphinx
from sphinx.util import logging

UNSURE = 120  # digits to look at
STEPS = 1000  # of a logit in 1

logger = logging.getLogger(__name__)


def write_data(app: Sphinx) -> None:
    """Put the data of the figures into the site's static files."""
    folder = Path(app.outdir, LIVE, "figures")
    contents = folder / "threshold.json"
    weights = PACKAGE.glob("weights/*.safetensors")
    made_of = [*PACKAGE.glob("*.py"), *weights, Path(__file__)]
    newest = max(path.stat().st_mtime for path in made_of)
    if not contents.exists() or contents.stat().st_mtime < newest:
        contents.write_text(json.dumps(write_threshold(folder)), "utf-8")


def write_threshold(folder: Path) -> dict[str, object]:
    """Write the logits of all validation digits, their targets, and some images.

    Returns:
        What threshold.json holds: how many digits there are, which of them are shown,
        those of which the network is least sure and all that it misreads, and whose.
    """
    # Takes seconds, and most builds need none of it.
    import torch

    from mnistedu.checkpoints import load_pretrained
    from mnistedu.data import load, make_loader
    from mnistedu.evaluation import predict

    logger.info("reading the validation digits for a figure ...")
    digits = load()
    logits, targets = predict(
        load_pretrained(), make_loader(digits.val, batch_size=500)
    )
    unsure = logits.softmax(1).amax(1).argsort()[:UNSURE]
    mistakes = (logits.argmax(1) != targets).nonzero()[:, 0]
    shown = torch.cat([unsure, mistakes]).unique()
    steps = (logits * STEPS).round().to(torch.int16)
    parts = steps, targets.byte(), digits.val.images[shown]
    content = b"".join(part.numpy().tobytes() for part in parts)
    (folder / "threshold.bin").write_bytes(zlib.compress(content, 9))
    return {
        "digits": len(targets),
        "steps": STEPS,
        "shown": shown.tolist(),
        "source": f"These are the {len(targets):,} validation digits "
        f"{SOURCES[digits.name]} The network is the course's own. It was chosen by "
        "these digits, so that on new ones it is wrong a little more often.",
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("live")
    app.connect("builder-inited", write_data)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
