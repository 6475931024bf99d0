"""Pictures for the pads, as pixels: nothing that a thread of its own may not draw."""

from io import BytesIO

import matplotlib as mpl
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from mnistedu.gradcam import enlarge

SIZE = 224  # width and height of a heatmap's picture
LINES = torch.tensor([86, 180, 233]) / 255  # sky blue, between the maps of a mosaic
RED_BLUE = torch.tensor(mpl.colormaps["RdBu"](range(256))).float()[:, :3]


def encode(pixels: Tensor, kind: str = "png") -> bytes:
    """A file of pixels ``(H, W)`` or, in colour, ``(H, W, 3)``, all in [0, 1].

    Colours that flow are for ``"jpeg"``: as PNG they take ten times as long.
    """
    file = BytesIO()
    image = Image.fromarray((pixels * 255).round().byte().numpy())
    # The first is PNG's, for speed, and the others are JPEG's.
    image.save(file, kind, compress_level=1, quality=95, subsampling=0)
    return file.getvalue()


def mosaic(maps: Tensor, columns: int) -> Tensor:
    """Maps ``(N, h, w)`` in [0, 1] side by side, 1 black and 0 white.

    Returns:
        ``(H, W, 3)`` in [0, 1], with blue lines, one pixel wide, between the maps.
    """
    n, h, w = maps.shape
    rows = -(-n // columns)
    cells = torch.full((rows * columns, h + 1, w + 1), torch.nan)  # nan: a line
    cells[:, :h, :w] = 1
    cells[:n, :h, :w] -= maps
    grid = cells.view(rows, columns, h + 1, w + 1).transpose(1, 2)
    grid = grid.reshape(rows * (h + 1), columns * (w + 1))[:-1, :-1, None]
    return torch.where(grid.isnan(), LINES, grid)


def overlay(image: Tensor, heatmap: Tensor, limit: float) -> Tensor:
    """A signed heatmap under the outline of its image, each of any height and width.

    Returns:
        ``(224, 224, 3)`` in [0, 1]: blue is positive, red negative, both the darkest
        at ``limit``, and white is 0.
    """
    ink, heat = (enlarge(each[None], (SIZE, SIZE))[0] for each in (image, heatmap))
    levels = (heat / max(limit, 1e-9) + 1) * 127.5
    colours = F.embedding(levels.round().int(), RED_BLUE)  # a look-up table
    steepness = torch.hypot(*torch.gradient(ink)).clamp(min=1e-3)
    outline = (1.5 - (ink - 0.5).abs() / steepness).clamp(0, 1)  # 3 pixels wide
    return colours * (1 - outline[:, :, None])
