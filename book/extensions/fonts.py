"""A Sphinx extension that puts the book's fonts into the site.

Noto Sans for the text, Source Serif 4 for headings, so that a line is as long as it was
meant on every system. Both are under the SIL Open Font License, which lies beside them.
"""

from pathlib import Path
from typing import Any

from node_packages import NODE_MODULES, copy
from sphinx.application import Sphinx

FONTS = {  # what fonts.css names
    "noto-sans": ["400-normal", "400-italic", "700-normal"],
    "source-serif-4": ["500-normal"],
}
TEXT = "_static/fonts/noto-sans-latin-400-normal.woff2"


def copy_fonts(app: Sphinx) -> None:
    """Put them into the static files; nothing, if npm could not fetch them."""
    target = Path(app.outdir, "_static/fonts")
    for font, styles in FONTS.items():
        source = NODE_MODULES / "@fontsource" / font
        files = [f"{font}-latin-{style}.woff2" for style in styles]
        copy(source / "files", files, target)
        copy(source, ["LICENSE"], target / font)
    if Path(app.outdir, TEXT).exists():
        app.add_css_file("fonts.css")
        app.connect("html-page-context", preload)


def preload(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Have the text's font fetched at once, so that words stay where they are."""
    link = f'<link rel="preload" href="{context["pathto"](TEXT, resource=True)}" '
    link += 'as="font" type="font/woff2" crossorigin>'
    context["metatags"] = context.get("metatags", "") + link


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.setup_extension("node_packages")
    names = {"html", "singlehtml"}  # an e-book's reader has fonts of its own
    app.connect(
        "builder-inited",
        lambda app: copy_fonts(app) if app.builder.name in names else None,
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
