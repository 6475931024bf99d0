"""Loading from every place, faults on the way, batches."""

import ctypes
import errno
import gzip
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import platformdirs
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from mnistedu import data, storage
from mnistedu.augmentation import affine
from mnistedu.data import Split, load, make_loader, rotate
from mnistedu.preprocess import normalize

NAMES = ("train", "val", "test")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, no MNIST from outside, and nothing said yet."""
    data._say_once.cache_clear()
    folder = tmp_path / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *args: folder)
    monkeypatch.delenv("MNISTEDU_DATA", raising=False)
    return folder


def no_internet(monkeypatch):
    with socket.socket() as closed:  # a port on which nobody listens
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [address])


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """A folder with files laid out as MNIST's, 6,100 and 50 images, nearly blank."""
    folder = tmp_path / "data"
    raw = folder / data.RAW_FOLDER
    raw.mkdir(parents=True)
    sha256, resources = {}, []
    for part, n in (("train", 6_100), ("t10k", 50)):
        images = torch.zeros(n, 28, 28, dtype=torch.uint8)
        images[:, 0, 0] = torch.arange(n) % 251
        for kind, header, content in (
            ("images-idx3", (0x803, n, 28, 28), images),
            ("labels-idx1", (0x801, n), (torch.arange(n) % 10).byte()),
        ):
            name = f"{part}-{kind}-ubyte"
            head = b"".join(number.to_bytes(4, "big") for number in header)
            whole = head + content.numpy().tobytes()
            (raw / name).write_bytes(whole)
            packed = gzip.compress(whole, mtime=0)
            (raw / f"{name}.gz").write_bytes(packed)
            sha256[f"{part}-{kind[:-5]}"] = hashlib.sha256(whole).hexdigest()
            resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(data, "SHA256", sha256)
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    return folder


@pytest.fixture
def folder(small_mnist, monkeypatch):
    """The same folder, which the environment names."""
    monkeypatch.setenv("MNISTEDU_DATA", str(small_mnist))
    return small_mnist


@pytest.fixture
def server(small_mnist, monkeypatch):
    """The small MNIST, served over http in the place of MNIST's mirrors."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def copyfile(self, source, outputfile):
            outputfile.write(httpd.change(source.read()))
            outputfile.flush()
            httpd.go_on.wait()

    handler = partial(Handler, directory=small_mnist / data.RAW_FOLDER)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.change = bytes  # it sends what it has
        httpd.go_on = threading.Event()
        httpd.go_on.set()
        serve = partial(httpd.serve_forever, poll_interval=0.01)  # to end at once
        threading.Thread(target=serve, daemon=True).start()
        address = f"http://127.0.0.1:{httpd.server_port}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [address])
        yield httpd
        httpd.go_on.set()
        httpd.shutdown()


def child(folder: Path, cache: Path, program: str, **more) -> subprocess.Popen[str]:
    """Another Python, to which the folder's files are MNIST, and with this cache."""
    before = (
        "import pathlib, platformdirs; from mnistedu import data; "
        f"platformdirs.user_cache_path = lambda *a: pathlib.Path({str(cache)!r}); "
        f"data.SHA256 = {data.SHA256!r}; "
    )
    return subprocess.Popen(
        [sys.executable, "-c", before + program],
        env=os.environ | {"MNISTEDU_DATA": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **more,
    )


def sizes(digits):
    return [len(getattr(digits, name).targets) for name in NAMES]


def assert_same(first, second):
    assert first.name == second.name
    for name in NAMES:
        for one, other in zip(getattr(first, name), getattr(second, name), strict=True):
            assert torch.equal(one, other) and one.dtype == other.dtype


def test_mnist_in_three_splits(mnist):
    assert mnist.name == "MNIST"
    assert sizes(mnist) == [54_000, 6_000, 10_000]
    for name in NAMES:
        images, targets = getattr(mnist, name)
        assert images.dtype == torch.uint8 and images.shape[1:] == (28, 28)
        assert targets.dtype == torch.int64
        assert targets.unique().tolist() == list(range(10))
    shares = [torch.bincount(split.targets) / len(split.targets) for split in mnist[1:]]
    torch.testing.assert_close(shares[0], shares[1], atol=1e-3, rtol=0)


def test_offline_digits():
    digits = load("offline")
    assert digits.name != "MNIST"
    assert sizes(digits) == [1_257, 180, 360]
    for name in NAMES:
        images, targets = getattr(digits, name)
        assert images.dtype == torch.uint8 and images.shape[1:] == (28, 28)
        assert targets.unique().tolist() == list(range(10))
    assert_same(digits, load("offline"))


def test_reads_a_folder_and_keeps_a_copy(folder, monkeypatch, cache):
    digits = load()
    assert sizes(digits) == [100, 6_000, 50]
    assert [file.name for file in cache.iterdir()] == [data.CACHE_NAME]
    monkeypatch.delenv("MNISTEDU_DATA")
    no_internet(monkeypatch)
    assert_same(load("mnist"), digits)  # from the cache alone


def test_every_image_keeps_its_target_and_lies_in_one_split(folder):
    digits = load("mnist")
    marks = torch.cat([split.images[:, 0, 0].long() for split in digits[1:3]])
    targets = torch.cat([split.targets for split in digits[1:3]])
    expected = torch.arange(6_100)
    pairs = (marks * 10 + targets).sort().values
    assert torch.equal(pairs, (expected % 251 * 10 + expected % 10).sort().values)


def test_reading_the_cache_does_not_import_torchvision(folder, cache):
    load("mnist")
    program = (
        "import sys, pathlib, platformdirs; "
        f"platformdirs.user_cache_path = lambda *a: pathlib.Path({str(cache)!r}); "
        "from mnistedu.data import load; print(load('mnist').name); "
        "slow = {'torchvision', 'sklearn', 'matplotlib', 'pandas'}; "
        "print(slow & set(sys.modules))"
    )
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert output == "MNIST\nset()\n"


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_named(folder, damage):
    path = folder / data.RAW_FOLDER / "t10k-images-idx3-ubyte"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-9] + (b"\1" * 9 if damage == "altered" else b""))
    with pytest.raises(ValueError, match="t10k-images-idx3-ubyte"):
        load()


def test_a_whole_cache_stays_as_it_is(folder, cache):
    load("mnist")
    path = cache / data.CACHE_NAME
    written = path.stat().st_mtime_ns
    load("mnist")
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
def test_a_damaged_cache_is_made_again(folder, cache, damage):
    digits = load("mnist")
    path = cache / data.CACHE_NAME
    content = path.read_bytes()
    if damage == "altered":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.write_bytes(content[:-1000] if damage == "truncated" else b"")
    assert data._read_cache(path) is None
    assert_same(load("mnist"), digits)
    assert path.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_done_without(folder, cache):
    cache.write_text("a file where the folder should be")
    assert sizes(load("mnist")) == [100, 6_000, 50]


def test_a_cache_that_a_full_disk_cuts_off_is_done_without(folder, cache, monkeypatch):
    def write_half(tensors, path, metadata):
        path.write_bytes(b"half of it")
        assert not (cache / data.CACHE_NAME).exists()  # nobody can read the half
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "save_file", write_half)
        assert sizes(load("mnist")) == [100, 6_000, 50]
    assert list(cache.iterdir()) == []
    load("mnist")
    assert [file.name for file in cache.iterdir()] == [data.CACHE_NAME]


@pytest.mark.skipif(os.name == "nt", reason="folders are protected in another way")
def test_a_home_that_is_read_only_is_done_without(small_mnist, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o500)

    def obey() -> None:
        """Have even root, whom permissions do not bind, obey them (see prctl(2))."""
        if sys.platform == "linux":
            drop_from_bounding_set, override_permissions = 24, 1
            ctypes.CDLL(None).prctl(drop_from_bounding_set, override_permissions)

    program = "print(data.load().name)"
    reader = child(small_mnist, home / "cache", program, preexec_fn=obey)
    assert reader.communicate()[0] == "MNIST\n"
    assert list(home.iterdir()) == []


def test_two_notebooks_may_load_for_the_first_time_at_once(small_mnist, cache):
    program = "print('ready', flush=True); input(); print(data.load().name)"
    readers = [child(small_mnist, cache, program) for _ in range(2)]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    for reader in readers:
        reader.stdin.write("\n")
        reader.stdin.flush()
    assert [reader.communicate()[0] for reader in readers] == ["MNIST\n"] * 2
    assert [file.name for file in cache.iterdir()] == [data.CACHE_NAME]
    assert data._read_cache(cache / data.CACHE_NAME) is not None


def test_a_cache_that_an_older_version_wrote_is_made_again(folder, cache):
    cache.mkdir()
    (cache / "mnist-v0.safetensors").write_bytes(b"left alone")
    older = {"images": torch.zeros(1, 28, 28), "targets": torch.zeros(1)}
    checksum = data._checksum(older[name] for name in sorted(older))
    save_file(older, cache / data.CACHE_NAME, {"crc32": checksum})
    assert sizes(load()) == [100, 6_000, 50]
    assert data._read_cache(cache / data.CACHE_NAME) is not None
    assert (cache / "mnist-v0.safetensors").read_bytes() == b"left alone"


def test_downloads_when_it_is_nowhere(server, cache):
    assert sizes(load()) == [100, 6_000, 50]
    assert [file.name for file in cache.iterdir()] == [data.CACHE_NAME]
    assert socket.getdefaulttimeout() is None


def test_a_folder_that_is_named_and_not_there_gets_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("MNISTEDU_DATA", str(tmp_path / "dtaa"))
    with pytest.raises(ValueError, match=r"dtaa.*is missing: .* correct MNISTEDU_DATA"):
        load()


def test_without_internet_auto_says_so_once_and_takes_the_offline_digits(
    monkeypatch, capsys
):
    no_internet(monkeypatch)
    assert_same(load(), load("offline"))
    load()  # as the check of an exercise does, whose answer stands alone
    said = capsys.readouterr().out.splitlines()
    assert ["1,797" in line and "MNISTEDU_DATA" in line for line in said] == [True]
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        load("mnist")


def test_a_server_that_never_answers_is_given_up(small_mnist, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(data, "CONNECTION_LIMIT", 0.2)
        assert load().name == "scikit-learn's digits"


def test_a_server_that_stops_in_the_middle_is_given_up(server, monkeypatch):
    server.change = lambda content: content[: len(content) // 2]
    server.go_on.clear()
    with monkeypatch.context() as patch:
        patch.setattr(data, "CONNECTION_LIMIT", 0.2)
        assert load().name == "scikit-learn's digits"
    server.go_on.set()
    server.change = bytes
    assert load("mnist").name == "MNIST"


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"<html>Please log in to the school's network</html>",
    ],
    ids=["cut in the middle", "another checksum", "a page to log in"],
)
def test_a_wrong_download_is_given_up_and_the_next_one_is_whole(server, cache, change):
    server.change = change
    with pytest.raises(ConnectionError, match="could not be downloaded"):
        load("mnist")
    assert not cache.exists()
    server.change = bytes
    assert load("mnist").name == "MNIST"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_the_download_gets_a_sentence(server, monkeypatch, number):
    def write(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", write)
        with pytest.raises(ConnectionError, match=r"no room for it.* free some space"):
            load("mnist")
    assert load("mnist").name == "MNIST"


def test_no_folder_for_temporary_files_gets_a_sentence(server, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
        with pytest.raises(ConnectionError, match=r"no room for it.* free some space"):
            load("mnist")
        assert load().name == "scikit-learn's digits"
    assert load("mnist").name == "MNIST"


def test_an_unknown_source_gets_a_sentence():
    with pytest.raises(ValueError, match='"offline" or "rotated", not \'emnist\''):
        load("emnist")


def test_each_image_is_turned_by_its_own_angle_the_same_every_time(offline):
    turned = rotate(offline.test)
    assert turned.images.dtype == torch.uint8
    assert turned.images.shape == offline.test.images.shape
    assert torch.equal(turned.targets, offline.test.targets)
    assert torch.equal(turned.images, rotate(offline.test).images)
    assert not torch.equal(turned.images, rotate(offline.test, seed=1).images)

    one = Split(offline.test.images[:1].repeat(300, 1, 1), offline.test.targets[:300])
    angles = torch.arange(-180, 180)
    known = affine(one.images[:1].repeat(360, 1, 1), angles).flatten(1)
    drawn = (rotate(one).images / 255).flatten(1)
    away = torch.cdist(drawn, known)
    assert away.amin(1).max() < 0.5  # each is the image turned, and nothing else
    quarters = angles[away.argmin(1)].float().histc(4, -180, 180)
    assert quarters.min() > 45  # of 75 to be expected


def test_an_image_that_is_turned_by_no_angle_stays_as_it_is(offline):
    assert torch.equal(rotate(offline.test, degrees=0).images, offline.test.images)


def test_rotated_digits_are_those_of_the_splits_turned(mnist, monkeypatch):
    monkeypatch.setattr(data, "_load_mnist", lambda: mnist)
    digits = load("rotated")
    assert digits.name == "MNIST, rotated"
    assert sizes(digits) == [12_000, 6_000, 10_000]
    assert torch.equal(digits.test.targets, mnist.test.targets)
    assert_same(digits, load("rotated"))
    shares = [torch.bincount(s.targets) / len(s.targets) for s in digits[1:3]]
    torch.testing.assert_close(shares[0], shares[1], atol=1e-3, rtol=0)
    ink = [digits.train.images.float().mean(), mnist.train.images.float().mean()]
    torch.testing.assert_close(*ink, rtol=0.01, atol=0)  # little is turned out


def test_without_internet_rotated_takes_the_offline_digits(
    monkeypatch, capsys, offline
):
    no_internet(monkeypatch)
    digits = load("rotated")
    assert "1,797" in capsys.readouterr().out
    assert digits.name == f"{offline.name}, rotated"
    assert sizes(digits) == sizes(offline)
    for name in NAMES:
        turned, upright = getattr(digits, name), getattr(offline, name)
        assert torch.equal(turned.targets, upright.targets)
        assert not torch.equal(turned.images, upright.images)


@pytest.fixture
def numbered():
    """100 images; the first pixel of each says which it is."""
    images = torch.zeros(100, 28, 28, dtype=torch.uint8)
    images[:, 0, 0] = torch.arange(100)
    return Split(images, torch.arange(100))


def test_loader_gives_normalised_batches_in_order(numbered):
    batches = list(make_loader(numbered, batch_size=32))
    assert [len(targets) for _, targets in batches] == [32, 32, 32, 4]
    images = torch.cat([images for images, _ in batches])
    torch.testing.assert_close(images, normalize(numbered.images))
    assert torch.cat([targets for _, targets in batches]).tolist() == list(range(100))


def test_loader_shuffles_anew_in_every_epoch(numbered):
    loader = make_loader(numbered, batch_size=32, shuffle=True)
    torch.manual_seed(0)
    first = torch.cat([targets for _, targets in loader])
    second = torch.cat([targets for _, targets in loader])
    assert not torch.equal(first, second)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(100))
    torch.manual_seed(0)
    assert torch.equal(torch.cat([targets for _, targets in loader]), first)


def test_loader_augments_before_it_normalises(numbered):
    def invert(images):
        assert images.shape[1:] == (1, 28, 28) and images.max() <= 1
        return 1 - images

    images, _ = next(iter(make_loader(numbered, 100, augment=invert)))
    torch.testing.assert_close(images, normalize(255 - numbered.images))
