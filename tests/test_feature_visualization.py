"""Made images excite what they were made for, and each regulariser does its part."""

import pytest
import torch

from mnistedu.activations import feature_maps
from mnistedu.feature_visualization import cut_windows, make_images, soften
from mnistedu.images import MNIST_MEAN, MNIST_STD
from mnistedu.models import ConvNet

LAYER, CHANNELS = "blocks.0.2", [3, 0, 7]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ConvNet(blocks=2).train()


def numbers(model, ink):
    """What each image's own channel puts out in the middle of its map."""
    maps = feature_maps(model, (ink - MNIST_MEAN) / MNIST_STD, LAYER)
    return maps[range(len(ink)), CHANNELS, 6, 6]


def make(model, seed=1, **how):
    torch.manual_seed(seed)
    return make_images(model, LAYER, CHANNELS, **how)


def test_the_number_grows_or_falls_beyond_that_of_any_of_its_kind(model):
    most, least = make(model), make(model, least=True)
    assert most.shape == least.shape == (3, 1, 28, 28)
    torch.manual_seed(2)
    others = [numbers(model, soften(torch.rand(3, 1, 28, 28))) for _ in range(100)]
    assert (numbers(model, most) > torch.stack(others).amax(0)).all()
    assert (numbers(model, least) < torch.stack(others).amin(0)).all()


def test_without_regularisers_it_is_plain_gradient_ascent(model):
    made = make(model, bounded=False, smooth=False, shifted=False, steps=5)
    torch.manual_seed(1)
    pixels = (0.1 * torch.rand(3, 1, 28, 28)).requires_grad_()
    adam = torch.optim.Adam([pixels], lr=0.1)
    model.eval()
    for _ in range(5):
        maps = model.blocks[0][:3]((pixels - MNIST_MEAN) / MNIST_STD)
        adam.zero_grad()
        (-maps[range(3), CHANNELS, 6, 6].sum()).backward()
        adam.step()
    torch.testing.assert_close(made, pixels.detach())


def test_bounded_images_are_ink_and_others_are_not(model):
    assert make(model).min() >= 0 and make(model).max() <= 1
    free = make(model, bounded=False)
    assert free.min() < 0 and free.max() > 1


def test_a_soft_pen_leaves_smaller_steps_between_pixels(model):
    soft, hard = (make(model, smooth=smooth) for smooth in (True, False))
    assert soft.diff(dim=3).abs().mean() < hard.diff(dim=3).abs().mean()


def test_shifts_make_the_number_depend_less_on_the_place(model):
    def kept(made):
        moved = [numbers(model, made.roll(by, dim)) for by in (-1, 1) for dim in (2, 3)]
        return (torch.stack(moved).mean() / numbers(model, made).mean()).item()

    assert kept(make(model)) > kept(make(model, shifted=False))


def test_each_channel_has_an_image_of_its_own_and_seeds_repeat_it(model):
    made = make(model)
    assert torch.equal(made, make(model))
    assert not torch.equal(made, make(model, seed=2))
    assert (made[0] - made[1]).abs().max() > 0.5


def test_the_model_is_left_as_it_was(model):
    before = [p.clone() for p in model.state_dict().values()]
    with torch.no_grad():
        assert not make(model, steps=2).requires_grad
    after = model.state_dict().values()
    assert all(map(torch.equal, before, after))
    assert all(p.grad is None for p in model.parameters())
    assert all(m.training and not m._forward_hooks for m in model.modules())


def test_an_unknown_layer_gets_a_sentence(model):
    with pytest.raises(ValueError, match=r"has no layer 'blocks\.5'"):
        make_images(model, "blocks.5", [0])


def test_a_soft_pen_gives_a_quarter_to_the_pixel_and_spares_the_far_ones():
    dot = torch.zeros(1, 1, 5, 5)
    dot[..., 2, 2] = 1
    soft = soften(dot)[0, 0]
    assert soft[2].tolist() == [0, 0.125, 0.25, 0.125, 0]
    assert soft.sum() == 1


def test_a_window_is_all_that_the_strongest_place_sees():
    model = ConvNet(blocks=2).eval()
    ink = torch.rand(4, 1, 28, 28)

    def look(ink):
        return feature_maps(model, (ink - MNIST_MEAN) / MNIST_STD, "blocks.1.2")[:, 5]

    maps = look(ink)
    windows = cut_windows(ink, maps, size=16, step=4, margin=4)
    assert windows.shape == (4, 16, 16)
    for one, map_, window in zip(ink, maps, windows, strict=True):
        row, column = divmod(map_.argmax().item(), 6)
        top, left = 4 * row - 4, 4 * column - 4
        inside = torch.zeros(28, 28, dtype=torch.bool)
        inside[max(top, 0) : top + 16, max(left, 0) : left + 16] = True
        assert window.sum() == pytest.approx(one[0][inside].sum().item(), rel=1e-5)
        outside = torch.where(inside, one, 0.5)[None]  # changes nothing at the place
        torch.testing.assert_close(look(outside)[0, row, column], map_[row, column])


def test_a_window_at_the_border_is_filled_with_paper():
    maps = torch.zeros(1, 6, 6)
    maps[0, 0, 5] = 1
    (window,) = cut_windows(torch.ones(1, 28, 28), maps, size=16, step=4, margin=4)
    assert window[:4].sum() == 0 and window[:, 12:].sum() == 0
    assert window[4:, :12].min() == 1
