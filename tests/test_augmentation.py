"""Images that are moved, bent and drawn anew, against torchvision and their moments."""

import math

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from mnistedu.augmentation import (
    BLEMISHES,
    affine,
    blurred,
    coarse,
    coarse_and_thick,
    crossed,
    patched,
    random_affine,
    random_stroke,
    thicker,
    thickest,
    thinner,
)
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


def test_each_pen_does_what_its_name_says_and_no_more():
    torch.manual_seed(0)
    original = bars()

    def mass(images: Tensor) -> Tensor:
        return images.flatten(1).sum(1)

    for pen, least, most in [
        (thinner, 2 * 14, 4 * 16),
        (thicker, 4 * 16, 6 * 18),
        (thickest, 6 * 18, 8 * 20),
    ]:
        drawn = mass(pen(original))
        assert least <= drawn.min() < least + 0.1 * (most - least)
        assert most - 0.1 * (most - least) < drawn.max() <= most
    soft = blurred(original)
    torch.testing.assert_close(mass(soft), mass(original))
    assert (soft.flatten(1).pow(2).sum(1) < mass(original)).all()
    for pen, whole in [(coarse, 4 * 16), (coarse_and_thick, 6 * 18)]:
        drawn = torch.cat([pen(original[:1]) for _ in range(50)])
        assert mass(drawn).mean().item() == pytest.approx(whole, rel=0.05)
        assert drawn.min() >= 0 and drawn.max() <= 1
        assert (drawn.flatten(1).pow(2).sum(1) < 0.95 * mass(drawn)).all()


@pytest.mark.parametrize("blemish", BLEMISHES)
def test_a_blemish_is_another_for_each_image_and_stays_ink(blemish):
    torch.manual_seed(0)
    original = bars()[:1].repeat(200, 1, 1, 1)
    spoiled = blemish(original)
    assert spoiled.shape == original.shape and spoiled.dtype == original.dtype
    assert spoiled.min() >= 0 and spoiled.max() <= 1
    assert len(spoiled.unique(dim=0)) > 80  # a blank patch on paper changes nothing
    assert (spoiled - original).abs().mean((1, 2, 3)).max() < 0.5


def test_a_line_only_adds_ink_and_a_patch_is_one_square():
    torch.manual_seed(0)
    paper = torch.zeros(100, 1, 28, 28)
    assert (crossed(bars()) >= bars()).all()
    sizes = patched(paper).sum((1, 2, 3)).unique()
    assert sizes[0] == 0 and 16 <= sizes[-1] <= 64


def test_another_pen_for_a_quarter_of_the_images():
    torch.manual_seed(0)
    original = bars().repeat(20, 1, 1, 1)
    changed = random_stroke(original)
    assert changed.shape == original.shape
    assert changed.min() >= 0 and changed.max() <= 1
    redrawn = (changed != original).flatten(1).any(1)
    assert redrawn.float().mean().item() == pytest.approx(1 / 4, abs=0.02)
    assert torch.equal(
        random_stroke(torch.zeros(3, 1, 28, 28)), torch.zeros(3, 1, 28, 28)
    )


def test_each_pen_is_taken_as_often():
    torch.manual_seed(0)
    pens = [lambda images, ink=ink: torch.full_like(images, ink) for ink in (1, 2, 3)]
    changed = random_stroke(torch.zeros(12000, 1, 28, 28), pens)[:, 0, 0, 0]
    shares = changed.long().bincount() / 12000
    expected = torch.tensor([3 / 4, 1 / 12, 1 / 12, 1 / 12])
    torch.testing.assert_close(shares, expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("change", [affine, random_affine, random_stroke])
def test_raw_digits_are_taken_as_ink_and_what_is_neither_gets_a_sentence(change):
    raw = (bars().squeeze(1) * 255).byte()  # (N, 28, 28)
    torch.manual_seed(0)
    expected = change(bars())
    torch.manual_seed(0)
    torch.testing.assert_close(change(raw), expected)
    for wrong in (normalize(bars()), bars() * 255, bars()[0, 0], bars().long()):
        with pytest.raises(ValueError, match="This takes raw digits"):
            change(wrong)
