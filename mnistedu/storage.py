"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
    finally:
        with suppress(OSError):
            temporary.unlink()


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
            save_file(tensors, beside, texts)
    except (OSError, SafetensorError) as error:
        raise OSError(
            f"{path} could not be written ({error}): free some space or choose "
            "another folder. What was there before is unchanged."
        ) from error
