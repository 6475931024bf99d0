"""The exported graph says what torch says, from the canvas to the heatmaps."""

import json
import sys
import warnings
from types import SimpleNamespace

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import mnistedu
from mnistedu.activations import capture_activations
from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load
from mnistedu.export import MEANING, export_onnx, load_onnx
from mnistedu.gradcam import hires_cam
from mnistedu.models import MLP, ConvNet
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import SAMPLES, rasterize

SHIPPED = "convnet", "flattened", "one-block"
INFO = {"trained_on": "MNIST", "test_accuracy": 0.5, "author": "Zoë"}


class Exported(SimpleNamespace):
    """A network, the file it was exported to, and that file in onnxruntime."""

    def __call__(self, canvas: Tensor, centered: bool = True) -> dict[str, Tensor]:
        inputs = {
            "canvas": canvas.numpy(),
            "centered": torch.tensor(centered).numpy(),
        }
        names = [output.name for output in self.session.get_outputs()]
        values = map(torch.from_numpy, self.session.run(None, inputs))
        return dict(zip(names, values, strict=True))


def make(kind: str) -> nn.Module:
    """One of the course's networks, or another whose weights say nothing."""
    if kind in SHIPPED:
        return load_pretrained(kind)
    torch.manual_seed(0)
    model = MLP([32], dropout=0.5) if kind == "mlp" else ConvNet(int(kind), dropout=0.5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
        if isinstance(module, nn.Linear):
            module.weight.data *= 2  # heatmaps well above nothing, on any digits
    return model.eval()


@pytest.fixture(scope="module")
def exported(request, tmp_path_factory):
    """A network of the kind that the test names, exported once for all tests."""
    model = make(request.param)
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(model, path, **INFO)
    session = onnxruntime.InferenceSession(path)
    return Exported(model=model, path=path, session=session)


pretrained = pytest.mark.parametrize("exported", ["convnet"], indirect=True)
each_convnet = pytest.mark.parametrize("exported", [*SHIPPED, "2"], indirect=True)
each_network = pytest.mark.parametrize(
    "exported", ["convnet", "one-block", "2", "mlp"], indirect=True
)


@pytest.fixture(scope="module")
def digits():
    """Real test digits in [0, 1], all 10,000 of MNIST where it is at hand."""
    return load().test.images[:, None] / 255


def by_torch(model: nn.Module, digit: Tensor) -> dict[str, Tensor]:
    """The same outputs, of the package's own functions, but for the heatmaps."""
    blocks = list(model.blocks) if isinstance(model, ConvNet) else []
    with torch.no_grad(), capture_activations(model, *blocks) as captured:
        logits = model(normalize(digit))
    maps = {f"maps_{i}": captured[block] for i, block in enumerate(blocks, start=1)}
    return {"digit": digit, "logits": logits, **maps}


def all_class_maps(model: nn.Module, digit: Tensor) -> Tensor:
    images = normalize(digit)
    return torch.stack([hires_cam(model, images, "blocks", c) for c in range(10)], 1)


def assert_agree(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert torch.equal(ours["logits"].argmax(1), theirs["logits"].argmax(1))
    for name, value in theirs.items():
        # Of values beyond 1 the last digits count for less, as float32 has them.
        scale = max(1, value.abs().max().item())
        atol = 1e-3 if name == "logits" else 1e-4 * scale
        torch.testing.assert_close(ours[name], value, atol=atol, rtol=0)


@pretrained
def test_digits_get_the_answers_that_torch_gives(exported, digits):
    for canvas in digits[:2000].split(1000):
        ours, theirs = exported(canvas), by_torch(exported.model, center_digit(canvas))
        predicted = theirs["logits"].argmax(1)
        assert_agree(ours, theirs)
        class_maps = hires_cam(
            exported.model, normalize(theirs["digit"]), "blocks", predicted
        )
        torch.testing.assert_close(
            ours["class_maps"][range(len(canvas)), predicted],
            class_maps,
            atol=1e-4 * max(1, class_maps.max().item()),
            rtol=0,
        )


@each_network
def test_canvases_of_a_pad(exported, digits):
    samples = torch.cat([rasterize(SAMPLES[digit]) for digit in range(3)])
    enlarged = digits[:20].repeat_interleave(10, 2).repeat_interleave(10, 3)
    canvas = torch.cat([samples, enlarged])
    assert canvas.shape == (23, 1, 280, 280)
    assert_agree(exported(canvas), by_torch(exported.model, center_digit(canvas)))


@each_convnet
def test_class_maps_without_gradients_are_exact_for_every_class(exported, digits):
    canvas = digits[:100]
    expected = all_class_maps(exported.model, center_digit(canvas))
    ours = exported(canvas)
    scale = expected.abs().max().item()
    assert scale > 0.01 and expected.min() < 0
    torch.testing.assert_close(ours["class_maps"], expected, atol=1e-4 * scale, rtol=0)
    logits = ours["class_maps"].sum((2, 3)) + exported.model.head.bias.detach()
    torch.testing.assert_close(logits, ours["logits"], atol=1e-3, rtol=1e-4)


@pretrained
@pytest.mark.parametrize("shape", [(1, 280, 280), (3, 8, 8), (2, 30, 100)])
def test_any_number_of_canvases_of_any_size(exported, shape):
    n, height, width = shape
    torch.manual_seed(0)
    canvas = torch.rand(n, 1, height, width)
    ours = exported(canvas)
    assert ours["class_maps"].shape == (n, 10, 6, 6)
    torch.testing.assert_close(ours["digit"], center_digit(canvas), atol=1e-4, rtol=0)


@each_network
def test_an_empty_canvas_gives_finite_numbers(exported):
    outputs = exported(torch.zeros(1, 1, 280, 280))
    assert not outputs["digit"].any()
    assert all(value.isfinite().all() for value in outputs.values())


@pretrained
def test_without_centring_the_canvas_is_only_shrunk(exported, digits):
    sheet = rasterize(SAMPLES[5])
    shrunk = F.avg_pool2d(sheet, 10)
    assert (shrunk - center_digit(sheet)).abs().max() > 0.5
    for canvas, digit in (
        (sheet, shrunk),
        (digits[:5], digits[:5]),
        (sheet[:, :, :56, :140], F.avg_pool2d(sheet[:, :, :56, :140], (2, 5))),
    ):
        ours = exported(canvas, centered=False)
        torch.testing.assert_close(ours["digit"], digit, atol=1e-5, rtol=0)
        assert_agree(ours, by_torch(exported.model, digit))


@pretrained
def test_sides_that_28_does_not_divide_keep_their_ink(exported):
    canvas = torch.rand(1, 1, 45, 101, generator=torch.Generator().manual_seed(0))
    digit = exported(canvas, centered=False)["digit"]
    assert digit.mean().item() == pytest.approx(canvas.mean().item(), abs=1e-5)


@each_network
def test_the_file_is_valid_small_and_says_what_it_holds(exported):
    onnx.checker.check_model(exported.path, full_check=True)
    assert exported.path.stat().st_size <= 1.3e6
    assert not [*exported.path.parent.glob("*.data")]
    file = onnx.load(exported.path)
    assert file.producer_name == "mnistedu"
    assert file.producer_version == mnistedu.__version__
    said = {entry.key: entry.value for entry in file.metadata_props}
    assert said["mnistedu"] == mnistedu.__version__
    assert said["architecture"] == type(exported.model).__name__
    assert json.loads(said["settings"]) == exported.model.settings
    assert said["trained_on"] == "MNIST" and said["author"] == "Zoë"
    assert json.loads(said["test_accuracy"]) == 0.5
    told = {v.doc_string for v in [*file.graph.input, *file.graph.output]}
    assert told <= {*MEANING.values()} and "" not in told
    assert b"pkg." not in exported.path.read_bytes()  # torch's notes, with its paths


@each_network
def test_the_shapes_are_written_down(exported):
    named = {v.name: v.shape for v in exported.session.get_inputs()}
    assert named == {"canvas": ["n", 1, "height", "width"], "centered": []}
    outputs = exported(torch.zeros(2, 1, 28, 28))
    names = ["digit", "logits"]
    if isinstance(exported.model, ConvNet):
        names += [f"maps_{i + 1}" for i in range(len(exported.model.blocks))]
        names += ["class_maps"]
    assert list(outputs) == names
    for value in exported.session.get_outputs():
        assert value.shape == ["n", *outputs[value.name].shape[1:]]


def test_the_model_is_left_as_it_was_and_nothing_is_printed(tmp_path, capfd):
    model = MLP([16], dropout=0.5).train()
    model[1].eval()
    modes = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_onnx(model, tmp_path / "mlp.onnx")
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_model_on_cuda_stays_there(tmp_path):
    model = MLP([16]).cuda()
    export_onnx(model, tmp_path / "mlp.onnx")
    assert {p.device.type for p in model.parameters()} == {"cuda"}


def test_a_network_whose_training_failed_is_not_exported(tmp_path):
    model = MLP([4])
    model[1].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match="weights that are not finite"):
        export_onnx(model, tmp_path / "mlp.onnx")


class ForTwo(nn.Module):
    """Its len() makes the number of images a constant."""

    def forward(self, images: Tensor) -> Tensor:
        return images.reshape(len(images), -1)[:, :10]


@pytest.mark.parametrize(
    "model",
    [ForTwo(), nn.Flatten(), nn.Sequential(nn.Flatten(), nn.Linear(100, 10))],
    ids=["for two images only", "784 logits", "other images"],
)
def test_what_cannot_be_exported_gets_a_sentence(model, tmp_path):
    with pytest.raises(ValueError, match=r"cannot be exported: it should take"):
        export_onnx(model, tmp_path / "model.onnx")
    assert not any(tmp_path.iterdir())


class Bessel(nn.Module):
    """No operation of ONNX's does this."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.special.bessel_j0(images.flatten(1)[:, :10])


def test_an_operation_that_onnx_lacks_gets_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"an operation that ONNX has not: .*bessel"):
        export_onnx(Bessel(), tmp_path / "model.onnx")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_onnx_a_sentence_says_what_to_install(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match="pip install onnx onnxscript"):
        export_onnx(MLP(), tmp_path / "model.onnx")


@each_network
def test_what_was_written_can_be_opened_again(exported, digits):
    network = load_onnx(exported.path)
    images = normalize(digits[:3])
    with torch.inference_mode():
        theirs = exported.model(images)
    torch.testing.assert_close(network(images), theirs, atol=1e-4, rtol=0)


def test_an_onnx_file_of_something_else_gets_a_sentence(tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(b"no ONNX")
    with pytest.raises(ValueError, match=r"other\.onnx is damaged or no ONNX"):
        load_onnx(path)
    pixels, logits = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [10])
        for name in ("pixels", "logits")
    )
    node = onnx.helper.make_node("Relu", ["pixels"], ["logits"])
    graph = onnx.helper.make_graph([node], "g", [pixels], [logits])
    onnx.save(onnx.helper.make_model(graph), path)
    with pytest.raises(ValueError, match=r"should .* digit .* takes \['pixels'\]"):
        load_onnx(path)
    with pytest.raises(FileNotFoundError):
        load_onnx(tmp_path / "missing.onnx")
