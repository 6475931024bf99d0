"""Images that are moved and bent, against torchvision and their moments."""

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from mnistedu.augmentation import affine, random_affine
from mnistedu.preprocess import normalize


def bars() -> Tensor:
    """200 upright bars, 4 x 16 pixels, in the middle of 28 x 28."""
    images = torch.zeros(200, 1, 28, 28)
    images[:, :, 6:22, 12:16] = 1
    return images


def moments(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Centre of mass (N, 2), in (x, y); covariance (N, 2, 2); mass (N,)."""
    position = torch.arange(28.0) - 13.5
    y, x = torch.meshgrid(position, position, indexing="ij")
    points = torch.stack([x, y]).flatten(1)
    mass = images.flatten(1).sum(1)
    weights = images.flatten(1) / mass[:, None]
    centre = weights @ points.T
    offsets = points.T - centre[:, None]
    return centre, torch.einsum("np,npi,npj->nij", weights, offsets, offsets), mass


def test_affine_scales_shears_rotates_and_shifts_as_torchvision_does():
    images = torch.rand(1, 1, 28, 28).expand(2, 1, 28, 28)
    settings = [(20, 1.2, 0.3, (3, -2)), (-40, 0.8, -0.2, (-1.5, 4))]
    expected = [
        v2.functional.affine(
            image,
            angle=-angle,  # there clockwise
            translate=list(shift),
            scale=scale,
            shear=[math.degrees(math.atan(shear)), 0],
            interpolation=v2.InterpolationMode.BILINEAR,
        )
        for image, (angle, scale, shear, shift) in zip(images, settings, strict=True)
    ]
    angle, scale, shear, shift = map(torch.tensor, zip(*settings, strict=True))
    ours = affine(images, angle, scale[:, None], shear, shift)
    torch.testing.assert_close(ours, torch.stack(expected), atol=1e-4, rtol=0)


def test_what_is_wider_than_tall_is_turned_and_slanted_in_pixels():
    wide = torch.rand(1, 1, 20, 50)
    settings = {"angle": 30, "scale": 0.9, "shear": 0.2, "shift": (4, -2)}
    expected = v2.functional.affine(
        wide,
        angle=-30,
        translate=[4, -2],
        scale=0.9,
        shear=[math.degrees(math.atan(0.2)), 0],
        interpolation=v2.InterpolationMode.BILINEAR,
    )
    torch.testing.assert_close(affine(wide, **settings), expected, atol=1e-4, rtol=0)


def test_no_change_changes_nothing():
    same = random_affine(bars(), degrees=0, scale=0, shear=0, shift=0)
    torch.testing.assert_close(same, bars(), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "setting", [{"degrees": 20}, {"scale": 0.2}, {"shear": 0.3}, {"shift": 3}]
)
def test_each_image_changes_by_its_own_amount_within_the_limit(setting):
    torch.manual_seed(0)
    nothing = {"degrees": 0, "scale": 0, "shear": 0, "shift": 0}
    centre, covariance, mass = moments(random_affine(bars(), **nothing | setting))
    _, (original,), _ = moments(bars()[:1])
    x_variance, y_variance = covariance[:, 0, 0], covariance[:, 1, 1]
    # The angle of the long axis from the vertical, and the slant of its rows.
    angle = torch.atan2(2 * covariance[:, 0, 1], y_variance - x_variance).rad2deg() / 2
    slant = covariance[:, 0, 1] / y_variance
    height = (y_variance / original[1, 1]).sqrt()
    spread, limit = {
        "degrees": (angle, 20),
        "scale": (height - 1, 0.2),
        "shear": (slant, 0.3),
        "shift": (centre, 3),
    }[next(iter(setting))]
    assert spread.abs().max() <= limit * 1.05
    assert spread.min() < -0.8 * limit and spread.max() > 0.8 * limit
    if "shift" not in setting:
        assert centre.abs().max() < 0.2
    if "scale" not in setting:
        torch.testing.assert_close(mass, torch.full((200,), 64.0), rtol=0.03, atol=0)


@pytest.mark.parametrize("change", [affine, random_affine])
def test_raw_digits_are_taken_as_ink_and_what_is_neither_gets_a_sentence(change):
    raw = (bars().squeeze(1) * 255).byte()  # (N, 28, 28)
    torch.manual_seed(0)
    expected = change(bars())
    torch.manual_seed(0)
    torch.testing.assert_close(change(raw), expected)
    for wrong in (normalize(bars()), bars() * 255, bars()[0, 0], bars().long()):
        with pytest.raises(ValueError, match="This takes raw digits"):
            change(wrong)
