"""The networks' shapes, sizes and settings."""

import pytest
import torch

from mnistedu.models import MLP, ConvNet


@pytest.mark.parametrize(
    "model",
    [MLP(), MLP(()), *map(ConvNet, (1, 2, 3, 4)), ConvNet(4, pooled=True)],
)
@pytest.mark.parametrize("n", [1, 5])
def test_images_in_logits_out(model, n):
    logits = model.eval()(torch.randn(n, 1, 28, 28))
    assert logits.shape == (n, 10) and logits.dtype == torch.float32


def test_mlp_is_784_256_128_10():
    shapes = [tuple(p.shape) for p in MLP().parameters() if p.ndim == 2]
    assert shapes == [(256, 784), (128, 256), (10, 128)]


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_convnet_has_its_blocks_and_one_linear_layer(blocks, pooled):
    model = ConvNet(blocks, pooled=pooled)
    assert len(model.blocks) == blocks
    images = torch.randn(4, 1, 28, 28)
    model.eval()
    feature_maps = model.blocks(images)
    assert feature_maps.min() >= 0  # rectified
    seen = feature_maps.mean((2, 3)) if pooled else feature_maps.flatten(1)
    head = torch.nn.functional.linear(seen, model.head.weight, model.head.bias)
    torch.testing.assert_close(model(images), head)


@pytest.mark.parametrize("width", [8, 24, 32])
def test_each_block_of_a_convnet_is_as_wide_as_asked_for(width):
    parameters = ConvNet(4, width=width).parameters()
    kernels = [tuple(p.shape) for p in parameters if p.ndim == 4]
    assert kernels == [
        (width, 1, 5, 5),
        (2 * width, width, 5, 5),
        (4 * width, 2 * width, 3, 3),
        (4 * width, 4 * width, 3, 3),
    ]


def test_pooling_first_gives_what_the_usual_order_gives():
    block = ConvNet(1).blocks[0].eval()
    convolution, pool, norm, relu = block
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    images = torch.randn(3, 1, 28, 28)
    usual = pool(relu(norm(convolution(images))))
    torch.testing.assert_close(block(images), usual)


@pytest.mark.parametrize("blocks", [0, 5, "3"])
def test_other_numbers_of_blocks_get_a_sentence(blocks):
    with pytest.raises(ValueError, match="1, 2, 3 or 4 blocks"):
        ConvNet(blocks)
