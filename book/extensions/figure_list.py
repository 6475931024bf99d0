"""A Sphinx extension that lists every numbered figure, chapter by chapter.

A page asks for it with::

    ```{figure-list}
    ```

A cell that draws several figures has one caption and one alternative text in its
metadata; " | " divides them into one for each. An image in the text becomes a figure by
a title, as in ``![alt](path "title")``.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode


class OwnCaptions(SphinxTransform):
    """Gives each figure of a cell its own words, and titled images a figure."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Leave each its part; put a figure in the place of an image's paragraph."""
        for image in list(self.document.findall(nodes.image)):
            if title := image.attributes.pop("title", None):
                wide = nodes.container("", image.deepcopy(), classes=["wide"])
                figure = nodes.figure("", wide, nodes.caption(title, title))
                self.document.set_id(figure)
                image.parent.replace_self(figure)
        for cell in self.document.findall(nodes.container):
            if "cell_output" in cell["classes"]:
                for number, figure in enumerate(cell.findall(nodes.figure)):
                    caption = figure.next_node(nodes.caption)
                    if caption and " | " in caption.astext():
                        parts = caption.astext().split(" | ")
                        caption[:] = [nodes.Text(parts[number])]
                        image = figure.next_node(nodes.image)
                        image["alt"] = image["alt"].split(" | ")[number]


class Listing(nodes.General, nodes.Element):
    """The place of the list."""


class FigureList(SphinxDirective):
    """Marks where the list goes: the figures have numbers once all pages are read."""

    def run(self) -> list[nodes.Node]:
        """The place; the page is read at each build, since other pages fill it."""
        self.env.note_reread()
        return [Listing(page=self.env.docname)]


class WriteList(SphinxPostTransform):
    """Puts the list into its place."""

    default_priority = 100  # before paper.py changes the links

    def run(self, **kwargs: Any) -> None:
        """Write a chapter's title, then its figures, each with its caption."""
        for place in list(self.document.findall(Listing)):
            listed = nodes.container()
            for page, numbers in self.env.toc_fignumbers.items():
                if figures := numbers.get("figure"):
                    listed += self.write(place["page"], page, figures)
            place.replace_self(listed)

    def write(
        self, here: str, page: str, figures: dict[str, tuple[int, ...]]
    ) -> list[nodes.Node]:
        """The title and the figures of a page."""

        def link(target: str, text: str) -> nodes.reference:
            return make_refnode(self.app.builder, here, page, target, nodes.Text(text))

        doctree = self.env.get_doctree(page)
        captions = {
            figure["ids"][0]: figure.next_node(nodes.caption)
            for figure in doctree.findall(nodes.figure)
        }
        items = nodes.bullet_list()
        for name, number in figures.items():
            label = f"Fig. {'.'.join(map(str, number))}"
            words = [child.deepcopy() for child in captions[name]]
            text = nodes.paragraph("", "", link(name, label), nodes.Text(": "), *words)
            items += nodes.list_item("", text)
        title = f"{number[0]}: {self.env.titles[page].astext()}"
        return [nodes.paragraph("", "", nodes.strong("", "", link("", title))), items]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_transform(OwnCaptions)
    app.add_node(Listing)
    app.add_directive("figure-list", FigureList)
    app.add_post_transform(WriteList)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
