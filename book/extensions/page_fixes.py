"""A Sphinx extension: pages without what their readers would only wait for.

It also mends marks of the theme's and Sphinx's that a screen reader stumbles over, and
a page that names no icon.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# What to replace in the finished pages, by what.
FIXES = [
    # 1.5 MB; the icons come from the theme's font as well.
    (r"<script [^>]*fontawesome\.js[^>]*></script>", ""),
    # The scripts at the page's foot: so early they only hold up its style sheets.
    (r'<link rel="preload" as="script"[^>]*>', ""),
    # Before the theme's script has run, its colours would be none.
    (
        r'(dataset\.theme = localStorage\.getItem\("theme"\) \|\|) "auto";',
        r'\1 (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");',
    ),
    # A tooltip says more than the name of its button, or there is none.
    (r'(<button class="btn search-button-field[^>]*) title="Search"', r"\1"),
    (r'title="Search" (?=aria-label="Search")', 'title="Find a word on any page" '),
    (
        r'aria-label="Color mode" data-bs-title="Color mode"',
        'aria-label="Colour mode" data-bs-title="Light, dark, or as your system says"',
    ),
    # It lies in the landmark of its button.
    (r'data-bs-toggle="tooltip"', r'\g<0> data-bs-container=".bd-header-article"'),
    (r'(<a class="(?:left-prev|right-next)"[^>]*?)\s+title="[^"]*"', r"\1"),
    # An icon is no letter of the name beside it.
    (r'<i class="fa[^"]*"(?=>)', r'\g<0> aria-hidden="true"'),
    # Its name is what one can read on it.
    (r'(<button class="btn search-button-field[^>]*) aria-label="Search"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # Each part of a page lies in a landmark; this one leads to the first page.
    (
        r'<div class="sidebar-primary-item">(?=\s*<a class="navbar-brand logo")',
        '<div class="sidebar-primary-item" role="navigation" aria-label="First page">',
    ),
    # Dialogs, of which two are the sidebars on a phone.
    (r'(<dialog id="pst-search-dialog")>', r'\1 aria-label="Search">'),
    (r'(<dialog id="pst-primary-sidebar-modal")>', r'\1 aria-label="Chapters">'),
    (r'(<dialog id="pst-secondary-sidebar-modal")>', r'\1 aria-label="On this page">'),
    # The arrow beside a chapter that has a page under it.
    (
        r'<summary>(?=<span class="toctree-toggle")',
        '<summary aria-label="Its further pages">',
    ),
    (r'<a class="current reference internal" href="#"', r'\g<0> aria-current="page"'),
    # A list whose items are none.
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    (r' role="doc-biblioentry"', ""),
    # The parameters of a function, a line each: definitions of nothing.
    (r"<dl>(?=\s*<dd>)", '<dl role="presentation">'),
    # On paper a fold is open: it has a name, and no button.
    (r'(?<=expanded admonition-title">)Hide ', '<b class="noprint">Hide </b>'),
    # A figure's size may shrink with the page, and it is fetched when it is near.
    (
        r'(<img [^>]*) style="width: (\d+)px; height: (\d+)px;"',
        r'\1 width="\2" height="\3" loading="lazy" style="--width: \2px"',
    ),
    # The titles of all other pages have a dash.
    (r"(?<=<title>)Search - ", "Search &#8212; "),
    # The site's root, which leads on: without an icon, browsers look for one in vain.
    (r'\A(<meta http-equiv="Refresh")', r'<link rel="icon" href="_static/logo.svg">\1'),
]
# What some pages need and all of them fetch; and the mark of a page that needs it.
SELDOM = [
    (r"<link [^>]*/mystnb\.[^>]*>", r'class="cell\b'),
    (r"<link [^>]*/sphinx-design\.[^>]*>", r'class="sd-'),
    (r"<script [^>]*/design-tabs\.js[^>]*></script>", r'class="sd-tab-'),
    (
        r"<(link|script) [^>]*/togglebutton\.[^>]*>(</script>)?",
        r'class="[^"]*admonition[^"]*dropdown',
    ),
]
# Pages that have another name since the second chapter became two.
MOVED = {
    "02_by_hand": "03_many_layers",
    "03_mlp": "04_mlp",
    "04_cnn": "05_cnn",
    "05_training": "06_training",
    "06_evaluation": "07_evaluation",
    "07_grad_cam": "08_grad_cam",
    "08_feature_maps": "09_feature_maps",
    "09_draw": "10_draw",
}
# The theme's rules for two thousand icons, of which the pages have a dozen.
ICON = r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}'
# For a search in every page, which is turned off; the search page needs them.
SEARCH = r'<script src="[^"]*\b(searchtools|language_data|searchindex)\.js"></script>'


def drop_idle_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Take MathJax out of a page without formulas; Sphinx looks at its subpages too.

    And the script of the questions out of a page that is no chapter.
    """
    idle = [] if page.startswith("notebooks/") else ["quiz.js"]
    if not app.env.get_domain("math").data["has_equations"].get(page):
        idle.append("mathjax")
    scripts = context["script_files"]
    scripts[:] = [s for s in scripts if not any(n in str(s.filename) for n in idle)]


def description(page: str) -> str:
    """A page's first paragraph, for search engines and for who is sent a link."""
    found = re.search(r"<article.*?<p>(.*?)</p>", page, re.S)
    if not found or 'name="description"' in page:  # from an earlier build
        return ""
    text = " ".join(re.sub("<[^>]*>", "", found[1]).split()).replace('"', "&quot;")
    names = ('name="description"', 'property="og:description"')
    return "".join(f'\n<meta {name} content="{text}">' for name in names)


def fix(app: Sphinx, error: Exception | None) -> None:
    """Replace, in the finished pages, what FIXES has; keep the icons that they name."""
    if error:
        return  # there may be no pages
    named: set[str] = set()
    for path in Path(app.outdir).rglob("*.html"):
        text = fixed = path.read_text(encoding="utf-8")
        for pattern, replacement in FIXES:
            fixed = re.sub(pattern, replacement, fixed)
        # On paper a chapter has its number too.
        if found := re.search(r'<h1>(<span class="section-number">.*?</span>)', fixed):
            fixed = re.sub(r"(?<=onlyprint\">\n    <h1>)(?!<)", found[1], fixed)
        for tag, mark in SELDOM:
            if not re.search(mark, fixed):
                fixed = re.sub(tag, "", fixed)
        fixed = fixed.replace("</title>", f"</title>{description(fixed)}", 1)
        if path.name != "search.html":
            fixed = re.sub(SEARCH, "", fixed)
        named.update(re.findall(r"\bfa-[\w-]+", fixed))
        if fixed != text:
            path.write_text(fixed, encoding="utf-8")
    sheet = Path(app.outdir, "_static", "styles", "pydata-sphinx-theme.css")

    def keep(rule: re.Match[str]) -> str:
        return rule[0] if named & {*re.findall(r"fa-[\w-]+", rule[0])} else ""

    kept = re.sub(ICON, keep, sheet.read_text(encoding="utf-8"))
    sheet.write_text(kept, encoding="utf-8")


def lead_on(app: Sphinx, error: Exception | None) -> None:
    """Let the old addresses of MOVED lead to the new ones."""
    for old, new in MOVED.items():
        Path(app.outdir, "notebooks", f"{old}.html").write_text(
            '<!doctype html><link rel="icon" href="../_static/logo.svg">'
            f'<meta http-equiv="Refresh" content="0; url={new}.html">\n',
            encoding="utf-8",
        )


def mend_site(app: Sphinx) -> None:
    """Do all this to the site; the book as a file has other pages."""
    if app.builder.name == "html":
        # After it is in.
        app.connect("html-page-context", drop_idle_scripts, priority=900)
        app.connect("build-finished", lead_on)
        app.connect("build-finished", fix)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", mend_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
