"""Weights on disk, and the network that the package ships."""

import torch
from safetensors.torch import load_model

from mnistedu.checkpoints import PRETRAINED, load_pretrained, save_checkpoint
from mnistedu.data import make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import ConvNet


def test_weights_come_back_bit_for_bit(tmp_path):
    model = ConvNet(2)
    path = tmp_path / "weights.safetensors"
    save_checkpoint(model, path)
    again = ConvNet(2)
    load_model(again, path)
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_shipped_network_is_small():
    assert PRETRAINED.stat().st_size <= 600_000


def test_the_shipped_network_reads_mnist(mnist):
    model = load_pretrained()
    assert not model.training
    logits, targets = predict(model, make_loader(mnist.test, batch_size=1000))
    assert accuracy(logits, targets) >= 0.995
