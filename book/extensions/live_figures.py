"""A Sphinx extension that computes what living figures show, beside their modules.

``threshold``: what the course's network says to each validation digit, and what the
digits look like of which it is least sure.

``heatmap``: ten validation digits, and what each place of each block's maps adds to
each of the ten logits.
"""

import zlib
from functools import partial
from pathlib import Path

from live import LIVE, PACKAGE, prepare, write_data
from live_train import SOURCES
from sphinx.application import Sphinx
from sphinx.util import logging

UNSURE = 120  # digits to look at
STEPS = 1000  # of a logit in 1
FINEST = 32767  # what is farthest from 0 in an int16

logger = logging.getLogger(__name__)


def write_figures(app: Sphinx) -> None:
    """Put the data of the figures into the site's static files."""
    folder = Path(app.outdir, LIVE, "figures")
    weights = PACKAGE.glob("weights/*.safetensors")
    made_of = [*PACKAGE.glob("*.py"), *weights, Path(__file__)]
    for name, write in (("threshold", write_threshold), ("heatmap", write_heatmap)):
        write_data(folder / f"{name}.json", made_of, partial(write, folder))


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


def write_heatmap(folder: Path) -> dict[str, object]:
    """Write the exact maps of ten digits, of each block and class, and the digits.

    Returns:
        What heatmap.json holds: how many places the maps of each block have in a row,
        how much one step of their numbers is worth, and the logits and the biases.
    """
    import torch

    from mnistedu.checkpoints import load_pretrained
    from mnistedu.data import load
    from mnistedu.gradcam import hires_cam
    from mnistedu.preprocess import normalize

    logger.info("computing heatmaps for a figure ...")
    digits, model = load(), load_pretrained()
    raw, targets = (part[:1500] for part in digits.val)
    with torch.no_grad():
        logits = model(normalize(raw))
    sure, answers = logits.softmax(1).max(1)
    sure[answers != targets] = 1  # none that is misread
    chosen = [sure.where(targets == c, 2).argmin().item() for c in range(10)]
    images = normalize(raw[chosen]).repeat_interleave(10, 0)  # each for ten classes
    blocks = [f"blocks.{i}" for i in range(len(model.blocks))]
    maps = [hires_cam(model, images, block, [*range(10)] * 10) for block in blocks]
    step = max(each.abs().max().item() for each in maps) / FINEST
    parts = [(each / step).round().to(torch.int16) for each in maps]
    content = b"".join(part.numpy().tobytes() for part in [*parts, raw[chosen]])
    (folder / "heatmap.bin").write_bytes(zlib.compress(content, 9))
    return {
        "sides": [each.shape[-1] for each in maps],
        "step": step,
        "logits": logits[chosen].tolist(),
        "biases": model.head.bias.tolist(),
        "source": "Of each kind it is the digit of which the course's network is least "
        f"sure, among those of the first {len(raw):,} validation digits that it reads "
        f"correctly. They are {SOURCES[digits.name]}",
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("live")
    prepare(app, write_figures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
