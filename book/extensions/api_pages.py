"""A Sphinx extension: the reference, as the docstrings say it.

Sphinx reads them with autodoc and napoleon. This mends what both make of ours, and puts
the help of the command line into a page::

    ```{command-help} train
    ```
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import inspect
from sphinx.util.docutils import SphinxDirective
from typer.testing import CliRunner


def skip(
    app: Sphinx, kind: str, name: str, member: object, skipped: bool, options: object
) -> bool | None:
    """Leave out a NamedTuple's fields: of them Python says "Alias for field number"."""
    return True if type(member).__name__ == "_tuplegetter" else None


def signature(
    app: Sphinx,
    kind: str,
    name: str,
    item: Any,
    options: object,
    arguments: str | None,
    result: str | None,
) -> tuple[str, str] | None:
    """Say how a class is called as a reader would call it."""
    if kind != "class" or arguments is None:
        return None
    if getattr(item, "_is_protocol", False):
        return "", ""
    if not arguments.startswith("(*args"):
        return arguments.replace(" = <factory>", ""), ""  # of a dataclass
    own = inspect.signature(item.__init__, bound_method=True)  # not a widget's __new__
    shown = inspect.stringify_signature(
        own, show_return_annotation=False, unqualified_typehints=True
    )
    return shown, ""


def returns(
    app: Sphinx, kind: str, name: str, item: object, options: object, lines: list[str]
) -> None:
    """Take all of Returns as prose: napoleon sees a type before the first colon."""
    text = "\n".join(lines)
    text = re.sub(r"^Returns:\n((?: +.*\n?|\n)+)", as_field, text, flags=re.M)
    lines[:] = text.split("\n")


def as_field(section: re.Match[str]) -> str:
    """The section as the field that napoleon would make of it."""
    return f":returns:\n{section[1].rstrip()}\n\n"


class CommandHelp(SphinxDirective):
    """What ``mnistedu``, or a command of it, prints with ``--help``."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The text, in a block of its own."""
        from mnistedu import cli

        self.env.note_dependency(cli.__file__)
        arguments = [*self.arguments, "--help"]
        done = CliRunner().invoke(cli.app, arguments, prog_name="mnistedu")
        return [nodes.literal_block(text=done.output.strip(), language="none")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("command-help", CommandHelp)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-process-docstring", returns, priority=400)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
