"""Files are written whole or not at all."""

import os

import pytest

from mnistedu.storage import written_whole


def test_a_file_is_there_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with written_whole(path) as beside:
        beside.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with written_whole(path) as beside:
        beside.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("full"), ValueError(), KeyboardInterrupt()])
def test_what_fails_half_way_changes_nothing(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(type(error)), written_whole(path) as beside:
        beside.write_text("half")
        raise error
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_the_data_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: done.append("sync") or fsync(file))
    monkeypatch.setattr(
        os, "replace", lambda *paths: done.append("move") or replace(*paths)
    )
    with written_whole(tmp_path / "a.txt") as beside:
        beside.write_text("one")
    assert done == ["sync", "move"]
