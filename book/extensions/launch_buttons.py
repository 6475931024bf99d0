"""A Sphinx extension: what leads from a page to where the course lies.

That is known to GitHub Actions, which builds the published site: it has buttons that
open a chapter on Binder and on Colab, and in its footer source, citation and a place to
report an error. A site built elsewhere has none; the button to download a page is
always there.
"""

import os
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config


def add_buttons(app: Sphinx, config: Config) -> None:
    """Tell the theme where the course lies, if anything is known of it."""
    repository = os.environ.get("GITHUB_REPOSITORY")
    if not repository:
        return
    address = f"https://github.com/{repository}"
    leads = {
        "Source": address,
        "How to cite": f"{address}/blob/main/CITATION.cff",
        "Report an error on this page": f"{address}/issues/new",
    }
    links = (f'<a href="{to}">{name}</a>' for name, to in leads.items())
    footer = config.html_theme_options.get("extra_footer", "")
    config.html_theme_options |= {
        "extra_footer": f"{footer}<p>{' · '.join(links)}</p>",
        "repository_url": address,
        "repository_branch": os.environ.get("GITHUB_REF_NAME", "main"),
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }


def lead_to_colab(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Let the button open the copy of the chapter that installs the package."""
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button["text"] == "Colab":
                start, _, path = button["url"].partition("/blob/")
                branch = app.config.html_theme_options["repository_branch"]
                button["url"] = f"{start}/blob/colab/{path.removeprefix(branch + '/')}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", add_buttons)
    app.connect("html-page-context", lead_to_colab, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
