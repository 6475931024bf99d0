"""Layers are found and watched, and the model is left exactly as it was."""

import pytest
import torch
from torch import nn

from mnistedu.activations import (
    capture_activations,
    eval_mode,
    feature_maps,
    replace_channels,
)
from mnistedu.models import MLP, ConvNet


@pytest.fixture
def model():
    """A network in training whose first block is frozen in evaluation mode."""
    model = ConvNet(blocks=2, dropout=0.5).train()
    model.blocks[0].eval().requires_grad_(False)
    return model


def state(model):
    """All that looking must not change."""
    return [
        (module.training, len(module._forward_hooks), len(module._forward_pre_hooks))
        for module in model.modules()
    ] + [(p.requires_grad, p.grad) for p in model.parameters()]


def test_eval_mode_reaches_every_module_and_restores_each_one(model):
    before = state(model)
    with eval_mode(model):
        assert not any(module.training for module in model.modules())
    assert state(model) == before


def test_everything_is_restored_after_an_exception(model):
    before = state(model)
    with (
        pytest.raises(ZeroDivisionError),
        eval_mode(model),
        capture_activations(model, "blocks.0", "head"),
    ):
        model(torch.zeros(1, 1, 28, 28))
        1 / 0  # noqa: B018
    assert state(model) == before


def test_captured_is_what_the_layers_put_out(model):
    images = torch.randn(3, 1, 28, 28)
    layers = ("blocks.0", model.blocks[1][0], "head")
    with eval_mode(model), capture_activations(model, *layers) as captured:
        logits = model(images)
    assert list(captured) == list(layers)
    first = model.blocks[0](images)
    torch.testing.assert_close(captured["blocks.0"], first)
    torch.testing.assert_close(captured[layers[1]], model.blocks[1][0](first))
    torch.testing.assert_close(captured["head"], logits)
    slopes = torch.autograd.grad(logits.sum(), captured["head"])[0]
    assert torch.equal(slopes, torch.ones(3, 10))  # it is part of the graph


def test_captured_is_of_the_last_run_in_the_block(model):
    with eval_mode(model), capture_activations(model, "head") as captured:
        model(torch.zeros(1, 1, 28, 28))
        last = model(torch.ones(1, 1, 28, 28))
    model(torch.zeros(2, 1, 28, 28))
    assert torch.equal(captured["head"], last)


def test_a_layer_may_be_asked_for_twice(model):
    before = state(model)
    names = ("head", "head", model.head)
    with capture_activations(model, *names) as captured:
        model(torch.zeros(2, 1, 28, 28))
    assert torch.equal(captured["head"], captured[model.head])
    assert state(model) == before


@pytest.mark.parametrize("layer", ["blocks.2", "", torch.nn.ReLU()])
def test_unknown_layer_gets_a_sentence_with_the_layers_there_are(model, layer):
    before = state(model)
    names = r"its layers are blocks, blocks\.0, blocks\.0\.0, .*, dropout, head\.$"
    with (
        pytest.raises(ValueError, match=f"has no layer .*; {names}"),
        capture_activations(model, "head", layer),
    ):
        pass  # pragma: no cover
    assert state(model) == before


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("blocks.0.0", (24, 24, 24)),
        ("blocks.0", (24, 12, 12)),
        ("blocks.1", (48, 6, 6)),
        ("blocks.2", (96, 6, 6)),
        ("head", (10,)),
    ],
)
def test_feature_maps(layer, shape):
    model = ConvNet().train()
    before = state(model)
    maps = feature_maps(model, torch.randn(5, 1, 28, 28), layer)
    assert maps.shape == (5, *shape)
    assert maps.dtype == torch.float32 and not maps.requires_grad
    assert state(model) == before


def test_feature_maps_are_those_of_evaluation_mode():
    model = ConvNet(blocks=1).train()
    images = torch.randn(4, 1, 28, 28)
    maps = feature_maps(model, images, model.blocks[0])
    torch.testing.assert_close(maps, model.eval().blocks(images))


@pytest.mark.parametrize("wrapped", [torch.no_grad, torch.enable_grad])
def test_what_follows_in_place_changes_nothing(wrapped):
    conv = nn.Conv2d(1, 3, 3)
    model = nn.Sequential(conv, nn.ReLU(inplace=True), nn.Flatten())
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(feature_maps(model, images, "0"), conv(images).detach())
    with wrapped(), capture_activations(model, "0") as captured:
        logits = model(images)
    assert captured["0"].min() < 0 == logits.min()


def test_images_that_are_not_normalised_get_a_sentence():
    with pytest.raises(ValueError, match=r"takes normalised images, .* it was given"):
        feature_maps(MLP(), torch.rand(2, 1, 28, 28), "2")


def test_images_come_to_the_models_precision_and_maps_to_the_images():
    images = torch.randn(2, 1, 28, 28)
    maps = feature_maps(ConvNet().bfloat16(), images, "blocks")
    assert maps.dtype == torch.float32


def test_feature_maps_without_any_weights():
    images = torch.randn(2, 1, 28, 28)
    maps = feature_maps(nn.Sequential(nn.Flatten()), images, "0")
    assert torch.equal(maps, images.flatten(1))


def test_feature_maps_of_an_mlp():
    assert feature_maps(MLP(), torch.zeros(2, 1, 28, 28), "2").shape == (2, 256)


def test_ablating_the_last_maps_takes_their_terms_out_of_the_logits():
    model = ConvNet(blocks=4, pooled=True).eval()
    images = torch.randn(3, 1, 28, 28)
    with torch.no_grad(), replace_channels(model, "blocks.3", [2, 5]):
        ablated = model(images)
    means = feature_maps(model, images, "pool").flatten(1)[:, [2, 5]]
    by_hand = model(images) - means @ model.head.weight[:, [2, 5]].T
    torch.testing.assert_close(ablated, by_hand)


def test_replaced_channels_are_what_the_next_layers_see():
    model = ConvNet(blocks=2).eval()
    four, nine = torch.randn(3, 1, 28, 28), torch.randn(3, 1, 28, 28)
    maps, others = (feature_maps(model, x, "blocks.0") for x in (four, nine))
    maps[:, [1, 4]] = others[:, [1, 4]]
    with torch.no_grad():
        by_hand = model.head(model.blocks[1](maps).flatten(1))
        with replace_channels(model, "blocks.0", [1, 4], others[:, [1, 4]]):
            torch.testing.assert_close(model(four), by_hand)
        maps[:, 7] = 0.5
        by_hand = model.head(model.blocks[1](maps).flatten(1))
        with (
            replace_channels(model, "blocks.0", [1, 4], others[:, [1, 4]]),
            replace_channels(model, model.blocks[0], [7], 0.5),
        ):
            torch.testing.assert_close(model(four), by_hand)


def test_a_tensor_of_means_gives_each_channel_its_own():
    model, images = ConvNet(blocks=1).eval(), torch.randn(2, 1, 28, 28)
    values = torch.tensor([3.0, 4]).view(2, 1, 1)
    with (
        capture_activations(model, "pool") as captured,
        replace_channels(model, "blocks.0", [6, 0], values),
    ):
        model(images)
    assert (captured["pool"][:, 6] == 3).all() and (captured["pool"][:, 0] == 4).all()


def test_no_replacement_outlives_its_block(model):
    before = state(model)
    with (
        pytest.raises(ZeroDivisionError),
        replace_channels(model, "blocks.0", [0]),
    ):
        1 / 0  # noqa: B018
    assert state(model) == before
    with (
        pytest.raises(ValueError, match=r"has no layer 'blocks\.7'"),
        replace_channels(model, "blocks.7", [0]),
    ):
        pass  # pragma: no cover


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_cuda_images_may_lie_elsewhere():
    model = ConvNet().cuda()
    assert feature_maps(model, torch.zeros(1, 1, 28, 28), "blocks").device.type == "cpu"
