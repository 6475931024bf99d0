"""Which exercises a reader has solved, kept from one session to the next.

Each solved exercise is an empty file of its name. Two notebooks at once cannot lose
anything that way, and there is nothing to lock, to parse or to damage.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import platformdirs


def find_folder() -> Path | None:
    """The folder of the record, or None if none is to be kept.

    It is ``solved`` in the user's data folder, or what the environment variable
    ``MNISTEDU_PROGRESS`` names; empty, it says that nothing is to be kept.
    """
    named = os.environ.get("MNISTEDU_PROGRESS")
    if named is None:
        return platformdirs.user_data_path("mnistedu") / "solved"
    return Path(named) if named else None


def add(name: str) -> bool:
    """Note an exercise as solved; False if that cannot be written."""
    folder = find_folder()
    if folder is None:
        return True
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    except OSError:
        return False
    return True


def read(names: Iterable[str]) -> list[str]:
    """Those of the exercises that are noted as solved."""
    folder = find_folder()
    return [name for name in names if folder and os.path.exists(folder / name)]


def remove(names: Iterable[str]) -> None:
    """Take exercises out of the record.

    Raises:
        OSError: if the record cannot be changed.
    """
    folder = find_folder()
    for name in names:
        if folder:
            with suppress(FileNotFoundError, NotADirectoryError):
                (folder / name).unlink()
