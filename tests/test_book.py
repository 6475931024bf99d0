"""The site: it builds without a warning and opens without a network."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref=[\"']?(?:https?:)?//"
    r"|(?:url\(|@import )[\"']?(?:https?:)?//",
)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, skip_or_fail: Callable[[str], None]
) -> Path:
    """The folder of the built site."""
    output = tmp_path_factory.mktemp("book")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT]
    options = ["--path-output", output, "-W", "-n", "--keep-going"]
    build = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False
    )
    log = build.stdout + build.stderr
    if "MathJax is missing" in log:
        skip_or_fail("MathJax is not in book/node_modules and npm could not fetch it.")
    assert build.returncode == 0, log
    return output / "_build" / "html"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site served on this machine, as a host of static files would serve it."""
    handler = partial(QuietHandler, directory=site)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def pages(site: Path) -> list[Path]:
    """The pages for readers; what lies in _static are templates of the theme."""
    return [path for path in site.rglob("*.html") if "_static" not in path.parts]


def test_build_is_clean(site):
    assert site / "book" / "intro.html" in pages(site)


def test_nothing_is_loaded_from_elsewhere(site):
    files = [*pages(site), *site.rglob("*.css")]
    found = {str(path): ELSEWHERE.findall(path.read_text("utf-8")) for path in files}
    assert {path: hits for path, hits in found.items() if hits} == {}


def test_every_page_opens_by_itself(site: Path, address: str, browser: Browser):
    page = browser.new_page()
    requests: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: said.type == "error" and faults.append(str(said)))
    page.on("response", lambda got: got.status < 400 or faults.append(got.url))
    for path in pages(site):
        page.goto(f"{address}/{path.relative_to(site).as_posix()}")
        page.wait_for_load_state("networkidle")
        if page.locator(".math").count():
            page.locator("mjx-container").first.wait_for()
            assert page.locator("mjx-merror").count() == 0, path
    page.close()
    away = [url for url in requests if not url.startswith((address, "data:", "blob:"))]
    assert (away, faults) == ([], [])
    assert any("MathJax_Main-Regular.woff" in url for url in requests)
