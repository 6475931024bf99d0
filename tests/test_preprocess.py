"""read_image, center_digit, shrink and normalize."""

import re
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageDraw
from torch import Tensor, nn
from torch.export import Dim

from mnistedu.preprocess import center_digit, normalize, shrink
from mnistedu.reading import read_image
from mnistedu.strokes import rasterize


def drawn(shape: str, size: int, box: tuple[float, float, float, float]) -> Tensor:
    """A filled PIL shape as ink (1, 1, size, size)."""
    image = Image.new("L", (size, size))
    getattr(ImageDraw.Draw(image), shape)(box, fill=255)
    return torch.tensor(list(image.tobytes())).view(1, 1, size, size) / 255


def bounding_box(image: Tensor, threshold: float = 0.25) -> tuple[int, int]:
    """Height and width of what is darker than the threshold in (1, 1, H, W)."""
    rows, columns = (image[0, 0] > threshold).nonzero().T
    return (
        int(rows.max() - rows.min() + 1),
        int(columns.max() - columns.min() + 1),
    )


def centre_of_mass(image: Tensor) -> tuple[float, float]:
    """Row and column of the centre of mass of (1, 1, 28, 28), in pixel indices."""
    position = torch.arange(28.0)
    mass = image[0, 0] / image.sum()
    rows, columns = mass.sum(1) @ position, mass.sum(0) @ position
    return rows.item(), columns.item()


@pytest.mark.parametrize("size", [40, 280, 1000])
@pytest.mark.parametrize("corner", [0.05, 0.4])
def test_longer_side_becomes_20_pixels_and_mass_lies_in_the_middle(size, corner):
    box = [size * f for f in (corner, corner, corner + 0.25, corner + 0.5)]
    image = center_digit(drawn("ellipse", size, box))
    assert image.shape == (1, 1, 28, 28)
    height, width = bounding_box(image)
    assert abs(height - 20) <= 1 and abs(width - 10) <= 1
    assert centre_of_mass(image) == pytest.approx((14, 14), abs=0.02)


def test_scaling_keeps_the_amount_of_ink_and_its_range():
    image = center_digit(drawn("rectangle", 280, (40, 40, 139, 239)))  # 100 x 200
    assert image.min() >= 0 and image.max() <= 1
    assert image.sum().item() == pytest.approx(10 * 20, rel=0.01)


def test_reducing_is_antialiased():
    stripes = torch.zeros(1, 1, 280, 280)
    stripes[:, :, 40:240, 40:240:2] = 1  # every second column: grey from afar
    middle = center_digit(stripes)[0, 0, 8:20, 8:20]
    assert middle.mean().item() == pytest.approx(0.5, abs=0.01)
    assert middle.std() < 0.05


def test_where_it_was_drawn_does_not_matter():
    digit = drawn("ellipse", 280, (10, 20, 90, 150))
    moved = digit.roll((97, 141), dims=(2, 3))
    torch.testing.assert_close(
        center_digit(moved), center_digit(digit), atol=1e-4, rtol=0
    )


def test_how_large_it_was_drawn_hardly_matters():
    small = center_digit(drawn("ellipse", 280, (10, 20, 60, 120)))
    large = center_digit(drawn("ellipse", 280, (20, 10, 145, 260)))
    assert (small - large).abs().mean() < 0.02


def scribble(seed: int) -> Tensor:
    """A few random strokes, somewhere in the upper left 200x200 pixels."""
    torch.manual_seed(seed)
    strokes = [
        [(x, y) for x, y in (30 + 140 * torch.rand(4, 2)).tolist()] for _ in range(3)
    ]
    return rasterize(strokes, width=8 + 20 * torch.rand(()).item())


@pytest.mark.parametrize("seed", range(30))
def test_place_and_size_of_random_ink_do_not_matter(seed):
    """Shifted by whole pixels the same to 1e-4, rescaled to 0.02 on average."""
    ink = scribble(seed)
    image = center_digit(ink)
    right, down = torch.randint(60, (2,)).tolist()
    moved = center_digit(ink.roll((down, right), dims=(2, 3)))
    torch.testing.assert_close(moved, image, atol=1e-4, rtol=0)
    size = int(280 * (0.5 + 1.1 * torch.rand(())))
    scaled = torch.nn.functional.interpolate(
        ink, (size, size), mode="bilinear", antialias=True
    )
    difference = (center_digit(scaled) - image).abs()
    assert difference.mean() < 0.02


def test_blank_ink_gives_a_blank_image():
    image = center_digit(torch.zeros(2, 1, 280, 280))
    assert torch.equal(image, torch.zeros(2, 1, 28, 28))


def test_a_dot_becomes_a_blot_in_the_middle():
    dot = torch.zeros(1, 1, 280, 280)
    dot[0, 0, 3, 270] = 1
    image = center_digit(dot)
    assert image[0, 0, 14, 14] == image.max()
    assert image.max().item() == pytest.approx(1, abs=0.01)


def test_a_thin_one_stays_thin_and_visible():
    image = center_digit(drawn("rectangle", 280, (200, 30, 203, 250)))
    assert bounding_box(image, 0.1) in ((20, 1), (21, 1), (20, 2), (21, 2))
    assert image.max() > 0.15


def test_digits_of_a_batch_do_not_touch_each_other():
    ink = torch.cat(
        [drawn("ellipse", 64, (5, 5, 20, 40)), drawn("ellipse", 64, (30, 8, 60, 20))]
    )
    together = center_digit(ink)
    for i in range(2):
        alone = center_digit(ink[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


def test_empty_batch():
    assert center_digit(torch.zeros(0, 1, 50, 60)).shape == (0, 1, 28, 28)


def test_mnist_hardly_changes(mnist):
    """What was made this way already stays what it is, to within half a pixel."""
    images = mnist.test.images[:500].unsqueeze(1) / 255
    again = center_digit(images)
    assert (again - images).abs().mean() < 0.04
    rows = again.sum(3).squeeze(1) @ torch.arange(28.0) / again.sum((1, 2, 3))
    torch.testing.assert_close(rows, torch.full((500,), 14.0), atol=0.02, rtol=0)


class CenterDigit(torch.nn.Module):
    def forward(self, ink: Tensor) -> Tensor:
        return center_digit(ink)


def test_exports_to_onnx():
    """For any number of canvases of any size."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    sizes = {0: Dim("n"), 2: Dim("height", min=2), 3: Dim("width", min=2)}
    program = torch.onnx.export(
        CenterDigit().eval(),
        (torch.rand(2, 1, 40, 50),),
        dynamo=True,
        dynamic_shapes=({**sizes},),
        verbose=False,
    )
    file = BytesIO()
    program.save(file)
    session = onnxruntime.InferenceSession(file.getvalue())
    (name,) = (node.name for node in session.get_inputs())
    for ink in (scribble(0), torch.rand(3, 1, 8, 8), torch.zeros(1, 1, 30, 20)):
        (image,) = session.run(None, {name: ink.numpy()})
        torch.testing.assert_close(
            torch.from_numpy(image), center_digit(ink), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize(
    "ink",
    [torch.zeros(28, 28), torch.zeros(1, 3, 28, 28), torch.zeros(1, 1, 8, 8).byte()],
)
def test_wrong_ink_gets_a_sentence(ink):
    with pytest.raises(ValueError, match=r"This takes raw digits"):
        center_digit(ink)


def test_normalize_agrees_with_torchvision():
    from torchvision.transforms import v2

    images = torch.randint(0, 256, (7, 1, 28, 28), dtype=torch.uint8)
    expected = v2.functional.normalize(images / 255, [0.1307], [0.3081])
    for given in (images, images.squeeze(1), images / 255):
        result = normalize(given)
        assert result.dtype == torch.float32 and result.shape == (7, 1, 28, 28)
        torch.testing.assert_close(result, expected)


def test_normalize_uses_the_mean_of_mnist(mnist):
    images = normalize(torch.cat([mnist.train.images, mnist.val.images]))
    assert images.mean().item() == pytest.approx(0, abs=1e-3)
    assert images.std().item() == pytest.approx(1, abs=1e-3)


def test_normalize_refuses_other_sizes():
    sentence = (
        "normalize takes images of 28x28 pixels, not (2, 1, 32, 32): center_digit "
        "makes such images of a drawing."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        normalize(torch.zeros(2, 32, 32))


def picture(ink: int, paper: int, opacity: int = 255) -> Image.Image:
    """A bar, 6 x 24 pixels, on 30 x 40, as an image with transparency around it."""
    pixels = np.full((40, 30, 2), (paper, opacity), np.uint8)
    pixels[8:32, 12:18] = ink, 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "image",
    [
        picture(0, 255).convert("L"),
        picture(255, 0).convert("L"),
        picture(60, 200).convert("RGB"),  # pencil on grey paper
        picture(0, 255).convert("P"),
        picture(0, 0, opacity=0),
        picture(255, 255, opacity=0),
        picture(255, 0, opacity=0).convert("RGBA"),
    ],
    ids=[
        "dark on light",
        "light on dark",
        "grey on grey",
        "palette",
        "black on clear",
        "white on clear",
        "white on clear, in colour",
    ],
)
def test_read_image_finds_the_ink_on_any_paper(image, tmp_path):
    image.save(tmp_path / "bar.png")
    expected = torch.zeros(1, 1, 40, 30)
    expected[..., 8:32, 12:18] = 1
    torch.testing.assert_close(read_image(tmp_path / "bar.png"), expected)


def test_read_image_takes_what_lies_around_the_paper_for_paper(tmp_path):
    image = picture(0, 255)
    image.paste((0, 0), (0, 0, 3, 3))  # a rounded corner of a screenshot
    image.save(tmp_path / "bar.png")
    ink = read_image(tmp_path / "bar.png")
    assert ink[..., :8, :].max() == 0 and ink[0, 0, 20, 15] == 1


def test_read_image_turns_a_photo_as_its_camera_says(tmp_path):
    image = picture(0, 255).convert("RGB")
    turned = image.getexif()
    turned[ExifTags.Base.Orientation] = 6  # the camera was held upright
    image.save(tmp_path / "bar.jpg", exif=turned)
    assert read_image(tmp_path / "bar.jpg").shape == (1, 1, 30, 40)


def test_read_image_without_an_image_gets_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no image at .*none\.png"):
        read_image(tmp_path / "none.png")
    for name, content in (("text.png", b"seven"), ("empty.png", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is damaged or no image"):
            read_image(tmp_path / name)
    path = tmp_path / "blank.png"
    for blank in (picture(250, 255), picture(0, 0, opacity=0).crop((0, 0, 9, 9))):
        blank.save(path)
        with pytest.raises(ValueError, match=r"blank\.png is blank"):
            read_image(path)


def test_shrinking_averages_the_pixels_of_a_canvas():
    canvas = torch.rand(2, 1, 280, 56)
    expected = nn.functional.avg_pool2d(canvas, (10, 2))
    torch.testing.assert_close(shrink(canvas), expected)
    small = torch.rand(1, 1, 28, 28)
    torch.testing.assert_close(shrink(small), small)


def test_scipy_is_not_imported_before_an_image_is_read():
    code = "import sys, mnistedu.training; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_digit_of_20_pixels_is_moved_and_nothing_else():
    ink = torch.zeros(2, 1, 50, 60)
    ink[0, 0, 2:22, 30] = 1  # two pixels more, and its mass lies in pixel (12, 30)
    ink[0, 0, [21, 13], [29, 31]] = 1
    ink[1] = ink[0].roll((7, 9), (1, 2)) / 2  # fainter, elsewhere
    moved = torch.zeros(1, 28, 28)
    moved[0, 4:24, 14] = 1
    moved[0, [23, 15], [13, 15]] = 1
    torch.testing.assert_close(center_digit(ink), torch.stack([moved, moved / 2]))


def test_no_ink_is_darker_than_full():
    # Weights for a step of 1.05 pixels add up to 1.04 where they meet its pixels.
    assert center_digit(torch.ones(1, 1, 21, 21)).max() == 1


@pytest.mark.parametrize("darkness", [1, 0.25])
def test_a_dot_is_enlarged_twenty_times_at_most(darkness):
    dot = torch.zeros(1, 1, 9, 9)
    dot[0, 0, 3, 2] = darkness
    slope = 1 - (torch.arange(28) - 14).abs() / 20
    expected = darkness * slope[:, None] * slope
    torch.testing.assert_close(center_digit(dot)[0, 0], expected)


def test_doubles_are_shrunk_as_doubles():
    canvas = torch.rand(1, 1, 56, 84, dtype=torch.float64)
    torch.testing.assert_close(shrink(canvas), nn.functional.avg_pool2d(canvas, (2, 3)))
