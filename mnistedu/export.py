"""A network and all around it as one ONNX graph, for the book's pages and others.

What runs ONNX can run it, a browser too, without torch and without this package.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim

import mnistedu
from mnistedu.images import MNIST_MEAN, MNIST_STD
from mnistedu.models import ConvNet
from mnistedu.preprocess import center_digit, normalize, shrink
from mnistedu.storage import written_whole

MEANING = {
    "canvas": "Drawn digits in [0, 1], of any size: 0 is paper, 1 is full ink.",
    "centered": "Whether to scale and centre the digits as MNIST's were, or only to "
    "shrink the canvas.",
    "digit": "What the network sees, in [0, 1], before it is normalised.",
    "logits": "A score for each digit from 0 to 9, before the softmax.",
    "maps": "Feature maps of a block, after its ReLU.",
    "class_maps": "What each place of the last maps adds to each class's logit: the "
    "sum over the places and the head's bias are the logit.",
}


def export_onnx(model: nn.Module, path: str | Path, **info: Any) -> None:
    """Write a network, with what comes before and after it, to one .onnx file.

    The graph takes, for any N from 1 and any H and W from 2,

    - ``canvas``: float32 ``(N, 1, H, W)`` in [0, 1]; 0 is paper, 1 is full ink;
    - ``centered``: bool ``()``: whether ``center_digit`` makes the digits, or
      ``shrink``;

    and gives, all float32,

    - ``digit``: ``(N, 1, 28, 28)`` in [0, 1], which it normalises for the network;
    - ``logits``: ``(N, 10)``;
    - ``maps_1``, ``maps_2`` ...: ``(N, C, h, w)``, a ConvNet's blocks in their order;
    - ``class_maps``: ``(N, 10, h, w)``, what ``gradcam.hires_cam`` finds for each
      class in a ConvNet's last block: signed, and exact.

    Args:
        model: a ``ConvNet``, or any network of normalised images ``(N, 1, 28, 28)``
            to logits ``(N, 10)``: without the last two outputs then. It is exported
            in evaluation mode, and left as it was.
        path: the file to write.
        info: what else its metadata should say: text, or anything that JSON can hold.

    Raises:
        ModuleNotFoundError: if onnx or onnxscript is not installed.
        ValueError: if the network cannot be exported for any number of images, or one
            of its operations not at all; or if a weight is not finite.
        OSError: if the file cannot be written.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  (torch.onnx needs it)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "An export needs onnx and onnxscript: install them with `pip install onnx "
            "onnxscript`."
        ) from error

    if not all(weights.isfinite().all() for weights in model.parameters()):
        raise ValueError(
            "The network has weights that are not finite: its training has failed."
        )
    model, outputs, kind = deepcopy(model).cpu(), ["digit", "logits"], _Graph
    if isinstance(model, ConvNet):
        kind = _ConvNetGraph
        outputs += [f"maps_{i + 1}" for i in range(len(model.blocks))] + ["class_maps"]
    sizes = {0: "n", 2: "height", 3: "width"}  # the dimensions that are free
    inputs = torch.zeros(2, 1, 40, 50), torch.tensor(True)
    try:
        with torch.no_grad():
            # Given the model itself, torch.onnx would fall back to a graph for two.
            free = dict.fromkeys(sizes, Dim.DYNAMIC)
            program = torch.export.export(
                kind(model).eval(), inputs, dynamic_shapes=(free, None)
            )
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            "The network cannot be exported: it should take normalised images "
            "(N, 1, 28, 28), for any N, to logits (N, 10). In its forward write "
            "x.flatten(1) or x.shape[0] rather than len(x)."
        ) from error
    try:
        exported = torch.onnx.export(
            program,
            dynamo=True,
            input_names=["canvas", "centered"],
            output_names=outputs,
            dynamic_shapes=(sizes, None),  # here only their names
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ValueError(
            "The network cannot be exported, as it has an operation that ONNX has not: "
            f"{error.__cause__}"
        ) from error
    assert exported is not None  # as it is with dynamo=True
    proto = exported.model_proto
    graph, values = proto.graph, [*proto.graph.input, *proto.graph.output]
    for part in (graph, *graph.node, *graph.initializer, *graph.value_info, *values):
        part.ClearField("metadata_props")  # what torch knew: many paths and names
    for value in values:
        value.doc_string = MEANING[value.name.rstrip("_1234")]
    proto.producer_name, proto.producer_version = "mnistedu", mnistedu.__version__
    info = {
        "mnistedu": mnistedu.__version__,
        "architecture": type(model).__name__,
        "settings": getattr(model, "settings", {}),
        **info,
    }
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in info.items()}
    onnx.helper.set_model_props(proto, texts)
    with written_whole(path) as beside:
        beside.write_bytes(proto.SerializeToString())


def load_onnx(path: str | Path) -> Callable[[Tensor], Tensor]:
    """The network in an ONNX file, such as one that was trained in the book's page.

    Args:
        path: a file whose graph takes ``digit`` ``(N, 1, 28, 28)`` in [0, 1], or what
            ``export_onnx`` writes; and gives ``logits`` ``(N, 10)``.

    Returns:
        A function of normalised images ``(N, 1, 28, 28)`` to logits, on the CPU.

    Raises:
        ModuleNotFoundError: if onnx is not installed.
        FileNotFoundError: if there is no such file.
        ValueError: if it holds no such network.
    """
    try:
        from onnx.reference import ReferenceEvaluator
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "To open an ONNX file needs onnx: install it with `pip install onnx`."
        ) from error

    content = Path(path).read_bytes()
    try:
        graph = ReferenceEvaluator(content)
    except Exception as error:  # of many kinds: it may be anything
        raise ValueError(f"{path} is damaged or no ONNX file.") from error
    inputs, outputs = graph.input_names, graph.output_names
    known = {*inputs} in ({"digit"}, {"canvas", "centered"})
    if not known or "logits" not in outputs:
        raise ValueError(
            f"{path} should hold a network that takes a digit (or canvas and centered) "
            f"and gives logits; it takes {inputs} and gives {outputs}."
        )

    def network(images: Tensor) -> Tensor:
        ink = (images * MNIST_STD + MNIST_MEAN).clamp(0, 1).cpu().numpy()
        parts = {"digit": ink, "canvas": ink, "centered": np.array(False)}
        given = {name: value for name, value in parts.items() if name in inputs}
        (logits,) = graph.run(["logits"], given)
        return torch.from_numpy(logits)

    return network


class _Graph(nn.Module):
    """Canvas to digit and logits, with any network."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, canvas: Tensor, centered: Tensor) -> tuple[Tensor, ...]:
        digit = torch.where(centered, center_digit(canvas), shrink(canvas))
        return digit, *self.look(normalize(digit))

    def look(self, images: Tensor) -> tuple[Tensor, ...]:
        logits = self.model(images)
        if logits.shape[1:] != (10,):
            raise ValueError(f"The network's output has shape {tuple(logits.shape)}.")
        return (logits,)


class _ConvNetGraph(_Graph):
    """The same with a ConvNet, and what it sees."""

    model: ConvNet

    def look(self, images: Tensor) -> tuple[Tensor, ...]:
        maps = [images]
        for block in self.model.blocks:
            maps.append(block(maps[-1]))
        logits = self.model.head(self.model.pool(maps[-1]).flatten(1))
        return logits, *maps[1:], self.model.class_maps(maps[-1])
