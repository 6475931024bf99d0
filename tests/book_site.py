"""The built site, and a host that serves it."""

import re
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
)

from mnistedu.strokes import Point

ROOT = Path(__file__).parents[1]
AXE = ROOT / "book" / "node_modules" / "axe-core" / "axe.min.js"
BARRIERS = """async ([impacts, options]) => {
    const {violations} = await axe.run({resultTypes: ["violations"], ...options})
    return violations
        .filter(({impact}) => impacts.includes(impact))
        .map(({id, nodes}) => `${id}: ${nodes.map(node => node.html)}`)
}"""
# Of a page's elements most are words of code. In a block those of one class have one
# colour, so the first of each is enough for axe; the others become plain text.
ONE_OF_EACH_COLOUR = """() => {
    for (const block of document.querySelectorAll(".highlight pre")) {
        const seen = new Set()
        for (const word of block.querySelectorAll("span[class]")) {
            if (seen.has(word.className)) word.replaceWith(...word.childNodes)
            else seen.add(word.className)
        }
    }
}"""
LISTEN = """region => {
    region.said = []
    region.shown = []
    new MutationObserver(() => {
        region.shown.push(region.textContent)
        if (region.ariaLive !== "off") region.said.push(region.textContent)
    }).observe(region, {childList: true, characterData: true, subtree: true})
}"""
HEIGHTS = """place => [".pad", ".pad > *", ".stage > *", ".watch > *"]
    .flatMap(parts => [...place.querySelectorAll(parts)])
    .map(part => part.getBoundingClientRect().height)"""
# Playwright's own "networkidle" now and then never comes with a newer browser.
SETTLED = """async () => {
    await globalThis.MathJax?.startup?.promise
    await new Promise(resolve => {
        let timer
        const wait = () => {
            clearTimeout(timer)
            timer = setTimeout(resolve, 500)
        }
        new PerformanceObserver(wait).observe({type: "resource"})
        wait()
    })
}"""
SERIOUS = ("serious", "critical")
ANY = ("minor", "moderate", *SERIOUS)


def build(folder: Path) -> str:
    """Build all pages, as `make book` does and where, unless this folder says so.

    Returns:
        What the build wrote; that of a failed one ends so.
    """
    log = folder / "log.txt"
    if not log.exists():
        jupyter_book = Path(sys.executable).with_name("jupyter-book")
        command = [str(jupyter_book), "build", str(ROOT)]
        options = ["--all", "-W", "-n", "--keep-going"]
        done = subprocess.run([*command, *options], capture_output=True, text=True)
        folder.mkdir(exist_ok=True)
        said = f"{done.stdout}{done.stderr}exit status {done.returncode}"
        log.write_text(said, "utf-8")
    return log.read_text("utf-8")


def pages(site: Path) -> list[Path]:
    """The pages for readers; what lies in _static are templates of the theme."""
    return [path for path in site.rglob("*.html") if "_static" not in path.parts]


def collect(window: Page | BrowserContext) -> tuple[list[str], list[str]]:
    """Two lists that fill while pages are open: what they ask for, and their faults."""
    requests: list[str] = []
    faults: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error":
            faults.append(f"{said.text} {said.location['url']}")

    def answer(got: Response) -> None:
        if got.status >= 400:
            faults.append(got.url)

    window.on("request", lambda request: requests.append(request.url))
    window.on("console", note)
    window.on("response", answer)
    if isinstance(window, Page):
        window.on("pageerror", lambda error: faults.append(str(error)))
    else:
        window.on("weberror", lambda error: faults.append(str(error.error)))
    return requests, faults


def settle(page: Page) -> None:
    """Wait until the formulas stand there and nothing has come for half a second."""
    page.evaluate(SETTLED)


def resize(page: Page, width: int, height: int) -> None:
    """Change the window, and wait until the page has answered with a picture."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def barriers(
    page: Page, impacts: Sequence[str] = SERIOUS, **options: object
) -> list[str]:
    """What axe calls serious or worse for those who cannot see, hear or point."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE.read_text("utf-8"))
    page.evaluate(ONE_OF_EACH_COLOUR)
    found: list[str] = page.evaluate(BARRIERS, [impacts, options])
    return found


def touch(place: Locator, points: Sequence[Point], across: int = 280) -> None:
    """Draw a stroke with a finger, on a place that is so many units wide."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box
    unit = box["width"] / across
    devtools = place.page.context.new_cdp_session(place.page)
    kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
    for kind, (x, y) in zip(kinds, points, strict=True):
        at = {"x": box["x"] + x * unit, "y": box["y"] + y * unit}
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def two_ones(sheet: Locator) -> None:
    """Draw what no reader of one digit can answer."""
    for x in (90, 190):
        touch(sheet, [(x, 60), (x, 220)])


def listen(region: Locator) -> Callable[[], list[str]]:
    """What a screen reader says of a live region from now on."""
    region.evaluate(LISTEN)
    return partial(region.evaluate, "region => region.said")


def shown(region: Locator) -> list[str]:
    """All that stood there since one began to listen, also what was not read out."""
    texts: list[str] = region.evaluate("region => region.shown")
    return texts


def heights(place: Locator) -> list[float]:
    """How high a card is, and its parts: what comes later should not move them."""
    found: list[float] = place.evaluate(HEIGHTS)
    return found


def expect_no_barriers(page: Page) -> None:
    """Nothing at all that axe would say, in either theme."""
    page.add_style_tag(content="* { transition: none !important }")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert barriers(page, ANY) == [], theme


class Host(SimpleHTTPRequestHandler):
    """A host of static files that allows its pages nothing but themselves."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", self.policy())
        super().end_headers()

    def policy(self) -> str:
        """Each script that stands in a page is allowed by its hash, and no other."""
        path = Path(self.translate_path(self.path))
        page = path.read_text("utf-8") if path.suffix == ".html" else ""
        inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, re.S)
        inline += re.findall(r'\bonclick="([^"]*)"', page)
        digests = {b64encode(sha256(text.encode()).digest()) for text in inline}
        hashes = " ".join(f"'sha256-{digest.decode()}'" for digest in digests)
        return (
            "default-src 'self'; img-src 'self' data:; "
            "style-src 'self' 'unsafe-inline'; "
            f"script-src 'self' 'wasm-unsafe-eval' 'unsafe-hashes' {hashes}"
        )

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of the site, while it is served on this machine."""
    with ThreadingHTTPServer(("localhost", 0), partial(Host, directory=site)) as server:
        serve = partial(server.serve_forever, poll_interval=0.01)  # to end at once
        threading.Thread(target=serve).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
