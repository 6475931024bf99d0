"""Weights on disk: safetensors, which hold numbers and nothing that can run.

A checkpoint is one file: the model's ``state_dict`` under its own names, what training
needs to go on under names that begin with ``training/``, and in the header a JSON text
that says what the model is and how far training came.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from mnistedu.doubt import load_doubt
from mnistedu.models import MLP, ConvNet
from mnistedu.storage import save_tensors

PRETRAINED = Path(__file__).parent / "weights" / "convnet.safetensors"
ARCHITECTURES: dict[str, type[MLP | ConvNet]] = {"MLP": MLP, "ConvNet": ConvNet}
TRAINING = "training/"


class Checkpoint(NamedTuple):
    """What a file holds.

    ``weights``: the model's state_dict; ``training``: the other tensors;
    ``info``: the JSON of the header, with ``architecture`` and ``settings``.
    """

    weights: dict[str, Tensor]
    training: dict[str, Tensor]
    info: dict[str, Any]


def save_checkpoint(
    model: nn.Module,
    path: str | Path,
    training: Mapping[str, Tensor] | None = None,
    **info: Any,
) -> None:
    """Write a model's weights: either the whole new file or the one before it.

    Args:
        model: any module, of which ``load_checkpoint`` builds an ``MLP`` and a
            ``ConvNet``. Weights that layers share are written for each.
        path: the file to write. Its folder is made if it is not there.
        training: further tensors to keep, by name.
        info: anything that JSON can hold; the keys of dictionaries come back as texts,
            and tuples as lists.

    Raises:
        OSError: if the file cannot be written; what was there before is kept.
    """
    tensors = dict(model.state_dict())
    tensors |= {TRAINING + name: value for name, value in (training or {}).items()}
    tensors = {  # copies, since no two may share their memory
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in tensors.items()
    }
    info = {
        "architecture": type(model).__name__,
        "settings": getattr(model, "settings", {}),
        **info,
    }
    save_tensors(path, tensors, {"mnistedu": json.dumps(info)})


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a file that ``save_checkpoint`` wrote.

    Raises:
        OSError: if there is no such file, or it may not be read.
        ValueError: if it is truncated, or anything but a checkpoint in safetensors. So
            are pickled ones (``.pt``, ``.pth``), which can run any code when loaded.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no checkpoint at {path}.")
    with Path(path).open("rb"):  # what may not be read is not damaged
        pass
    try:
        with safe_open(path, "pt") as file:
            info = json.loads((file.metadata() or {})["mnistedu"])
            architecture, settings = info["architecture"], info["settings"]
            if not (isinstance(architecture, str) and isinstance(settings, dict)):
                raise ValueError("This header is another program's.")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(
            f"{path} is damaged or is no checkpoint of mnistedu: only whole "
            "safetensors files are read, and never pickled ones."
        ) from error
    training = {
        name.removeprefix(TRAINING): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(TRAINING)
    }
    return Checkpoint(tensors, training, info)


def load_weights(model: nn.Module, checkpoint: Checkpoint) -> None:
    """Copy a checkpoint's weights into a model of the same architecture.

    If the model knew when to doubt, that went with the weights it had (see ``doubt``).

    Raises:
        ValueError: if the model's names or shapes are others, or a weight is not
            finite; it is not changed.
    """
    _refuse_what_does_not_fit(model, checkpoint, "The checkpoint")
    model.load_state_dict(checkpoint.weights)
    if isinstance(model, ConvNet):
        model.doubt = None


def _refuse_what_does_not_fit(
    model: nn.Module, checkpoint: Checkpoint, called: str
) -> None:
    ours = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    theirs = {name: tuple(value.shape) for name, value in checkpoint.weights.items()}
    if ours != theirs:
        name = next(n for n in [*ours, *theirs] if ours.get(n) != theirs.get(n))
        raise ValueError(
            f"{called} holds another network, {checkpoint.info['architecture']} "
            f"{checkpoint.info['settings']}: its {name} has shape "
            f"{theirs.get(name, 'none')}, the model's {ours.get(name, 'none')}."
        )
    for name, value in checkpoint.weights.items():
        if not value.isfinite().all():
            raise ValueError(
                f"{called} has a {name} that is not finite: its training has failed, "
                "perhaps at too high a learning rate."
            )


def load_checkpoint(path: str | Path) -> MLP | ConvNet:
    """Build the network that a file describes, with its weights.

    Returns:
        An ``MLP`` or ``ConvNet`` in evaluation mode, on the CPU. No random numbers are
        drawn for it. The course's own knows when to doubt (see ``doubt``).

    Raises:
        OSError: as ``read_checkpoint``.
        ValueError: as ``read_checkpoint``, and if it is another network, of a later
            version, or has weights that are not finite.
    """
    checkpoint = read_checkpoint(path)
    name, settings = checkpoint.info["architecture"], checkpoint.info["settings"]
    if name not in ARCHITECTURES:
        raise ValueError(
            f"{path} holds a {name}: build it yourself and use load_weights, since "
            "only MLP and ConvNet are known here."
        )
    try:
        with torch.device("meta"):  # shapes alone, until the weights are known to fit
            model = ARCHITECTURES[name](**settings)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(
            f"{path} holds a {name} that this version of mnistedu does not know, with "
            f"the settings {settings}: update the package."
        ) from error
    _refuse_what_does_not_fit(model, checkpoint, str(path))
    # As to_empty and a copy, without sympy, which to_empty imports.
    dtypes = {n: value.dtype for n, value in model.state_dict().items()}
    weights = {n: v.to(dtypes[n], copy=True) for n, v in checkpoint.weights.items()}
    model.load_state_dict(weights, assign=True)
    if isinstance(model, ConvNet):
        model.to(memory_format=torch.channels_last).doubt = load_doubt(path)
    return model.eval()


def load_pretrained(
    name: Literal["convnet", "flattened", "one-block"] = "convnet",
) -> MLP | ConvNet:
    """One of the course's own trained networks.

    Args:
        name: ``"convnet"``, four blocks and a head on the means of the last maps;
            ``"flattened"``, three blocks and a head on all places of them; or
            ``"one-block"``, which is flattened too.

    Returns:
        The network in evaluation mode, on the CPU. ``make weights`` trained it on
        MNIST's training images, digits of other people's pens and some drawn ones.
    """
    return load_checkpoint(PRETRAINED.with_name(f"{name}.safetensors"))
