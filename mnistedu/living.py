"""A box of widgets, and what stands in its place in a notebook that was saved.

A notebook keeps no widget, only the place of one, where JupyterLab then puts an error.
"""

from collections.abc import Sequence
from typing import Any

from IPython.display import display
from ipywidgets import Box, Output, Widget

# JupyterLab shows it unless its neighbour is a box that lives; elsewhere it is hidden.
SENTENCE = """
<style>
body:not(:has(.jp-OutputArea-child)) .mnistedu-saved,
.jp-OutputArea-child:has(.mnistedu-saved):has(+ * .mnistedu-living),
.jp-OutputArea-child:has(.mnistedu-saved) + :not(:has(.mnistedu-living)) {
  display: none;
}
</style>
<p class="mnistedu-saved">Run this cell: what belongs here lives as long as the kernel
that makes it.</p>
"""

# Notebook 7 would move from cell to cell before a slider hears of the key.
KEYS = """
if (!window.mnisteduKeys) {
  window.mnisteduKeys = true;
  const keep = ({ target, key }) =>
    target.closest?.(".mnistedu-living") &&
    target.toggleAttribute("data-lm-suppress-shortcuts", /^(Arrow|Home|End)/.test(key));
  window.addEventListener("keydown", keep, true);
}
"""


class LivingBox(Box):
    """A box which tells the reader of a saved notebook to run its cell."""

    def __init__(self, children: Sequence[Widget], **options: Any) -> None:
        super().__init__([*children, run_in_page(KEYS)], **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # stored with a notebook: nothing that varies

    def _ipython_display_(self) -> None:
        self.add_class("mnistedu-living")
        for data in ({"text/html": SENTENCE}, self._repr_mimebundle_()):
            display(data, raw=True)  # type: ignore[no-untyped-call]


def run_in_page(script: str) -> Output:
    """A widget that is not seen and runs JavaScript, where the page allows it."""
    output = {"output_type": "display_data", "metadata": {}}
    output["data"] = {"application/javascript": script}
    return Output(outputs=[output], layout={"display": "none"})
