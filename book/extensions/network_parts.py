"""The shipped network in parts, between which a page's reader may change the maps."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F

from mnistedu.models import ConvNet
from mnistedu.preprocess import normalize


class First(nn.Module):
    """The first block, of a digit ``(N, 1, 28, 28)`` in [0, 1]."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, digit: Tensor) -> Tensor:
        return self.block(normalize(digit))


class Next(nn.Module):
    """Another block, of the maps ``(N, C, h, w)`` before it, masked."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return self.block(maps * scale + shift)


class Head(nn.Module):
    """A head on the means of masked maps: logits, and what each place adds to them."""

    def __init__(self, head: nn.Linear) -> None:
        super().__init__()
        self.head = head

    def forward(
        self, maps: Tensor, scale: Tensor, shift: Tensor
    ) -> tuple[Tensor, Tensor]:
        kernels = self.head.weight[:, :, None, None] / maps[0, 0].numel()
        class_maps = F.conv2d(maps * scale + shift, kernels)  # (N, 10, h, w)
        return class_maps.sum((2, 3)) + self.head.bias, class_maps


def write_parts(model: ConvNet, folder: Path) -> list[str]:
    """Export each block of a ConvNet, and its head, to an ONNX file of its own.

    The first takes ``digit``. Each other takes the ``maps`` ``(N, C, h, w)`` of the
    block before, ``scale`` ``(C, 1, 1)`` and ``shift`` ``(C, h, w)``: it goes on with
    ``maps * scale + shift``. A block gives ``next_maps``, the head ``logits`` and
    ``class_maps``.

    Args:
        model: a network whose head sees the means of the maps.
        folder: where the files go.

    Returns:
        The files' names, in the order of the parts.
    """
    assert model.settings["pooled"]
    first, *others = model.blocks
    parts = [First(first), *map(Next, others), Head(model.head)]
    names: list[str] = []
    given: tuple[Tensor, ...] = (torch.rand(2, 1, 28, 28),)
    for part in parts:
        inputs = ["maps", "scale", "shift"] if names else ["digit"]
        last = part is parts[-1]
        exported = torch.onnx.export(
            part.eval(),
            given,
            dynamo=True,
            input_names=inputs,
            output_names=["logits", "class_maps"] if last else ["next_maps"],
            dynamic_shapes=({0: Dim.DYNAMIC}, *[None] * (len(inputs) - 1)),
            verbose=False,
        )
        assert exported is not None  # as it is with dynamo=True
        proto = exported.model_proto
        graph = proto.graph
        values = [*graph.value_info, *graph.input, *graph.output]
        for noted in (graph, *graph.node, *graph.initializer, *values):
            noted.ClearField("metadata_props")  # what torch knew: many paths and names
        names.append(f"part_{len(names)}.onnx")
        (folder / names[-1]).write_bytes(proto.SerializeToString())
        if not last:
            with torch.no_grad():
                maps = part(*given)
            given = maps, torch.rand(maps.shape[1], 1, 1), torch.rand(maps.shape[1:])
    return names
