"""Looking at what a network's layers put out, changing it, and leaving no trace.

A layer is given by its name, as in ``model.named_modules()`` (``"blocks.0"`` is a
ConvNet's first block), or as the module itself (``model.blocks[0]``). What is no layer
of the model is a ValueError, which names those that are.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from mnistedu.images import check_normalized

Layer = str | nn.Module


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode for as long as the ``with`` block runs.

    Afterwards every module is in its own mode again, also after an exception: a
    part that was frozen in evaluation mode while the rest was training stays so.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def capture_activations(
    model: nn.Module, *layers: Layer
) -> Iterator[dict[Layer, Tensor]]:
    """Keep what the layers put out whenever the model runs in the ``with`` block.

    ::

        with capture_activations(model, "blocks.0", "blocks.1") as captured:
            logits = model(images)
        captured["blocks.0"].shape  # (N, 24, 12, 12)

    Args:
        model: the network. No hook stays after the block, nor after an exception.
        layers: those to watch.

    Yields:
        A dictionary from each layer, as it was given, to its last output: part of the
        run's graph, so that gradients can be taken to it, and not changed by what
        follows in place, as ReLU may.
    """
    captured: dict[Layer, Tensor] = {}

    def keep(layer: Layer, _module: nn.Module, _in: object, output: Tensor) -> Tensor:
        captured[layer] = output
        return output.clone()  # with which the model goes on

    with ExitStack() as hooks:
        for layer in layers:
            module = _find_layer(model, layer)
            # A hook's handle is a context manager that removes the hook.
            hooks.enter_context(module.register_forward_hook(partial(keep, layer)))
        yield captured


@contextmanager
def replace_channels(
    model: nn.Module, layer: Layer, channels: Sequence[int], values: Tensor | float = 0
) -> Iterator[None]:
    """Replace channels of what a layer puts out, for as long as the block runs.

    With one number for ``values`` this is an ablation: the channels say nothing any
    more. With what the same channels put out for other images it is activation
    patching (Vig and others, 2020)::

        with replace_channels(model, "blocks.1", [7], maps_of_a_nine[:, [7]]):
            logits = model(a_four)

    Args:
        model: the network. No hook stays after the block, nor after an exception.
        layer: one that puts out ``(N, C, ...)``.
        channels: which of the C to replace.
        values: what to put in their place: one number, or a tensor that broadcasts to
            ``(N, len(channels), ...)``.
    """

    def replace(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, list(channels)] = torch.as_tensor(values).to(output)
        return output

    with _find_layer(model, layer).register_forward_hook(replace):
        yield


def _find_layer(model: nn.Module, layer: Layer) -> nn.Module:
    _, *others = model.named_modules()  # the first is the model itself
    for name, module in others:
        if layer is module or layer == name:
            return module
    asked = repr(layer) if isinstance(layer, str) else f"this {type(layer).__name__}"
    names = ", ".join(name for name, _ in others)
    raise ValueError(f"The model has no layer {asked}; its layers are {names}.")


def to_model(images: Tensor, model: nn.Module) -> Tensor:
    """Normalised images, on the device and in the precision of a model's weights.

    Raises:
        ValueError: if they are no normalised images (see ``images``).
    """
    weight = next(model.parameters(), torch.empty(0))  # without any: on the CPU
    return check_normalized(images).to(weight.device, weight.dtype)


def feature_maps(model: nn.Module, images: Tensor, layer: Layer) -> Tensor:
    """Run images through a model and return what one of its layers puts out.

    Args:
        model: the network. It runs in evaluation mode and is left as it was.
        images: normalised images ``(N, 1, 28, 28)``.
        layer: the one to look at.

    Returns:
        The feature maps ``(N, C, H, W)`` of a convolution or a block of them, or
        whatever else the layer puts out; detached, on the device and in the precision
        of the images.

    Raises:
        ValueError: if these are no normalised images.
    """
    with (
        torch.no_grad(),
        eval_mode(model),
        capture_activations(model, layer) as captured,
    ):
        model(to_model(images, model))
    return captured[layer].to(images)
