"""Check the links that lead out of the course: `python book/links.py`.

It asks for each page once, for its head first, and prints those that are gone. A site
that answers programs with a refusal is named too, but is no fault: look for yourself.
"""

import re
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import nbformat

ROOT = Path(__file__).parents[1]
TIMEOUT = 20  # seconds
REFUSALS = (401, 403, 429)
AT_HOME = r"https?://(?:localhost|127\.0\.0\.1)\b"


def links(path: Path) -> set[str]:
    """The addresses in a page, a notebook's prose or a BibTeX file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    found = set(re.findall(r"https?://[^\s<>\"'`)}\]]+", text))
    # A DOI leads to a publisher, and many refuse programs: ask the register itself.
    dois = set(re.findall(r"doi\s*=\s*\{(.+?)\}", text))
    dois |= {link.partition("doi.org/")[2] for link in found if "doi.org/" in link}
    found = {link.rstrip(".,;:") for link in found if "doi.org/" not in link}
    return found | {f"https://doi.org/api/handles/{doi}" for doi in dois}


def problem(link: str) -> str:
    """What is the matter with an address; nothing if it can be had."""
    for method in ("HEAD", "GET"):  # not every server knows the first
        request = Request(link, method=method, headers={"User-Agent": "Mozilla/5.0"})
        try:
            with urlopen(request, timeout=TIMEOUT):
                return ""
        except HTTPError as error:
            found = f"{error.code} {error.reason}"
            if error.code in REFUSALS:
                found += ", a refusal"
        except (OSError, HTTPException, ValueError) as error:
            found = str(getattr(error, "reason", error))
    return found


def main(paths: Iterable[Path]) -> int:
    """Print what cannot be had; return 1 if anything is gone, else 0."""
    where: dict[str, list[str]] = {}
    for path in paths:
        for link in links(path):
            if not re.match(AT_HOME, link):
                where.setdefault(link, []).append(path.name)
    with ThreadPoolExecutor(8) as pool:
        problems = dict(zip(where, pool.map(problem, where), strict=True))
    faults = {link: found for link, found in sorted(problems.items()) if found}
    for link, found in faults.items():
        print(f"{link}: {found} (in {', '.join(sorted(where[link]))})")
    gone = [link for link, found in faults.items() if "a refusal" not in found]
    print(f"{len(where)} links, {len(gone)} gone.")
    return bool(gone)


if __name__ == "__main__":
    patterns = ("*.md", "book/*.md", "book/*.bib", "notebooks/*.ipynb")
    sys.exit(main(path for pattern in patterns for path in sorted(ROOT.glob(pattern))))
