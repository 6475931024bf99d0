"""The pad that collects; tests/test_browser.py draws on it in JupyterLab."""

import pytest
import torch
from ipywidgets import Image as ImageWidget
from pen import ONE, SEVEN, ZERO, draw, page, parts, press
from safetensors.torch import save_file

from mnistedu import storage
from mnistedu.augmentation import random_affine
from mnistedu.checkpoints import PRETRAINED
from mnistedu.data import make_loader
from mnistedu.pad import HandwritingPad, handwriting, load_drawings
from mnistedu.pad.pictures import encode, mosaic
from mnistedu.preprocess import center_digit, normalize
from mnistedu.strokes import rasterize


def test_asks_for_every_digit_in_a_mixed_order():
    pad = HandwritingPad()
    assert pad.images.shape == (0, 1, 28, 28) and pad.images.dtype == torch.float32
    assert pad.targets.shape == (0,) and pad.targets.dtype == torch.int64
    asked = []
    for n in range(20):
        title = pad._title.value
        asked.append(int(title.split("</b>")[0][-1]))
        assert f"({n + 1} of 20)" in title
        draw(pad, SEVEN)
        pad._keep.click()
    assert sorted(asked[:10]) == sorted(asked[10:]) == list(range(10))
    assert asked[:10] != asked[10:] and asked[:10] != sorted(asked[:10])
    assert pad.targets.tolist() == asked
    assert "all 20 are kept" in pad._title.value and pad._keep.disabled
    draw(pad, SEVEN)
    pad.keep()
    assert len(pad.images) == len(pad.targets) == 20


def test_keeps_the_images_of_what_is_drawn():
    pad = HandwritingPad(3)
    inks = []
    for strokes in ([SEVEN], [ONE, [(20, 20)]], [ZERO]):
        for stroke in strokes:
            draw(pad, stroke)
        inks.append(rasterize(strokes))
        press(pad, "Enter")
        assert not pad.ink.any()
    torch.testing.assert_close(pad.images, center_digit(torch.cat(inks)))
    tiles = mosaic(pad.images[:, 0], columns=5)
    assert pad._images.value == encode(tiles)


def test_a_blank_sheet_is_not_kept():
    pad = HandwritingPad()
    pad.keep()
    assert len(pad.images) == 0
    assert " first." in pad._note.value
    draw(pad, SEVEN)
    assert pad._note.value == ""


def test_back_brings_the_last_digit_back():
    pad = HandwritingPad()
    assert pad._back.disabled
    pad.back()  # there is nothing to go back to
    draw(pad, SEVEN)
    pad.keep()
    first = pad.targets
    draw(pad, ONE)
    pad.keep()
    both = pad.images, pad.targets
    pad._back.click()
    assert torch.equal(pad.ink, rasterize([ONE]))
    assert torch.equal(pad.targets, first) and len(pad.images) == 1
    pad._keep.click()
    assert torch.equal(pad.images, both[0]) and torch.equal(pad.targets, both[1])
    pad.undo()  # it takes back nothing that was kept
    assert not pad.ink.any()
    pad.back()
    pad.back()
    assert len(pad.images) == 0 and pad._back.disabled
    assert torch.equal(pad.ink, rasterize([SEVEN]))


def test_no_network_reads_along():
    pad = HandwritingPad()
    draw(pad, SEVEN)
    assert not hasattr(pad, "prediction") and "data-prediction" not in page(pad)
    assert len(parts(pad, ImageWidget)) == 1
    assert pad._images.layout.display == "none"


def test_a_pad_asks_for_one_digit_at_least():
    with pytest.raises(ValueError, match=r"at least one digit, not for 0\.$"):
        HandwritingPad(0)


def test_each_drawing_is_prepared_once(monkeypatch):
    prepared = []

    def prepare(ink):
        prepared.extend(ink)
        return center_digit(ink)

    monkeypatch.setattr(handwriting, "center_digit", prepare)
    pad = filled(HandwritingPad(), 5)
    assert len(pad.images) == len(prepared) == 5


def filled(pad: HandwritingPad, count: int) -> HandwritingPad:
    """The pad after so many more drawings, all of them different."""
    for i in range(count):
        draw(pad, SEVEN)
        draw(pad, [(20 + 5 * i, 150)])
        pad.keep()
    return pad


def test_a_pad_goes_on_from_its_file(tmp_path):
    path = tmp_path / "new folder" / "mine.safetensors"
    before = filled(HandwritingPad(12, path), 11)
    after = HandwritingPad(12, path)
    assert torch.equal(after.images, before.images)
    assert torch.equal(after.targets, before.targets)
    assert after._title.value == before._title.value and "(12 of 12)" in page(after)
    assert after._images.value == before._images.value
    after.back()
    assert not after.ink.any()
    draw(after, ONE)
    after.keep()
    after.back()
    assert torch.equal(after.ink, rasterize([ONE]))
    assert torch.equal(HandwritingPad(12, path).images, before.images[:10])
    assert [*path.parent.iterdir()] == [path]
    fewer = HandwritingPad(4, path)
    assert len(fewer.targets) == 10 and "all 10 are kept" in page(fewer)


def test_a_pad_writes_nothing_over_what_another_pad_has_kept(tmp_path):
    path = tmp_path / "mine.safetensors"
    first, second = HandwritingPad(5, path), HandwritingPad(5, path)
    filled(first, 3)
    filled(second, 1)
    assert "Another pad has written to" in second._note.value
    assert torch.equal(load_drawings(path)[0].images, first.images)
    assert len(second.images) == 1
    second.save(tmp_path / "other.safetensors")
    first.save(path)  # what it writes itself is no other's
    filled(first, 1)
    assert len(load_drawings(path)[0].targets) == 4
    path.unlink()  # whoever wants them gone may draw on
    filled(first, 1)
    assert len(load_drawings(path)[0].targets) == 5


def test_drawings_of_several_people_feed_a_loader(tmp_path):
    pads = [filled(HandwritingPad(), count) for count in (2, 0, 3)]
    paths = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for pad, path in zip(pads, paths, strict=True):
        pad.save(path)
    drawings, writers = load_drawings(*paths)
    assert writers.tolist() == [0, 0, 2, 2, 2]
    assert torch.equal(drawings.images, torch.cat([pad.images for pad in pads]))
    assert torch.equal(drawings.targets, torch.cat([pad.targets for pad in pads]))
    ((images, targets),) = make_loader(drawings)
    assert torch.equal(images, normalize(drawings.images))
    assert torch.equal(targets, drawings.targets)
    ((images, targets),) = make_loader(drawings, augment=random_affine)
    assert images.shape == (5, 1, 28, 28) and images.amax((1, 2, 3)).min() > 2


IMAGES, TARGETS = torch.rand(3, 1, 28, 28), torch.tensor([0, 1, 9])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no file of safetensors",
        PRETRAINED.read_bytes(),
        {"images": IMAGES},
        {"images": IMAGES, "targets": TARGETS[:2]},
        {"images": IMAGES, "targets": TARGETS.float()},
        {"images": IMAGES, "targets": TARGETS + 1},
        {"images": IMAGES, "targets": TARGETS[:, None]},
        {"images": IMAGES * 255, "targets": TARGETS},
        {"images": IMAGES[..., :20].contiguous(), "targets": TARGETS},
        {"images": IMAGES, "targets": torch.tensor(3)},
    ],
    ids=range(11),
)
def test_a_file_that_holds_no_drawings_gets_a_sentence(tmp_path, content):
    good, path = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    HandwritingPad().save(good)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        save_file(content, path)
    stored = path.read_bytes()
    sentence = r"bad\.safetensors is damaged or holds no drawings of .*\.$"
    with pytest.raises(ValueError, match=sentence):
        load_drawings(good, path)
    with pytest.raises(ValueError, match=sentence):
        HandwritingPad(path=path)
    assert path.read_bytes() == stored


def test_files_that_are_not_there_get_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no drawings at .*none\.saf.*rs\.$"):
        load_drawings(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="at least one file"):
        load_drawings()


def test_a_full_pad_says_what_comes_next():
    pad = filled(HandwritingPad(count=2), 2)
    assert "run the cells below" in pad._note.value
    pad.back()
    assert pad._note.value == ""


def test_what_cannot_be_written_is_said_and_kept_in_the_pad(tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    pad = filled(HandwritingPad(path=path), 1)
    stored = path.read_bytes()

    def full_disk(tensors, path, texts):
        path.write_bytes(b"half of")
        raise OSError("No space left on device")

    monkeypatch.setattr(storage, "save_file", full_disk)
    filled(pad, 1)
    assert "mine.safetensors could not be written (No space left" in pad._note.value
    assert len(pad.images) == 2 and path.read_bytes() == stored
    assert [*tmp_path.iterdir()] == [path]
    monkeypatch.undo()
    filled(pad, 1)
    assert pad._note.value == "" and len(HandwritingPad(path=path).images) == 3
