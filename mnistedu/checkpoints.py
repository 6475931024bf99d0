"""Weights on disk: safetensors, which hold numbers and nothing that can run."""

import os
from pathlib import Path

from safetensors.torch import load_model, save_model
from torch import nn

from mnistedu.models import ConvNet

PRETRAINED = Path(__file__).parent / "weights" / "convnet.safetensors"


def save_checkpoint(model: nn.Module, path: str | Path) -> None:
    """Write the model's weights, in one step: the old file or the whole new one."""
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    save_model(model, str(temporary))
    temporary.replace(path)


def load_pretrained() -> ConvNet:
    """The course's own trained network, a ``ConvNet`` of three blocks.

    Returns:
        The network in evaluation mode, on the CPU. ``make weights`` trained it on
        MNIST's training images and prints its test accuracy.
    """
    model = ConvNet()
    load_model(model, PRETRAINED)
    return model.eval()
