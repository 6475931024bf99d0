from io import BytesIO

import pytest
import torch
from PIL import Image

from mnistedu.pad.pictures import LINES, encode, mosaic, overlay


@pytest.mark.parametrize("shape", [(28, 28), (5, 7, 3)])
def test_a_file_holds_the_pixels(shape):
    pixels = torch.rand(shape)
    with Image.open(BytesIO(encode(pixels))) as image:
        assert image.mode == ("L" if len(shape) == 2 else "RGB")
        stored = torch.tensor(list(image.tobytes())).view(shape)
    torch.testing.assert_close(stored / 255, pixels, atol=0.51 / 255, rtol=0)


def test_a_jpeg_looks_like_its_pixels():
    pixels = overlay(torch.rand(28, 28), torch.randn(6, 6), 3.0)
    with Image.open(BytesIO(encode(pixels, "jpeg"))) as picture:
        stored = torch.tensor(list(picture.tobytes())).view(pixels.shape) / 255
    assert (stored - pixels).abs().mean() < 0.01


def test_a_mosaic_holds_each_map_and_lines_between():
    maps = torch.rand(5, 4, 6)
    tiles = mosaic(maps, columns=3)
    assert tiles.shape == (2 * 4 + 1, 3 * 6 + 2, 3)
    for i, map_ in enumerate(maps):
        row, column = divmod(i, 3)
        tile = tiles[5 * row : 5 * row + 4, 7 * column : 7 * column + 6]
        assert torch.equal(tile, (1 - map_)[:, :, None].expand(-1, -1, 3))
    assert (tiles[4] == LINES).all() and (tiles[:, [6, 13]] == LINES).all()
    assert (tiles[5:, 14:] == 1).all()  # the sixth place is blank


def test_an_overlay_is_blue_or_red_at_the_limit_and_black_along_the_outline():
    image, heatmap = torch.zeros(2, 28, 28)
    image[8:20, 8:20] = 1
    heatmap[14, 14], heatmap[12, 12] = 2.5, -2.5
    picture = overlay(image, heatmap, 2.5)
    assert picture.shape == (224, 224, 3)
    assert picture.min() >= 0 and picture.max() <= 1
    red, green, blue = picture[116, 116]
    assert red < green < blue < 0.6
    red, green, blue = picture[100, 100]
    assert 0.6 > red > blue > green
    fainter = overlay(image, heatmap, 5)[[116, 100], [116, 100]]
    assert (fainter.amin(1) > picture[[116, 100], [116, 100]].amin(1) + 0.2).all()
    assert picture[32, 32].min() > 0.95  # no heat, no ink
    dark = picture.amax(2) < 0.1
    rows, columns = dark.nonzero().T
    assert rows.min() in range(61, 66) and rows.max() in range(158, 163)
    assert columns.min() in range(61, 66) and columns.max() in range(158, 163)
    assert not dark[70:154, 70:154].any()
