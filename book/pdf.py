"""Print the book, as `make pdf` does after Sphinx has made one long page of it.

A Chromium prints what lies in _build/singlehtml to _build/mnistedu.pdf: the one that
MNISTEDU_BROWSER names, one on the PATH, or Playwright's own.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

BUILD = Path(__file__).parents[1] / "_build"
NAMES = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
# The first lets a page in a file have its fonts; a container's root has no sandbox.
OPTIONS = ["--allow-file-access-from-files", "--no-sandbox"]
# All of them, also those that would wait until one scrolls to them.
PICTURES = """Promise.all([...document.images].map(image => {
    image.loading = "eager"
    return image.decode()
}))"""
FOOT = (
    '<div style="width: 100%; font-size: 8px; text-align: center">'
    '<span class="pageNumber"></span></div>'
)


def main() -> None:
    """Open the page, wait for its formulas and pictures, and print it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("MNISTEDU_BROWSER") or found,
                args=OPTIONS,
            )
        except Error:
            sys.exit(
                "No Chromium could be started to print the book; install one with "
                "`.venv/bin/playwright install chromium`."
            )
        # The addresses in the page are those of one in the folder above.
        whole = BUILD / "singlehtml" / "whole.html"
        shutil.copy(whole.parent / "book" / "intro.html", whole)
        page = browser.new_page(color_scheme="light")
        page.goto(whole.as_uri())
        page.evaluate("MathJax.startup.promise")
        page.evaluate(PICTURES)
        page.pdf(
            path=BUILD / "mnistedu.pdf",
            format="A4",
            scale=0.8,  # so that a line of code, 79 signs, is one line
            margin={"top": "18mm", "bottom": "20mm", "left": "20mm", "right": "20mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOT,
            outline=True,
            tagged=True,
        )
        browser.close()


if __name__ == "__main__":
    main()
