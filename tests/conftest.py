"""Fixtures that several test files share."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from mnistedu.data import Digits, load

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
    names = ("chromium", "chromium-browser", "google-chrome")
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
