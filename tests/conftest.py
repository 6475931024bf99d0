"""Fixtures that several test files share."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import book_site
import pytest
from filelock import FileLock
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    expect,
    sync_playwright,
)

from mnistedu.data import Digits, load

# A busy machine answers late, and is not wrong for that.
expect.set_options(timeout=20_000)

CHROMIUM_ARGS = [
    "--no-sandbox",  # a container's root user has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def skip_or_fail() -> Callable[[str], None]:
    """Skips a test, or fails it where a skip would hide a fault (in CI)."""
    required = os.environ.get("MNISTEDU_REQUIRE_BROWSER") == "1"
    return pytest.fail if required else pytest.skip


@pytest.fixture(scope="module")
def browser(skip_or_fail: Callable[[str], None]) -> Iterator[Browser]:
    """A headless Chromium, from MNISTEDU_BROWSER, PATH or Playwright itself."""
    # One for each test file: a Playwright left open until the session ends keeps an
    # event loop running in this thread, under the notebooks that nbval then runs.
    # The shell has no window to draw, and takes half the processor's time.
    names = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    executable = os.environ.get("MNISTEDU_BROWSER") or found
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=executable, args=CHROMIUM_ARGS
            )
        except Error as error:
            skip_or_fail(
                "No Chromium could be started; install one with "
                f"`playwright install chromium`. ({error.message.splitlines()[0]})"
            )
        yield chromium
        chromium.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Popen[str]]]:
    """Starts a Python with these arguments, whose output can be read.

    When the test has ended, so does the program, with all that it has started.
    """
    with ExitStack() as stack:

        def start(*arguments: object, **options: Any) -> Popen[str]:
            command = [sys.executable, *map(str, arguments)]
            pipes = {"stdout": PIPE, "stderr": PIPE, "encoding": "utf-8"}
            program = Popen(command, start_new_session=True, **pipes | options)
            stack.callback(kill, stack.enter_context(program))
            return program

        yield start


def kill(program: Popen[str]) -> None:
    if os.name == "nt":
        program.kill()
    else:
        with suppress(ProcessLookupError):  # all have ended by themselves
            os.killpg(program.pid, signal.SIGKILL)


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """It is not where a script started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def site(
    skip_or_fail: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of the book, built once for all processes."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # each process has a folder of its own in there
    with FileLock(shared / "book.lock"):
        log = book_site.build(shared / "book")
    if "npm could not fetch" in log:
        skip_or_fail("npm could not fetch what book/package-lock.json lists.")
    assert log.endswith("exit status 0"), log
    return book_site.ROOT / "_build" / "html"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site as a host serves it whose pages may load only what lies on it."""
    with book_site.served(site) as address:
        yield address


@pytest.fixture(scope="module")
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """Windows in which no error and no request to another host goes unnoticed."""
    context = browser.new_context(has_touch=True, reduced_motion="reduce")
    requests, faults = book_site.collect(context)
    yield context
    context.close()
    away = [u for u in requests if not u.startswith((address, "data:", "blob:"))]
    assert (away, faults) == ([], [])


@pytest.fixture(scope="session")
def mnist() -> Digits:
    """MNIST, or a skip where it cannot be had."""
    try:
        return load("mnist")
    except ConnectionError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def offline() -> Digits:
    """The 1,797 digits that every machine has."""
    return load("offline")
