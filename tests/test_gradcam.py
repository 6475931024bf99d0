"""Heatmaps agree with Captum, grad-cam and the formulas, and leave no trace."""

import math
import re
import warnings

import pytest
import torch
from captum.attr import (
    GuidedBackprop,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from pytorch_grad_cam import GradCAM, HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load
from mnistedu.gradcam import (
    class_activation_map,
    enlarge,
    grad_cam,
    guided_backprop,
    hires_cam,
    integrated_gradients,
    occlusion,
    saliency,
)
from mnistedu.images import PAPER
from mnistedu.models import MLP, ConvNet
from mnistedu.preprocess import normalize

METHODS = {
    "grad_cam": lambda model, images, c=None: grad_cam(model, images, "blocks", c),
    "hires_cam": lambda model, images, c=None: hires_cam(model, images, "blocks", c),
    "class_activation_map": class_activation_map,
    "saliency": saliency,
    "integrated_gradients": integrated_gradients,
    "guided_backprop": guided_backprop,
    "occlusion": lambda model, images, c=None: occlusion(model, images, c, 7, 7),
}
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


@pytest.fixture(scope="module")
def images():
    """Real digits, of MNIST where it is at hand."""
    return normalize(load().test.images[:64])


@pytest.fixture(scope="module")
def classes():
    return torch.randint(10, (64,), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model():
    return load_pretrained()


def scale(heatmaps):
    """Each heatmap to [0, 1]; one without any contrast to 0."""
    low, high = heatmaps.amin((1, 2), True), heatmaps.amax((1, 2), True)
    return ((heatmaps - low) / (high - low)).nan_to_num()


def by_captum(model, images, layer, classes):
    cam = LayerGradCam(model, model.get_submodule(layer))
    maps = cam.attribute(images, classes, relu_attributions=True)
    return LayerAttribution.interpolate(maps, (28, 28), "bilinear")[:, 0].detach()


def assert_equal(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


LAYERS = ["blocks.0", "blocks.1", "blocks.2", "blocks.2.0"]


@pytest.mark.parametrize("layer", LAYERS)
def test_grad_cam_agrees_with_captum(model, images, classes, layer):
    theirs = by_captum(model, images, layer, classes)
    ours = grad_cam(model, images, layer, classes)
    assert_equal(ours, theirs)
    assert_equal(scale(ours), scale(theirs))


@pytest.mark.parametrize("layer", LAYERS)
def test_grad_cam_agrees_with_the_grad_cam_package(model, images, classes, layer):
    targets = [ClassifierOutputTarget(c) for c in classes.tolist()]
    with GradCAM(model, [model.get_submodule(layer)]) as cam:
        theirs = torch.from_numpy(cam(images, targets))
    # It adds 1e-7 before it divides; once more scaled, both are without.
    assert_equal(scale(grad_cam(model, images, layer, classes)), scale(theirs))


def test_saliency_agrees_with_captum(model, images, classes):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Input Tensor 0 did not already")
        theirs = Saliency(model).attribute(images.clone(), classes)
    assert_equal(saliency(model, images, classes), theirs[:, 0])


@pytest.mark.parametrize(("patch", "stride"), [(5, 3), (4, 4), (6, 5), (28, 1)])
def test_occlusion_agrees_with_captum(model, images, classes, patch, stride):
    few, c = images[:6], classes[:6]
    theirs = Occlusion(model).attribute(
        few, (1, patch, patch), (1, stride, stride), PAPER, c
    )
    assert_equal(occlusion(model, few, c, patch, stride), theirs[:, 0])


def test_occlusion_with_its_defaults_agrees_with_captum(model, images):
    theirs = Occlusion(model).attribute(
        images[:1], (1, 5, 5), baselines=PAPER, target=3, perturbations_per_eval=64
    )
    assert_equal(occlusion(model, images[:1], 3), theirs[:, 0])


def test_paper_is_what_a_blank_image_is_normalised_to():
    blank = normalize(torch.zeros(1, 28, 28))
    torch.testing.assert_close(blank, torch.full((1, 1, 28, 28), PAPER))


@pytest.fixture(scope="module")
def flattened():
    return load_pretrained("flattened")


@pytest.mark.parametrize("name", ["convnet", "flattened", "one-block"])
def test_hires_cam_and_the_bias_add_up_to_the_logit(name, images, classes):
    model = load_pretrained(name)
    maps = hires_cam(model, images, "blocks", classes)
    side = 12 if name == "one-block" else 6
    assert maps.shape == (64, side, side)
    logits = model(images).detach().gather(1, classes[:, None])[:, 0]
    sums = maps.sum((1, 2)) + model.head.bias.detach()[classes]
    torch.testing.assert_close(sums, logits, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["convnet", "flattened"])
def test_class_maps_are_hires_cam_of_all_ten_classes(name, images):
    net = load_pretrained(name).eval()
    with torch.no_grad():
        found = net.class_maps(net.blocks(images))
    expected = [hires_cam(net, images, "blocks", c) for c in range(10)]
    torch.testing.assert_close(found, torch.stack(expected, 1), atol=1e-4, rtol=1e-4)


def test_the_answer_has_the_largest_sum_of_all_classes(model, images):
    maps = [hires_cam(model, images, "blocks", c).sum((1, 2)) for c in range(10)]
    logits = torch.stack(maps, 1) + model.head.bias.detach()
    assert torch.equal(logits.argmax(1), model(images).argmax(1))


def test_on_the_means_of_the_maps_all_three_are_one(model, images, classes):
    exact = hires_cam(model, images, "blocks", classes)
    torch.testing.assert_close(class_activation_map(model, images, classes), exact)
    by_exact = enlarge(exact.relu(), (28, 28))
    torch.testing.assert_close(by_exact, grad_cam(model, images, "blocks", classes))


def test_on_a_flattened_head_grad_cam_is_another(flattened, images, classes):
    by_exact = enlarge(hires_cam(flattened, images, "blocks", classes).relu(), (28, 28))
    ours = grad_cam(flattened, images, "blocks", classes)
    assert (by_exact - ours).abs().max() > 0.1


@pytest.mark.parametrize("net", [ConvNet(), MLP()])
def test_a_class_activation_map_asks_for_a_head_on_the_means(net, images):
    with pytest.raises(ValueError, match=re.escape("asks for ConvNet(pooled=True)")):
        class_activation_map(net, images)


@pytest.mark.parametrize("layer", LAYERS)
def test_hires_cam_agrees_with_the_grad_cam_package(flattened, images, classes, layer):
    targets = [ClassifierOutputTarget(c) for c in classes.tolist()]
    with HiResCAM(flattened, [flattened.get_submodule(layer)]) as cam:
        theirs = torch.from_numpy(cam(images, targets))
    ours = enlarge(hires_cam(flattened, images, layer, classes).relu(), (28, 28))
    assert_equal(scale(ours), scale(theirs))


def test_integrated_gradients_agree_with_captum(model, images, classes):
    theirs = IntegratedGradients(model).attribute(
        images[:8], PAPER, classes[:8], n_steps=50
    )
    ours = integrated_gradients(model, images[:8], classes[:8])
    assert_equal(ours, theirs[:, 0].float())


def test_integrated_gradients_add_up_to_the_difference_from_paper(model, images):
    attributions = integrated_gradients(model, images[:8], 3, steps=600)
    blank = torch.full((1, 1, 28, 28), PAPER)
    difference = (model(images[:8]) - model(blank))[:, 3].detach()
    torch.testing.assert_close(attributions.sum((1, 2)), difference, rtol=0, atol=0.05)


def test_guided_backprop_says_where_it_finds_no_relu_to_guide(images):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(784, 10)

        def forward(self, x):
            return self.linear(x.flatten(1)).relu()

    with pytest.raises(ValueError, match=r"nn\.ReLU modules, and this model has none"):
        guided_backprop(Functional(), images)


def test_guided_backprop_agrees_with_captum(model, images, classes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = GuidedBackprop(model).attribute(images.clone(), classes)
    assert_equal(guided_backprop(model, images, classes), theirs[:, 0])


def test_grad_cam_is_the_formula():
    """Two maps of 2x2 places, and a score of which all derivatives are known."""
    head = nn.Linear(8, 10)
    head.weight.data[3] = torch.tensor([1.0, 2, 3, 2, -1, -1, -1, -5])  # α = 2, -2
    conv = nn.Conv2d(1, 2, 1, bias=False)
    conv.weight.data = torch.tensor([1.0, 0.5]).view(2, 1, 1, 1)
    model = nn.Sequential(nn.AvgPool2d(14), conv, nn.Flatten(), head)
    quarters = torch.tensor([[4.0, 1], [0, -1]])  # 2 A_0 - 2 A_1 is the same again
    image = quarters.repeat_interleave(14, 0).repeat_interleave(14, 1)[None, None]
    expected = enlarge(quarters.relu()[None], (28, 28))
    torch.testing.assert_close(grad_cam(model, image, "1", 3), expected)


def test_what_follows_the_target_layer_in_place_changes_no_heatmap(images):
    def build(inplace):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 5), nn.ReLU(inplace), nn.Flatten(), nn.Linear(4 * 576, 10)
        )

    for layer in ("0", "1"):
        expected = grad_cam(build(False), images[:4], layer, 3)
        assert expected.any()
        assert_equal(grad_cam(build(True), images[:4], layer, 3), expected)


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 3])
@each_method
def test_shapes(method, blocks, n):
    model = ConvNet(blocks, pooled=True).eval()
    heatmaps = method(model, torch.randn(n, 1, 28, 28))
    exact = method in (METHODS["hires_cam"], METHODS["class_activation_map"])
    side = (12 if blocks == 1 else 6) if exact else 28
    assert heatmaps.shape == (n, side, side)
    assert heatmaps.dtype == torch.float32 and not heatmaps.requires_grad


@each_method
def test_the_class_is_predicted_one_for_all_or_one_for_each(model, images, method):
    few = images[:4]
    predicted = model(few).argmax(1)
    assert_equal(method(model, few), method(model, few, predicted))
    assert_equal(method(model, few, 3), method(model, few, [3, 3, 3, 3]))
    mixed = method(model, few, (3, 9, 0, 3))
    assert_equal(mixed[1:2], method(model, few[1:2], 9))


@pytest.mark.parametrize("class_idx", [10, -1, [0, 1], [[0, 1, 2]], 1.5, [0, 1, 10]])
@each_method
def test_no_such_class(model, images, method, class_idx):
    sentence = "class_idx is a class from 0 to 9, or one for each image, which are 3"
    with pytest.raises(ValueError, match=sentence):
        method(model, images[:3], class_idx)


@each_method
def test_images_that_are_not_normalised_get_a_sentence(model, method):
    with pytest.raises(ValueError, match=r"takes normalised images, .* it was given"):
        method(model, torch.rand(2, 1, 28, 28))


def test_layer_by_name_or_as_the_module(model, images):
    by_name = grad_cam(model, images, "blocks.1", 4)
    assert torch.equal(by_name, grad_cam(model, images, model.blocks[1], 4))


def test_unknown_layer(model, images):
    with pytest.raises(ValueError, match=r"no layer 'conv1'; its layers are blocks,"):
        grad_cam(model, images, "conv1")


@pytest.mark.parametrize(("net", "layer"), [(ConvNet(), "head"), (MLP(), "1")])
def test_layer_without_maps(images, net, layer):
    with pytest.raises(ValueError, match=r"no feature maps .* choose a convolution"):
        grad_cam(net, images, layer)


@pytest.mark.parametrize(("patch", "stride"), [(5, 0), (5, 6)])
def test_stride_that_leaves_pixels_out(model, images, patch, stride):
    sentence = (
        rf"^stride is from 1 to patch = 5, not {stride}: with any other some pixels "
        r"are never covered\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        occlusion(model, images[:1], patch=patch, stride=stride)


@pytest.mark.parametrize("patch", [29, 40, 0])
def test_a_patch_that_fits_nowhere_gets_a_sentence(model, images, patch):
    with pytest.raises(ValueError, match=f"patch is from 1 to 28, not {patch}"):
        occlusion(model, images[:1], patch=patch)


@each_method
def test_no_images_have_no_heatmaps(model, method):
    heatmaps = method(model, torch.zeros(0, 1, 28, 28))
    assert heatmaps.shape[0] == 0
    assert heatmaps.ndim == 3


@each_method
def test_blank_image(model, method):
    heatmaps = method(model, normalize(torch.zeros(2, 28, 28)))
    assert heatmaps.isfinite().all()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@each_method
def test_inside_no_grad_and_inference_mode(model, images, method, mode):
    expected = method(model, images[:2], 7)
    with mode():
        made_inside, classes = images[:2] + 0, torch.tensor([7, 7])
        assert_equal(method(model, made_inside, 7), expected)
    assert_equal(method(model, made_inside, classes), expected)


@each_method
def test_with_frozen_weights(model, images, method):
    expected = method(model, images[:2], 7)
    assert_equal(method(model.requires_grad_(False), images[:2], 7), expected)


@pytest.mark.parametrize("class_idx", [1, 99])
@each_method
def test_the_model_and_the_images_are_left_as_they_were(method, class_idx):
    model = ConvNet(blocks=2, dropout=0.5, pooled=True).train()
    model.blocks[0].eval().requires_grad_(False)
    images = torch.randn(3, 1, 28, 28, requires_grad=True)
    model(images).sum().backward()

    def state():
        modules = [(m.training, dict(m._forward_hooks)) for m in model.modules()]
        leaves = [*model.parameters(), images]
        flags = [(p.requires_grad, p.grad is None) for p in leaves]
        values = [*leaves, *(p.grad for p in leaves if p.grad is not None)]
        values += model.buffers()
        return modules, flags, [value.detach().clone() for value in values]

    before = state()
    try:
        method(model, images, class_idx)
    except ValueError:
        assert class_idx == 99
    after = state()
    assert after[:2] == before[:2]
    assert all(map(torch.equal, after[2], before[2]))


def test_saliency_is_the_slope_of_the_logit(model, images):
    # Noise, since at equal neighbours max pooling has a kink and no one slope.
    torch.manual_seed(0)
    model, image = model.double(), images[:1].double() + torch.randn(1, 1, 28, 28)
    i, j = 14, 14
    step = torch.zeros_like(image)
    step[0, 0, i, j] = 1e-6
    with torch.no_grad():
        rise = (model(image + step) - model(image - step))[0, 7].item() / 2e-6
    slope = saliency(model, image, 7)[0, i, j].item()
    assert math.isclose(slope, abs(rise), rel_tol=1e-4)


def test_enlarge_stays_between_what_it_is_given():
    heatmaps = torch.rand(2, 6, 6)
    large = enlarge(heatmaps, (28, 30))
    assert large.shape == (2, 28, 30)
    assert (large.amin((1, 2)) >= heatmaps.amin((1, 2))).all()
    assert (large.amax((1, 2)) <= heatmaps.amax((1, 2))).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@each_method
@torch.backends.cudnn.flags(enabled=True, allow_tf32=False)  # of 24 bits, not of 11
def test_on_cuda(model, images, method):
    few = images[:3]
    expected = method(model, few, [3, 5, 8])
    model.cuda()
    for heatmaps in (
        method(model, few, torch.tensor([3, 5, 8])),
        method(model, few.cuda(), torch.tensor([3, 5, 8]).cuda()),
    ):
        torch.testing.assert_close(heatmaps.cpu(), expected, rtol=1e-3, atol=1e-3)
    assert method(model, few.cuda()).device.type == "cuda"


def test_a_layer_without_maps_is_told_by_its_shape(images):
    sentence = (
        "The target layer puts out no feature maps (N, C, h, w) but the shape (64, 10):"
        " choose a convolution or a block of them."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        grad_cam(ConvNet(), images, "head")
