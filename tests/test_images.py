"""The three kinds of image are told apart, and what is none gets a sentence."""

import numpy as np
import pytest
import torch

from mnistedu.augmentation import random_affine
from mnistedu.data import Split, make_loader
from mnistedu.images import PAPER, check_normalized, to_ink
from mnistedu.preprocess import center_digit, normalize, shrink

RAW = torch.randint(0, 256, (5, 28, 28)).to(torch.uint8)
INK = RAW[:, None] / 255
SENTENCE = r"This takes .*; it was given [^\n]*\.$"


@pytest.mark.parametrize("images", [RAW, RAW[:, None], INK, INK[:, 0], INK.double()])
def test_raw_digits_and_ink_become_ink(images):
    ink = to_ink(images)
    torch.testing.assert_close(ink.float(), INK)
    assert ink.dtype == (torch.float64 if images.dtype == torch.float64 else INK.dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_with_in_whole(dtype):
    ink = torch.zeros(1, 1, 280, 280)
    ink[..., 100:200, 140:160] = 1
    assert torch.equal(center_digit(ink.to(dtype)), center_digit(ink))


NO_INK = {
    "int64 .5, 28, 28. in .0, 255.": RAW.long().clamp(0, 255)
    | torch.tensor([0, 255] * 14),
    "uint8 .5, 30, 30.": torch.zeros(5, 30, 30, dtype=torch.uint8),
    "uint8 .28, 28.": RAW[0],
    "float32 .5, 3, 28, 28.": INK.repeat(1, 3, 1, 1),
    "in .0, 255.": INK * 255,
    r"in .-0\.4242, 2\.821.": normalize(torch.tensor([0.0, 1.0] * 392).view(1, 28, 28)),
    "in .nan, nan.": INK * torch.nan,
    "complex64": INK + 0j,
    "ndarray, which is no tensor": RAW.numpy(),
    "list, which is no tensor": [0, 1],
}


@pytest.mark.parametrize("given", NO_INK)
@pytest.mark.parametrize("function", [to_ink, center_digit, shrink, normalize])
def test_what_is_no_ink_gets_a_sentence(given, function):
    with pytest.raises(ValueError, match=f"raw digits.*ink.*{given}.*{SENTENCE[-3:]}"):
        function(NO_INK[given])


@pytest.mark.parametrize(
    ("images", "given"),
    [
        (RAW, "uint8"),
        (INK, r"float32 \(5, 1, 28, 28\) in \[0, 1\]"),
        (normalize(RAW)[:, 0], r"\(5, 28, 28\)"),
        (torch.full((1, 1, 30, 30), PAPER), r"\(1, 1, 30, 30\)"),
        (np.zeros(3), "ndarray"),
    ],
)
def test_what_is_not_normalised_gets_a_sentence(images, given):
    with pytest.raises(ValueError, match=f"normalised images.* given .*{given}"):
        check_normalized(images)


@pytest.mark.parametrize("images", [normalize(RAW), torch.zeros(2, 1, 28, 28), INK[:0]])
def test_normalised_blank_and_empty_images_pass(images):
    assert check_normalized(images) is images


@pytest.mark.parametrize("augment", [None, lambda ink: ink, random_affine])
def test_a_loader_takes_ink_as_it_takes_raw_digits(augment):
    targets = torch.arange(5)

    def batch(images):
        torch.manual_seed(0)
        return next(iter(make_loader(Split(images, targets), augment=augment)))[0]

    torch.testing.assert_close(batch(INK), batch(RAW))
    assert batch(INK).max() > 1  # ink, and not 255 times less of it
    with pytest.raises(ValueError, match="raw digits"):
        batch(INK * 255)
