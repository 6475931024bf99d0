"""A Sphinx extension for the book as a file, PDF or EPUB, where no script runs.

What a page of the site folds away stands at its chapter's end (solutions and answers)
or nowhere (imports, and the code that draws a figure); what lives in a page is left
out. The PDF is printed from the builder ``singlehtml``, by book/pdf.py; an EPUB has its
formulas in MathML, which its readers draw themselves.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from live import Place
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.transforms.post_transforms import SphinxPostTransform

import mnistedu

LIVING = "book/train"  # a page about what lives in it
STYLES = ("pygments.css", "paper.css")


class OnPaper(SphinxPostTransform):
    """Leaves out what needs a screen, and unfolds the rest."""

    default_priority = 190  # when links are resolved, and before MyST-NB folds cells
    builders = ("epub", "singlehtml")

    def run(self, **kwargs: Any) -> None:
        """Change a page, or the one page of all, whose parts are ``start_of_file``."""
        for node in list(self.document.findall(is_left_out)):
            node.parent.remove(node)
        for link in list(self.document.findall(nodes.reference)):
            address = link.get("refuri", "")
            if LIVING in normpath(f"book/{address}"):
                link.replace_self(link.children)
            elif address.startswith("#document-") and "#" in address[1:]:
                page, name = address.removeprefix("#document-").split("#")
                link["refuri"] = f"#{nodes.make_id(page)}-{name}"
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("hide_mode") == "input":
                del cell["hide_mode"], cell[0]
        for names in self.document.findall(addnodes.desc_parameterlist):
            names["multi_line_parameter_list"] = False
        pages = list(self.document.findall(addnodes.start_of_file))
        for page in pages:
            tell_apart(page)
        for page in pages or [self.document]:
            name = page.get("docname", self.env.docname)
            move_folded(page, name)
            # Its title has no number; one that is not in this list has its page's.
            self.env.toc_secnumbers.setdefault(name, {})["#" + answers(name)] = None
        if pages:
            self.document[0]["ids"].append(f"document-{self.env.docname}")


def is_left_out(node: nodes.Node) -> bool:
    """What lives, and comments."""
    if isinstance(node, addnodes.start_of_file):
        return node["docname"] == LIVING
    is_comment = isinstance(node, nodes.raw) and node.astext().startswith("<!--")
    return is_comment or isinstance(node, Place)


def tell_apart(page: nodes.Element) -> None:
    """Give all of one page names of its own: other pages have a ``#summary`` too."""
    prefix = nodes.make_id(page["docname"])
    for node in page.findall(nodes.Element):
        node["ids"] += [f"{prefix}-{name}" for name in node["ids"]]
        if "refid" in node:
            node["refid"] = f"{prefix}-{node['refid']}"


def find_folded(page: nodes.Element) -> Iterator[tuple[str, list[nodes.Node]]]:
    """Each solution's cell, and each answer from ``<details>`` to ``</details>``."""
    for node in page.findall():
        if isinstance(node, nodes.container) and node.get("hide_mode") == "all":
            del node["hide_mode"]
            yield "Solution", [node]
        elif isinstance(node, nodes.raw) and node.astext().startswith("<details"):
            siblings = node.parent.children[node.parent.index(node) :]
            ends = (n.astext().startswith("</details") for n in siblings)
            yield "Answer", siblings[: list(ends).index(True) + 1]


def answers(name: str) -> str:
    """The id of a page's last section."""
    return f"{nodes.make_id(name)}-answers"


def move_folded(page: nodes.Element, name: str) -> None:
    """Put solutions and answers in a section at the end, with links to and fro."""
    prefix = nodes.make_id(name)
    end = nodes.section("", nodes.title(text="Solutions and answers"))
    end["ids"] = [answers(name)]
    counts: Counter[str] = Counter()
    for kind, folded in list(find_folded(page)):
        counts[kind] += 1
        label = f"{kind} {counts[kind]}"
        there = nodes.make_id(f"{prefix} {label}")
        here = f"{there}-asked"
        link = nodes.reference("", f"{label}: at the chapter’s end", refid=there)
        back = nodes.reference("", label, refid=here)
        folded[0].parent.replace(folded[0], nodes.paragraph("", "", link, ids=[here]))
        for node in folded[1:]:
            node.parent.remove(node)
        end += nodes.paragraph("", "", nodes.strong("", "", back), ids=[there])
        end += [node for node in folded if not isinstance(node, nodes.raw)]
    if len(end) > 1:
        next(page.findall(nodes.section)).append(end)


def mathml(tex: str, display: str) -> str:
    """A formula in MathML, with TeX's thin space after a function's name."""
    names = r"(<mi>[a-z]{2,}</mi>)(?=<m[^o])"
    return re.sub(names, r'\1<mspace width="0.17em"/>', convert(tex, display=display))


def visit_math(self: Any, node: nodes.math) -> None:
    """Write a formula in the line."""
    self.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_displaymath(self: Any, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    self.body.append(f"<div>{mathml(node.astext(), 'block')}</div>")
    raise nodes.SkipNode


class EBook(Epub3Builder):
    """Sphinx's, for a book whose first page lies in a folder, and with MathML."""

    def get_toc(self) -> None:
        """Name the pages as the list of files does: no folder is left again."""
        super().get_toc()
        for node in self.refnodes:
            node["refuri"] = normpath(node["refuri"])

    def build_content(self) -> None:
        """Leave out the site's static files, and say which pages have formulas."""
        folder = Path(self.outdir)
        for path in folder.glob("_static/**/*.*"):
            if path.is_file() and path.name not in STYLES:
                path.unlink()
        super().build_content()
        content = folder / "content.opf"
        text = content.read_text("utf-8")
        for path in folder.rglob("*.xhtml"):
            if "<math" in path.read_text("utf-8"):
                name = f'href="{path.relative_to(folder).as_posix()}" media-type'
                text = text.replace(name, f'properties="mathml" {name}')
        content.write_text(text, "utf-8")


def choose_files(app: Sphinx) -> None:
    """Set what the site has in another way."""
    if app.builder.name in OnPaper.builders:
        app.config.html_scaled_image_link = False  # to the picture by itself
        app.config.html_domain_indices = False
        app.builder.download_support = False
        app.config.epub_exclude_files.append(f"{LIVING}.xhtml")
        app.set_html_assets_policy("always")  # MathJax; the first page has no formula
    if app.builder.name == "epub":
        app.connect("html-page-context", choose_styles, priority=900)


def choose_styles(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Let an e-book have its own style sheet and not the site's."""
    styles = context["css_files"]
    styles[:] = [s for s in styles if Path(str(s.filename)).name in STYLES]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(OnPaper)
    app.config.version = mnistedu.__version__
    app.add_builder(EBook, override=True)
    app.connect("builder-inited", choose_files)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.add_config_value("epub_math_renderer", "mathml", "epub")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
