"""A box of widgets, and what stands in its place in a notebook that was saved.

A notebook keeps no widget, only the place of one, where JupyterLab then puts an error.
"""

from IPython.display import display
from ipywidgets import Box

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


class LivingBox(Box):
    """A box which tells the reader of a saved notebook to run its cell."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # stored with a notebook: nothing that varies

    def _ipython_display_(self) -> None:
        self.add_class("mnistedu-living")
        for data in ({"text/html": SENTENCE}, self._repr_mimebundle_()):
            display(data, raw=True)  # type: ignore[no-untyped-call]
