"""``python -m mnistedu`` is the command ``mnistedu``, as torchrun needs it."""

from mnistedu.cli import app

app(prog_name="mnistedu")
