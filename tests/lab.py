"""A JupyterLab, or a Notebook 7, for what needs a real page of one."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from jupyter_client.blocking import BlockingKernelClient
from playwright.sync_api import Error, Locator, Page, expect

from mnistedu.strokes import Point

TOKEN = "drawing"
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
    "XDG_CACHE_HOME": "cache",
}


PAGES = {"jupyterlab": "lab/tree", "notebook": "notebooks"}


@contextmanager
def running_lab(home: Path, program: str = "jupyterlab") -> Iterator[str]:
    """The address of a JupyterLab in this folder that knows no one's settings."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (home / "server.log").open("w") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", program, "--no-browser", "--allow-root"),
                *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"),
            ],
            env=os.environ | {name: str(home / f) for name, f in FOLDERS.items()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield f"http://127.0.0.1:{port}/{PAGES[program]}/{{}}?token={TOKEN}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


def open_and_run(page: Page, address: str) -> None:
    """Open a notebook and run all its cells."""
    # The server refuses connections for its first seconds.
    for _ in range(300):
        try:
            page.goto(address)
            break
        except Error:
            page.wait_for_timeout(100)
    expect(page.locator(".jp-NotebookPanel")).to_be_visible(timeout=60_000)
    status = page.locator("#jp-main-statusbar").get_by_text("| Idle")
    # Notebook 7 has none: there a sentence says that it connects, and fades.
    faded = page.locator("[class$=Status-fade]:not([class*=Status-info])")
    expect(status.or_(faded)).to_be_attached(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator('[data-command="runmenu:run-all"]').click()


@contextmanager
def kernel_of(home: Path, busy: float = 60) -> Iterator[BlockingKernelClient]:
    """The kernel that was started last, once it has time, within so many seconds."""
    files = (home / "runtime").glob("kernel-*.json")
    client = BlockingKernelClient()
    client.load_connection_file(str(max(files, key=lambda file: file.stat().st_mtime)))
    client.start_channels()
    try:
        client.wait_for_ready(timeout=busy)
        yield client
    finally:
        client.stop_channels()


def evaluate(client: BlockingKernelClient, code: str, expression: str) -> str:
    """Run code in the kernel and give what an expression then comes to."""
    reply = client.execute(
        code,
        silent=True,
        user_expressions={"answer": expression},
        reply=True,
        timeout=60,
    )["content"]
    assert reply["status"] == "ok", reply
    return reply["user_expressions"]["answer"]["data"]["text/plain"]


def send_at_once(canvas: Locator, points: Sequence[tuple[int, int]]) -> list[Point]:
    """Draw faster than any mouse can; gives the points as the canvas counts them.

    Mouse events are made of whole pixels of the window, in which the canvas may begin
    in the middle of one.
    """
    left, top = canvas.evaluate(
        """(canvas, points) => {
            const {x, y} = canvas.getBoundingClientRect()
            const left = Math.ceil(x), top = Math.ceil(y)
            const send = (type, point) => canvas.dispatchEvent(new MouseEvent(type, {
                clientX: left + point[0], clientY: top + point[1], bubbles: true}))
            send("mousedown", points[0])
            for (const point of points.slice(1)) send("mousemove", point)
            send("mouseup", points.at(-1))
            return [left - x, top - y]
        }""",
        points,
    )
    return [(x + left, y + top) for x, y in points]
