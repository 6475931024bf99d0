"""Whatever people have: photographs, scans, odd formats, and what is no image."""

import io
import random
import time
import tracemalloc
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import nn

from mnistedu import checkpoints, reading
from mnistedu.checkpoints import load_checkpoint, load_pretrained
from mnistedu.preprocess import INK_THRESHOLD, center_digit, normalize
from mnistedu.reading import count_digits, files, read_digit, read_image
from mnistedu.strokes import SAMPLES, rasterize

SEVEN = rasterize(SAMPLES[7])[0, 0].numpy()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey(ink: np.ndarray = SEVEN) -> Image.Image:
    return Image.fromarray((255 * (1 - ink)).round().astype(np.uint8))


def coloured(ink: np.ndarray, pen: tuple[int, ...], paper: tuple[int, ...]) -> Image:
    colours = ink[..., None] * np.array(pen) + (1 - ink[..., None]) * np.array(paper)
    return Image.fromarray(colours.round().astype(np.uint8))


def transparent() -> Image.Image:
    image = Image.new("RGBA", (280, 280), (30, 30, 200, 0))
    image.putalpha(Image.fromarray((255 * SEVEN).astype(np.uint8)))
    return image


def turned() -> bytes:
    """As a phone stores it: lying on its side, with a note on how it was held."""
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = grey().transpose(Image.Transpose.ROTATE_90)
    return encoded(upright, "JPEG", quality=95, exif=exif)


FILES = {
    "grey": encoded(grey(), "PNG"),
    "16 bits": encoded(Image.fromarray(((1 - SEVEN) * 65535).astype(np.uint16)), "PNG"),
    "one bit": encoded(grey().convert("1"), "PNG"),
    "palette": encoded(grey().convert("P"), "PNG"),
    "GIF": encoded(grey(), "GIF"),
    "transparent": encoded(transparent(), "PNG"),
    "transparent WebP": encoded(transparent(), "WEBP", lossless=True),
    "light on dark": encoded(grey(1 - SEVEN), "BMP"),
    "blue on cream": encoded(
        coloured(SEVEN, (20, 30, 140), (250, 240, 220)), "JPEG", quality=95
    ),
    "red on white": encoded(coloured(SEVEN, (220, 30, 30), (255, 255, 255)), "PNG"),
    "CMYK": encoded(grey().convert("RGB").convert("CMYK"), "JPEG", quality=95),
    "TIFF": encoded(grey(), "TIFF", compression="tiff_lzw"),
    "float TIFF": encoded(Image.fromarray(1 - SEVEN), "TIFF"),
    "turned": turned(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_ink(name):
    ink = read_image(FILES[name])
    assert ink.shape == (1, 1, 280, 280) and ink.dtype == torch.float32
    assert ink.min() >= 0 and ink.max() <= 1
    assert (ink[0, 0] - torch.from_numpy(SEVEN)).abs().mean() < 0.02


@pytest.mark.parametrize(
    "source",
    [
        grey(),
        np.asarray(grey()),
        SEVEN,
        SEVEN > 0.5,
        torch.from_numpy(SEVEN).requires_grad_(),
        torch.from_numpy(SEVEN).bfloat16(),
        ((1 - SEVEN) * 65535).astype(np.uint16),
        ((1 - SEVEN) * 65535).astype(">u2"),
        np.asarray(grey().convert("RGBA")),
    ],
    ids=[
        "Pillow",
        "uint8",
        "float",
        "bool",
        "gradient",
        "bfloat16",
        "uint16",
        "big-endian",
        "colours",
    ],
)
def test_images_and_arrays(source):
    ink = read_image(source)
    assert (ink[0, 0] - torch.from_numpy(SEVEN)).abs().mean() < 0.02
    assert read_digit(source).digit == 7


def test_read_digit_gives_what_the_steps_give(tmp_path):
    (tmp_path / "7.png").write_bytes(FILES["grey"])
    model = load_pretrained()
    for source in (tmp_path / "7.png", str(tmp_path / "7.png"), FILES["turned"], SEVEN):
        found = read_digit(source)
        image = center_digit(read_image(source))
        assert torch.equal(found.image, image)
        expected = model(normalize(image)).softmax(1)[0].detach()
        torch.testing.assert_close(found.probabilities, expected)
        assert (found.digit, found.digits_seen) == (7, 1)


def test_read_digit_asks_the_model_that_is_given():
    three = torch.eye(10)[[3]]
    assert read_digit(SEVEN, lambda images: three).digit == 3
    with pytest.raises(ValueError, match=r"ten finite logits.* \(1, 1, 28, 28\)\.$"):
        read_digit(SEVEN, nn.Sequential())  # of no layers, and yet a model


@pytest.mark.parametrize("count", [0, 2])
def test_read_digit_does_not_guess(count):
    found = read_digit(two_digits() if count else Image.new("L", (90, 60), 255))
    assert (found.digit, found.digits_seen) == (None, count)
    assert found.image.shape == (1, 1, 28, 28) and found.image.any() == bool(count)
    assert found.probabilities.tolist() == [0] * 10


def test_read_digit_loads_the_course_network_once(monkeypatch):
    loaded = []

    def load(path):
        loaded.append(path)
        return load_checkpoint(path)

    monkeypatch.setattr(checkpoints, "load_checkpoint", load)
    reading._course_network.cache_clear()
    assert [read_digit(SEVEN).digit, read_digit(SEVEN).digit] == [7, 7]
    assert len(loaded) == 1


def photograph(
    digit: int | None,
    seed: int,
    chalk: bool = False,
    pen: tuple[int, ...] = (35, 40, 110),
    size: int = 340,
    width: int = 12,
    lines: float = 1,
) -> bytes:
    """A page, unevenly lit, with a shadow across it, noise and JPEG's own traces."""
    random_ = np.random.default_rng(seed)
    strokes = SAMPLES[digit] if digit is not None else []
    ink = rasterize(strokes, width)[0, 0].numpy()
    page = np.zeros((1200, 900), np.float32)
    top, left = random_.integers(100, 700), random_.integers(100, 450)
    big = Image.fromarray((ink * 255).astype(np.uint8)).resize((size, size))
    page[top : top + size, left : left + size] = np.asarray(big) / 255
    paper = np.full((1200, 900, 3), [232.0, 226, 214])
    if chalk:
        paper[:], pen = [40, 62, 52], (225, 225, 220)
    for first in range(2):
        paper[first::40] *= lines
    colours = paper + page[..., None] * (np.array(pen) - paper)
    y, x = np.mgrid[0:1200, 0:900]
    light = 0.55 + 0.45 * (x / 900 + y / 1200) / 2
    edge = Image.fromarray(((x + 0.4 * y > 700) * 255).astype(np.uint8))
    shadow = np.asarray(edge.filter(ImageFilter.GaussianBlur(25))) / 255
    colours = colours * light[..., None] * (1 - 0.35 * shadow[..., None])
    colours += random_.normal(0, 4, colours.shape)
    image = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
    return encoded(image, "JPEG", quality=70)


PENS = {
    "pen": {},
    "chalk": {"chalk": True},
    "pencil": {"pen": (150, 150, 150)},
    "small": {"size": 90, "width": 14},
    "small and faint": {"size": 170, "width": 14, "pen": (150, 150, 150)},
    "ruled": {"lines": 0.75},
}


@pytest.mark.parametrize("pen", PENS)
def test_photographs_are_read_right(pen):
    ink = [read_image(photograph(digit, digit, **PENS[pen])) for digit in range(10)]
    images = torch.cat([center_digit(i) for i in ink])
    with torch.inference_mode():
        answers = load_pretrained()(normalize(images)).argmax(1).tolist()
    assert answers == [*range(10)]


def test_a_photographed_page_with_nothing_on_it_is_blank():
    with pytest.raises(ValueError, match="is blank"):
        read_image(photograph(None, 0))


def test_a_small_digit_of_a_scan_is_found():
    page = np.random.default_rng(0).normal(245, 2, (1754, 1240))
    small = np.asarray(grey().resize((40, 40), Image.Resampling.BOX))
    page[300:340, 200:240] -= 245 - np.minimum(small, 245.0)
    ink = read_image(page.clip(0, 255).astype(np.uint8))
    assert (
        center_digit(ink) - center_digit(torch.from_numpy(SEVEN)[None, None])
    ).abs().mean() < 0.05


def test_specks_of_a_scan_do_not_count():
    page = np.asarray(grey()).copy()
    rows, columns = np.random.default_rng(0).integers(0, 280, (2, 30))
    page[rows, columns] = 60
    clean, dirty = center_digit(read_image(grey())), center_digit(read_image(page))
    assert (clean - dirty).abs().mean() < 0.02


def two_digits() -> Image.Image:
    both = np.concatenate([SEVEN[:, 120:], SEVEN[:, 120:]], 1)
    return grey(both)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (b"", "The image is damaged or no image"),
        (b"no image at all", "The image is damaged or no image"),
        (FILES["grey"][:400], "The image is damaged or no image"),
        (FILES["blue on cream"][:700], "The image is damaged or no image"),
        (encoded(Image.new("L", (90, 60), 255), "PNG"), "The image is blank"),
        (encoded(Image.fromarray(-SEVEN), "TIFF"), "The image is damaged or no image"),
        (Image.fromarray(SEVEN * np.nan), "The image is damaged or no image"),
        (Image.new("1", (6000, 5000)), "too many pixels: reduce it to 25 million"),
        (two_digits(), "shows 2 digits: cut out one"),
        (np.zeros((0, 5)), "an array of"),
        (np.zeros(5), "an array of"),
        (np.full((5, 5), np.nan), "between 0 and 1"),
        (np.full((5, 5), 255.0), "between 0 and 1"),
        (np.zeros((5, 5), complex), "an array of"),
    ],
    ids=range(14),
)
def test_bad_input_gets_one_sentence(source, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        read_image(source)
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")


def test_a_bomb_is_refused_before_it_is_decoded():
    header = encoded(Image.new("L", (10, 10)), "BMP")
    huge = (1 << 20).to_bytes(4, "little")
    bomb = header[:18] + huge + huge + header[26:]
    start = time.thread_time()
    with pytest.raises(ValueError, match="too many pixels"):
        read_image(bomb)
    assert time.thread_time() - start < 1


@pytest.mark.parametrize(
    ("kind", "mode", "most"),
    [("PNG", "L", 25), ("JPEG", "L", 65), ("JPEG", "CMYK", 25)],
)
def test_a_photograph_may_have_more_pixels_unless_it_is_for_print(
    monkeypatch, kind, mode, most
):
    assert (files.MOST_PIXELS, files.MOST_PIXELS_JPEG) == (25_000_000, 65_000_000)
    monkeypatch.setattr(files, "MOST_PIXELS", 2500)
    monkeypatch.setattr(files, "MOST_PIXELS_JPEG", 6500)
    for rows, fits in ((most, True), (most + 1, False)):
        image = grey().resize((100, rows)).convert(mode)
        if fits:
            assert read_image(encoded(image, kind)).shape[2:] == (rows, 100)
        else:
            with pytest.raises(ValueError, match="too many pixels"):
                read_image(encoded(image, kind))


def test_of_an_animation_the_first_frame_is_read():
    frames = [grey(), grey(1 - SEVEN)]
    film = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="animated: only its first frame is read") as w:
        ink = read_image(film)
        assert read_digit(film).digit == 7
    assert [warning.filename for warning in w] == [__file__] * 2
    assert (ink[0, 0] - torch.from_numpy(SEVEN)).abs().mean() < 0.02


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no image at .*7\.png"):
        read_image(tmp_path / "7.png")
    with pytest.raises(FileNotFoundError, match="There is no image at"):
        read_image("7" * 5000)


def test_one_digit_in_several_strokes_is_one():
    for strokes in SAMPLES.values():
        assert count_digits(rasterize(strokes)) == 1
    two_pieces = [[(60, 60), (60, 150), (140, 150)], [(190, 40), (190, 250)]]
    assert count_digits(rasterize(two_pieces)) == 1  # a 4 with a gap
    assert count_digits(torch.zeros(1, 1, 280, 280)) == 0


def test_mnist_digits_are_counted(mnist):
    images = mnist.test.images[:2000, None] / 255
    single = [count_digits(image[None]) for image in images]
    assert single.count(1) >= 1995


@pytest.mark.parametrize("gap", [2, 6])
def test_two_mnist_digits_side_by_side_are_two(mnist, gap):
    images = mnist.test.images[:2000, None] / 255
    blank = torch.zeros(1, 28, gap)
    right = 0
    for left, second in zip(images[::20], images[10::20], strict=True):
        inked = [(image[0] > INK_THRESHOLD).any(0) for image in (left, second)]
        pair = torch.cat([left[..., inked[0]], blank, second[..., inked[1]]], 2)
        right += count_digits(pair[None]) == 2
    assert right >= 95


def pixels(height: int, width: int, colour: tuple[int, ...]) -> np.ndarray:
    return np.full((height, width, 3), colour, np.float32)


def grain(seed: int, scale: int, shape: tuple[int, int] = (500, 400)) -> np.ndarray:
    """Noise (H, W, 1) whose hills are as wide as this, about 1 high."""
    noise = np.random.default_rng(seed).normal(0, 1, [n // scale + 3 for n in shape])
    hills = Image.fromarray(noise.astype(np.float32)).resize(shape[::-1])
    return np.asarray(hills)[..., None]


WHITE, BLUE, BLACK, BROWN = (245, 244, 240), (30, 50, 150), (25, 25, 25), (120, 80, 50)


def page(
    digit: int | None,
    height: int = 500,
    width: int = 400,
    lines: int = 0,
    pen: tuple[int, ...] = BLUE,
) -> np.ndarray:
    """A page with a digit on it, squared if ``lines`` says how thick."""
    paper = pixels(height, width, WHITE)
    for first in range(lines):
        paper[first::40] = paper[:, first::40] = 120, 150, 210
    if digit is None:
        return paper
    size = int(0.7 * min(height, width))
    ink = Image.fromarray(rasterize(SAMPLES[digit])[0, 0].numpy()).resize((size, size))
    ink = np.asarray(ink)[..., None]
    top, left = (height - size) // 2, (width - size) // 2
    place = np.s_[top : top + size, left : left + size]
    paper[place] += ink * (np.array(pen) - paper[place])
    return paper


def on(desk: np.ndarray, margin: float, paper: Callable[..., np.ndarray]) -> np.ndarray:
    top, left = (int(margin * n) for n in desk.shape[:2])
    height, width = desk.shape[0] - 2 * top, desk.shape[1] - 2 * left
    desk = desk.copy()
    desk[top : top + height, left : left + width] = paper(height, width)
    return desk


def drawn_on(
    image: np.ndarray, draw: Callable[[ImageDraw.ImageDraw], None]
) -> np.ndarray:
    picture = Image.fromarray(image.clip(0, 255).astype(np.uint8))
    draw(ImageDraw.Draw(picture))
    return np.asarray(picture, np.float32)


def camera(image: np.ndarray) -> np.ndarray:
    light = np.linspace(1, 0.7, image.shape[1])[:, None]
    return image * light + 3 * grain(0, 1, image.shape[:2])


WOOD = pixels(500, 400, (150, 105, 65)) + 15 * np.sin(np.arange(400) / 6)[:, None]
UNEVEN = pixels(500, 400, BROWN) + 12 * grain(1, 60) + 6 * grain(2, 8)


def binding(sheet: np.ndarray) -> np.ndarray:
    def holes(d: ImageDraw.ImageDraw) -> None:
        for y in range(10, 500, 30):
            d.ellipse((8, y, 22, y + 14), fill=BLACK)
            d.line((0, y + 7, 15, y + 7), fill=(90, 90, 90), width=4)

    return drawn_on(sheet, holes)


def ruled(sheet: np.ndarray) -> np.ndarray:
    for first in range(10, 500, 34):
        sheet[first : first + 2] = np.minimum(sheet[first : first + 2], 185)
    return sheet


def window(digit: int | None, height: int, width: int) -> np.ndarray:
    content = page(digit, height - 30, width)
    return np.concatenate([pixels(30, width, (60, 60, 64)), content])


def pencil(sheet: np.ndarray, left: int, top: int) -> np.ndarray:
    """A red pencil, no longer than a digit, so that its colours alone tell it."""

    def lie(d: ImageDraw.ImageDraw) -> None:
        d.line((left, top, left, top + 9), BLACK, 3)  # its point
        d.line((left, top + 9, left, top + 31), (215, 180, 130), 7)
        d.line((left, top + 31, left, top + 200), (190, 35, 40), 13)
        d.line((left, top + 200, left, top + 220), (225, 130, 130), 13)  # its rubber

    return drawn_on(sheet, lie)


SCENES = {
    "a scan with black borders": lambda d: np.pad(
        page(d), [(0, 200), (0, 150), (0, 0)]
    ),
    "a drawn desk": lambda d: on(
        pixels(500, 400, (30, 90, 90)), 0.25, partial(page, d)
    ),
    "an uneven desk": lambda d: camera(on(UNEVEN, 0.3, partial(page, d))),
    "a wooden desk": lambda d: camera(on(WOOD, 0.2, partial(page, d))),
    "a light page on a dark desk": lambda d: camera(
        on(pixels(500, 400, BLACK), 0.03, partial(page, d))
    ),
    "a window": lambda d: on(pixels(500, 700, (40, 60, 110)), 0.15, partial(window, d)),
    "a spiral binding": lambda d: camera(binding(page(d))),
    "a form's box": lambda d: drawn_on(
        page(d), lambda b: b.rectangle((40, 90, 360, 410), outline=BLACK, width=4)
    ),
    "squared paper": lambda d: camera(page(d, lines=2)),
    "scanned lines": lambda d: ruled(page(d)),
    "a drawn grid": lambda d: np.pad(
        page(d, lines=3), [(3, 3), (3, 3), (0, 0)], constant_values=244
    ),
    "a pen": lambda d: camera(
        drawn_on(page(d, 500, 800), lambda b: b.line((690, 20, 660, 480), BLACK, 14))
    ),
    "a pencil": lambda d: camera(pencil(page(d, 500, 800), 690, 140)),
    "a finger": lambda d: camera(
        drawn_on(
            page(d, 500, 800),
            lambda b: b.line((680, 300, 830, 420), (200, 150, 120), 70),
        )
    ),
    "a crumb": lambda d: drawn_on(
        page(d), lambda b: b.ellipse((350, 30, 362, 42), fill=BLACK)
    ),
}


@pytest.mark.parametrize("scene", SCENES)
def test_what_lies_around_a_digit_is_left_out(scene):
    images = [center_digit(read_image(shown(SCENES[scene](d)))) for d in range(10)]
    with torch.inference_mode():
        logits = load_pretrained()(normalize(torch.cat(images)))
    assert logits.argmax(1).tolist() == [*range(10)]


def shown(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


def glare() -> np.ndarray:
    y, x = np.mgrid[0:500, 0:400]
    spot = np.exp(-(((x - 150) / 40) ** 2) - ((y - 200) / 60) ** 2)
    return pixels(500, 400, (190, 195, 200)) + 65 * spot[..., None]


def stain() -> np.ndarray:
    y, x = np.mgrid[0:500, 0:400]
    return np.exp(-((x - 150) ** 2 + (y - 180) ** 2) / 2500)[..., None]


BLANKS = {
    "glare": glare(),
    "smears": camera(
        pixels(500, 400, (40, 65, 55)) + 25 * grain(3, 40).clip(0) + 9 * grain(4, 15)
    ),
    "a stain and a scratch": drawn_on(
        page(None) - 90 * stain(), lambda b: b.line((300, 350, 310, 400), BLUE, 7)
    ),
    "granite": camera(pixels(500, 400, (120, 118, 112)) + 22 * grain(6, 4)),
    "cardboard": camera(pixels(500, 400, (185, 145, 100)) + 6 * grain(5, 3)),
    "bare wood": camera(WOOD),
    "a bare desk": camera(UNEVEN),
    "a fold": camera(page(None) * np.where(np.arange(400) < 170, 1, 0.8)[:, None]),
} | {
    name: scene(None)
    for name, scene in SCENES.items()
    if name not in ("a pen", "a finger", "a crumb")
}


@pytest.mark.parametrize("name", BLANKS)
def test_a_page_with_no_digit_gives_none(name):
    with pytest.raises(ValueError, match=r"^The image (is blank|shows (no|ink|many))"):
        read_image(shown(BLANKS[name]))


@pytest.mark.parametrize(
    "cut", [np.s_[:, 150:], np.s_[:, :220], np.s_[150:], np.s_[:300]]
)
def test_a_digit_that_is_cut_off_is_refused(cut):
    for image in (page(2)[cut], camera(page(2))[cut]):
        with pytest.raises(ValueError, match=r"is cut off at its edge: .*\.$"):
            read_image(shown(image))
    tight = page(2)[66:434, 60:340]
    inked = (tight[..., 0] < 150).nonzero()
    box = tuple(slice(i.min(), i.max() + 1) for i in inked)
    assert read_digit(shown(tight[box])).digit == 2


def blob(distance: np.ndarray) -> np.ndarray:
    return 255 * np.clip(distance, 0, 1)[..., None] * np.ones(3)


Y, X = np.mgrid[-200:200, -200:200]
NONSENSE = {
    "a disc": blob(np.hypot(X, Y) > 90),
    "a square": blob(np.maximum(abs(X), abs(Y)) > 90),
    "a spot without sides": blob(np.hypot(X, Y) / 150),
    "a checkerboard": blob((X // 40 + Y // 40) % 2),
    "dots": drawn_on(
        pixels(400, 400, WHITE),
        lambda b: [
            b.ellipse((x, y, x + 12, y + 12), fill=BLACK)
            for x in range(50, 350, 60)
            for y in range(50, 350, 60)
        ],
    ),
    "writing": drawn_on(
        pixels(400, 400, WHITE), lambda b: b.text((40, 150), "one two", BLACK, None)
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_what_no_pen_has_drawn_is_refused(name):
    with pytest.raises(ValueError, match=r"^The image (is|shows) .*\.$"):
        read_image(shown(NONSENSE[name]))


@pytest.mark.parametrize("photo", [False, True])
@pytest.mark.parametrize("where", [(0, 1), (1, 0), (1, 1), (0.4, 1)])
def test_digits_beside_and_above_each_other_are_counted(where, photo):
    """From a gap of a sixteenth of their height."""
    for first, second in ((3, 7), (2, 5), (8, 6), (9, 0)):
        inks = [rasterize(SAMPLES[d], 14)[0, 0] for d in (first, second)]
        inks = [i[i.any(1)][:, i.any(0)].numpy() for i in inks]
        inks = [np.asarray(Image.fromarray(i).resize((110, 160))) for i in inks]
        sheet = np.zeros((500, 400), np.float32)
        sheet[60:220, 60:170] = inks[0]
        top, left = (
            60 + int(w * (n + 10)) for w, n in zip(where, (160, 110), strict=True)
        )
        sheet[top : top + 160, left : left + 110] = inks[1]
        image = pixels(500, 400, WHITE)
        image += sheet[..., None] * (np.array(BLUE) - image)
        found = read_digit(shown(camera(image) if photo else image))
        assert (found.digit, found.digits_seen) == (None, 2)


def test_heic_is_named():
    with pytest.raises(ValueError, match=r"is a HEIC or AVIF file, .* JPEG\.$"):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def test_a_jpeg_of_many_scans_is_refused():
    """Each further scan is a hundred bytes and a pass over all pixels."""
    whole = encoded(Image.new("L", (3000, 3000), 255), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    start = time.process_time()
    with pytest.raises(ValueError, match="is a JPEG file of 306 scans: save it as PNG"):
        read_image(whole[:-2] + 300 * last + whole[-2:])
    assert time.process_time() - start < 0.5
    small = encoded(grey(), "JPEG", progressive=True, quality=95)
    assert read_digit(small).digit == 7


def test_a_large_array_takes_little_memory():
    tracemalloc.start()
    with pytest.raises(ValueError, match="too many pixels"):
        read_image(np.zeros((20_000, 2_000), bool))
    page = np.ones((4_000, 4_000))
    page[1000:3000, 1900:2100] = 0
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    assert read_digit(page).digit == 1
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 100e6


def mutated(files: list[bytes], chance: random.Random) -> bytes:
    """A file that something has happened to; now and then noise of its own."""
    data = bytearray(chance.choice(files))
    what = chance.randrange(6)
    if what == 0:
        return chance.randbytes(chance.randrange(2000))
    if what == 1:
        del data[chance.randrange(len(data)) :]
    elif what == 2:  # the header
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(min(60, len(data)))] = chance.randrange(256)
    elif what == 3:
        other = chance.choice(files)
        cut = chance.randrange(len(data))
        data[cut:] = other[chance.randrange(len(other)) :]
    else:
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def small_files() -> list[bytes]:
    image = grey().resize((40, 40))
    drawing = ImageDraw.Draw(image)
    drawing.line((5, 35, 35, 35), fill=200)
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.asarray(image)
    return [
        *(encoded(image, kind) for kind in ("PNG", "GIF", "BMP", "TIFF", "PPM", "TGA")),
        *(encoded(image.convert(mode), "PNG") for mode in ("1", "P", "LA", "RGBA")),
        encoded(Image.fromarray(pixels.astype(np.uint16) * 257), "PNG"),
        encoded(Image.fromarray(pixels.astype(np.float32)), "TIFF"),
        encoded(image, "JPEG", exif=exif),
        encoded(image.convert("CMYK"), "JPEG"),
        encoded(image.convert("RGB"), "JPEG", progressive=True),
        encoded(image, "WEBP"),
        encoded(image, "TIFF", compression="tiff_lzw"),
        encoded(image, "ICO"),
    ]


def test_any_bytes_give_a_digit_or_a_sentence():
    resource = pytest.importorskip("resource")
    chance = random.Random(0)
    files = small_files()
    read = refused = 0
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10_000):
        data = mutated(files, chance)
        start = time.thread_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ink = read_image(data)
        except ValueError as error:
            assert str(error).startswith("The image ") and str(error).endswith(".")
            refused += 1
        else:
            assert ink.ndim == 4 and ink.any() and ink.isfinite().all()
            digit = center_digit(ink)
            assert digit.shape == (1, 1, 28, 28) and digit.any()
            read += 1
        slowest = max(slowest, time.thread_time() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB
    assert read > 500 and refused > 1000
    assert slowest < 1
    assert grown < 500_000


@pytest.mark.parametrize(
    ("first", "gap", "second", "height", "digits"),
    [
        (20, 6, 20, 100, 2),  # 6 % of the height apart
        (20, 5, 20, 100, 1),
        (1, 6, 1, 85, 2),  # 85 % as high as all
        (1, 6, 1, 84, 1),
        (60, 5, 60, 100, 1),  # 1.25 times as wide as high: one digit may be that
        (60, 5, 61, 50, 2),  # wider: half as high is enough, and any gap
        (60, 5, 61, 49, 1),
    ],
)
def test_where_one_digit_ends_and_two_begin(first, gap, second, height, digits):
    """A bar of 100 rows and another beside it."""
    ink = torch.zeros(1, 1, 120, 150)
    ink[..., 10:110, 10 : 10 + first] = 1
    ink[..., 110 - height : 110, 10 + first + gap : 10 + first + gap + second] = 1
    assert count_digits(ink) == digits
