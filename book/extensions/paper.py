"""A Sphinx extension for the book as a file, PDF or EPUB, where no script runs.

What a page of the site folds away stands in an appendix (solutions and answers) or
nowhere (imports, and the code that draws a figure); of what lives in a page is said
that it does.
The PDF is printed from the builder ``singlehtml``, by book/pdf.py; an EPUB has its
formulas in MathML, which its readers draw themselves.
"""

import re
from collections.abc import Iterator
from itertools import count
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
from sphinx.util.osutil import relative_uri

import mnistedu

LIVING = "book/train"  # a page about what lives in it
LIVES = "On the site of the book (make serve) there is something to play with here."
STYLES = ("pygments.css", "paper.css")
# The last page, which has no file: beside the chapters, whose links are true there too.
APPENDIX = "notebooks/answers"
TITLE = "Solutions and answers"


class OnPaper(SphinxPostTransform):
    """Leaves out what needs a screen, and unfolds the rest."""

    default_priority = 190  # when links are resolved, and before MyST-NB folds cells
    builders = ("epub", "singlehtml")

    def run(self, **kwargs: Any) -> None:
        """Change a page, or the one page of all, whose parts are ``start_of_file``."""
        for node in list(self.document.findall(is_left_out)):
            node.parent.remove(node)
        for place in list(self.document.findall(Place)):
            # Without the place's id, to which only pages of the site lead.
            sentence = nodes.paragraph("", "", nodes.emphasis(text=LIVES))
            place.parent.replace(place, sentence)
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
            self.move_folded(page)
        if pages:
            self.document[0]["ids"].append(f"document-{self.env.docname}")
            end = addnodes.start_of_file(docname=APPENDIX)
            end += appendix(take_folded(self.document))
            pages[-1].parent.append(end)

    def move_folded(self, page: nodes.Element) -> None:
        """Put solutions and answers in a section at a page's end, with links.

        Each is named after its chapter and its exercise, or its place among the
        chapter's questions.
        """
        name, builder = self.env.docname, self.app.builder
        to = builder.get_relative_uri(name, APPENDIX)
        fro = builder.get_relative_uri(APPENDIX, name)
        if isinstance(page, addnodes.start_of_file):
            name, to, fro = page["docname"], "", ""
        title = chapter = self.env.titles[name].astext()
        if numbers := self.env.toc_secnumbers.get(name, {}).get(""):
            chapter = f"Chapter {numbers[0]}"
            title = f"{chapter}: {title}"
        end = nodes.section("", nodes.title(text=title), classes=["folded"])
        end["ids"] = [nodes.make_id(f"{name} folded")]
        for number, (kind, which, folded) in enumerate(list(find_folded(page))):
            there = nodes.make_id(f"{name} folded {number}")
            here = f"{there}-asked"
            label = f"{chapter}, {which}"
            link = nodes.reference("", label, refuri=f"{to}#{there}")
            asked = nodes.paragraph("", f"{kind} in the appendix: ", link, ids=[here])
            folded[0].parent.replace(folded[0], asked)
            for node in folded[1:]:
                node.parent.remove(node)
            back = nodes.reference("", label, refuri=f"{fro}#{here}")
            end += nodes.section("", nodes.title("", "", back), ids=[there])
            end[-1] += [node for node in folded if not isinstance(node, nodes.raw)]
        if len(end) > 1:
            next(page.findall(nodes.section)).append(end)


def is_left_out(node: nodes.Node) -> bool:
    """The page about what lives, and comments."""
    if isinstance(node, addnodes.start_of_file):
        return node["docname"] == LIVING
    return isinstance(node, nodes.raw) and node.astext().startswith("<!--")


def tell_apart(page: nodes.Element) -> None:
    """Give all of one page names of its own: other pages have a ``#summary`` too."""
    prefix = nodes.make_id(page["docname"])
    for node in page.findall(nodes.Element):
        node["ids"] += [f"{prefix}-{name}" for name in node["ids"]]
        if "refid" in node:
            node["refid"] = f"{prefix}-{node['refid']}"


def find_folded(page: nodes.Element) -> Iterator[tuple[str, str, list[nodes.Node]]]:
    """Each solution's cell, and each answer from ``<details>`` to ``</details>``."""
    questions = count(1)
    for node in page.findall():
        if isinstance(node, nodes.container) and node.get("hide_mode") == "all":
            del node["hide_mode"]
            heading = node.parent[0].astext().lower()
            yield "Solution", re.findall(r"exercise \d+", heading)[0], [node]
        elif isinstance(node, nodes.raw) and node.astext().startswith("<details"):
            siblings = node.parent.children[node.parent.index(node) :]
            ends = (n.astext().startswith("</details") for n in siblings)
            folded = siblings[: list(ends).index(True) + 1]
            yield "Answer", f"question {next(questions)}", folded


def take_folded(page: nodes.Element) -> list[nodes.section]:
    """Take the sections with solutions and answers out of a page."""
    parts = [s for s in page.findall(nodes.section) if "folded" in s["classes"]]
    for part in parts:
        part.parent.remove(part)
    return parts


def appendix(parts: list[nodes.section]) -> nodes.section:
    """All solutions and answers, chapter by chapter."""
    return nodes.section("", nodes.title(text=TITLE), *parts, ids=["answers"])


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

    def init(self) -> None:
        """Begin without solutions."""
        super().init()
        self.folded: dict[str, list[nodes.section]] = {}

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Keep a page's solutions and answers for the appendix."""
        self.folded[docname] = take_folded(doctree)
        super().write_doc(docname, doctree)

    def gen_pages_from_extensions(self) -> None:
        """Write the appendix, in the book's order."""
        super().gen_pages_from_extensions()
        parts = [p for name in self.relations for p in self.folded[name]]
        self.secnumbers = {}
        self.imgpath = relative_uri(APPENDIX, "_images")
        page = self.render_partial(appendix(parts))
        context = {"title": TITLE, "body": page["fragment"]}
        self.handle_page(APPENDIX, context)

    def get_toc(self) -> None:
        """Name the pages as the list of files does: no folder is left again."""
        super().get_toc()
        for node in self.refnodes:
            node["refuri"] = normpath(node["refuri"])
        address = f"{APPENDIX}{self.out_suffix}"
        self.refnodes.append({"level": 1, "refuri": address, "text": TITLE})

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
    if app.builder.name == "singlehtml":
        # Before the theme reads them.
        app.connect("html-page-context", add_to_contents, priority=100)


def choose_styles(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Let an e-book have its own style sheet and not the site's."""
    styles = context["css_files"]
    styles[:] = [s for s in styles if Path(str(s.filename)).name in STYLES]


def add_to_contents(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Name the appendix in the contents of the one long page."""
    link = f'<a class="reference internal" href="#answers">{TITLE}</a>'
    context["toc"] += f'<ul><li class="toctree-l1">{link}</li></ul>'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_post_transform(OnPaper)
    app.config.version = mnistedu.__version__
    app.add_builder(EBook, override=True)
    app.connect("builder-inited", choose_files)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.add_config_value("epub_math_renderer", "mathml", "epub")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
