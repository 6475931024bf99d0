"""Each pen draws and each blemish spoils as its name says."""

import pytest
import torch
from pens import (
    BLEMISHES,
    blurred,
    coarse,
    coarse_and_thick,
    crossed,
    patched,
    random_stroke,
    thicker,
    thickest,
    thinner,
)
from torch import Tensor


def bars() -> Tensor:
    """200 upright bars, 4 x 16 pixels, in the middle of 28 x 28."""
    images = torch.zeros(200, 1, 28, 28)
    images[:, :, 6:22, 12:16] = 1
    return images


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
