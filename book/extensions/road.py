"""A Sphinx extension: under a chapter's title, where on the course's road it lies.

road.svg beside this file draws a digit's way through the course, a part for each
chapter, and can be looked at by itself; book/static/road.css lays it out. A chapter's
page has it with its own part lit, the first page has it whole. The notebooks, and the
book as a file, do without.
"""

import re
from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PART = re.compile(r'<g id="(.+?)".*?>\s*<title>(.+?)</title>(.+?)</g>', re.S)
PARTS = PART.findall(Path(__file__).with_suffix(".svg").read_text("utf-8"))


def draw(app: Sphinx, page: str) -> str:
    """The road as a page has it: a list of links, each with its drawing."""
    items = []
    for stem, label, drawing in PARTS:
        name = f"notebooks/{stem}"
        number = app.env.toc_secnumbers[name][""][0]
        title = escape(app.env.titles[name].astext())
        address = app.builder.get_relative_uri(page, name) or "#"
        here = ' aria-current="page"' if name == page else ""
        items.append(
            f'<li><a href="{address}"{here}>'
            f'<svg viewBox="0 0 48 48" aria-hidden="true">{drawing.strip()}</svg>'
            f"{label} <span>{number}. {title}</span></a></li>"
        )
    start = '<nav class="road" aria-label="A digit’s way through the course">'
    return "\n".join([start, "<ol>", *items, "</ol>", "</nav>"])


def insert(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Put the road under a chapter's title, and above the first page's list of them."""
    places = {f"notebooks/{stem}": "</h1>" for stem, *_ in PARTS}
    places[app.config.root_doc] = 'id="the-chapters">.*?</h2>'
    if app.builder.name == "html" and page in places:
        app.add_css_file("road.css")
        place = re.compile(places[page], re.S)
        road = draw(app, page)
        context["body"] = place.sub(lambda m: m[0] + road, context["body"], 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
