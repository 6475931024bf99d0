"""The last chapter in a real JupyterLab, drawn on with mouse and finger."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, FloatRect, Page, expect

CHAPTER = Path(__file__).parents[1] / "notebooks" / "09_draw.ipynb"
TOKEN = "drawing"
SEVEN = [(78, 72), (130, 66), (200, 62), (185, 110), (160, 160), (138, 215)]
ONE = [(150, 40), (144, 110), (138, 180), (132, 240)]
ZERO = [
    (140, 50), (104, 68), (83, 113), (83, 167), (104, 212), (140, 230),
    (176, 212), (197, 167), (197, 113), (176, 68), (140, 50),
]  # fmt: skip

Point = tuple[float, float]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the chapter in a JupyterLab that knows no one's settings."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copy(CHAPTER, home / "chapter.ipynb")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    with (home / "server.log").open("w") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"),
            ],
            env=os.environ | {name: str(home / f) for name, f in folders.items()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield f"http://127.0.0.1:{port}/lab/tree/chapter.ipynb?token={TOKEN}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        print((home / "server.log").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(browser: Browser, lab: str) -> Iterator[Page]:
    """The chapter with all its cells run, the pad in view."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, has_touch=True
    )
    page = context.new_page()
    # The server refuses connections for its first seconds.
    for _ in range(300):
        try:
            page.goto(lab)
            break
        except Error:
            page.wait_for_timeout(100)
    expect(page.locator(".jp-NotebookPanel")).to_be_visible(timeout=30_000)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=30_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator('[data-command="runmenu:run-all"]').click()
    canvas = page.locator(".mnistedu-pad canvas")
    expect(canvas).to_be_attached(timeout=120_000)  # all cells above it run first
    canvas.scroll_into_view_if_needed()
    yield page
    context.close()


def box(page: Page) -> FloatRect:
    """Where the canvas lies in the window."""
    rectangle = page.locator(".mnistedu-pad canvas").bounding_box()
    assert rectangle
    return rectangle


def draw(page: Page, points: Sequence[Point]) -> None:
    corner = box(page)
    for i, (x, y) in enumerate(points):
        page.mouse.move(corner["x"] + x, corner["y"] + y, steps=5 if i else 1)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


def touch(page: Page, points: Sequence[Point]) -> None:
    corner = box(page)
    devtools = page.context.new_cdp_session(page)
    for i, (x, y) in enumerate(points):
        finger = {"x": corner["x"] + x, "y": corner["y"] + y}
        kind = "touchMove" if i else "touchStart"
        devtools.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [finger]}
        )
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def expect_answer(page: Page, digit: int | None) -> None:
    """The answer, and what the bars and the canvas must then show."""
    says = page.locator(".mnistedu-pad [data-prediction]")
    shown = "" if digit is None else str(digit)
    expect(says).to_have_attribute("data-prediction", shown, timeout=30_000)
    expect(says).to_have_text(shown or "Draw a digit")
    best = page.locator(".mnistedu-pad .best b")
    if digit is None:
        expect(best).to_have_count(0)
    else:
        expect(best).to_have_text(shown)
    page.wait_for_function(
        """blank => {
            const canvas = document.querySelector(".mnistedu-pad canvas")
            const image = canvas.getContext("2d").getImageData(0, 0, 280, 280)
            return blank == image.data.every(value => value == 0)
        }""",
        arg=digit is None,
    )


@pytest.mark.parametrize(
    ("pen", "digit", "points"),
    [(draw, 7, SEVEN), (draw, 0, ZERO), (touch, 1, ONE)],
    ids=["mouse 7", "mouse 0", "touch 1"],
)
def test_reads_what_is_drawn_until_it_is_cleared(page, pen, digit, points):
    expect_answer(page, None)
    pen(page, points)
    expect_answer(page, digit)
    page.locator(".mnistedu-pad").get_by_role("button", name="Clear").click()
    expect_answer(page, None)


def test_keyboard_leads_out_of_the_canvas_to_clear(page):
    draw(page, SEVEN)
    expect_answer(page, 7)
    expect(page.locator(".mnistedu-pad canvas")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Clear")).to_be_focused()
    page.keyboard.press("Enter")
    expect_answer(page, None)


def test_a_reloaded_page_shows_the_drawing_again(page):
    draw(page, SEVEN)
    expect_answer(page, 7)
    page.keyboard.press("Tab")
    page.locator('[data-command="docmanager:save"]').first.click()
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)
    page.reload()
    page.locator(".mnistedu-pad canvas").scroll_into_view_if_needed()
    expect_answer(page, 7)
    page.get_by_role("button", name="Clear").click()
    touch(page, ONE)
    expect_answer(page, 1)
