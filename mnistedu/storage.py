"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a place beside ``path`` to write to, and move it there in one step.

    A kill, a full disk, a crash of the machine or a second writer leave either the
    whole new file or what was there before. The folder is made if it is not there.

    Raises:
        OSError: if the file cannot be written; nothing is changed then.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # or the move might reach the disk before the data
        temporary.replace(path)
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = str(path)  # a full disk names no file
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a folder for one writer, who makes it if it is not there.

    Raises:
        ValueError: if another holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"Another training writes to {folder} at this moment: wait for its end, or "
            "choose another folder."
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            (folder / ".lock").unlink()
        lock.release()


def refuse_unwritable(path: str | Path) -> None:
    """Raise what writing to ``path`` would raise, before the work that is to end there.

    Raises:
        OSError: if its folder cannot be made or written to, or it is no file.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no file that could be replaced: choose another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent):
        pass


def save_tensors(
    path: str | Path, tensors: dict[str, Tensor], texts: dict[str, str] | None = None
) -> None:
    """Write a safetensors file, whole or not at all.

    Args:
        path: the file. Its folder is made if it is not there.
        tensors: by name, each contiguous and with memory of its own.
        texts: what its header holds beside.

    Raises:
        OSError: if the file cannot be written; what was there before is kept.
    """
    try:
        with written_whole(path) as beside:
            beside.touch()
            mode = beside.stat().st_mode  # that of any file, where save_file's is 0600
            save_file(tensors, beside, texts)
            beside.chmod(mode)
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or error
        raise OSError(
            f"{path} could not be written ({why}): free some space or choose another "
            "folder. What was there before is unchanged."
        ) from error
