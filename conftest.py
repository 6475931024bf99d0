"""How pytest compares the notebooks' outputs: strictly on Linux with MNIST, else lax.

The stored outputs come from MNIST and a Linux machine. Elsewhere every cell is executed
all the same, and only those tagged ``nbval-check-output`` are compared.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

SANITIZE = Path(__file__).parent / "tests" / "sanitize.cfg"
MODE = pytest.StashKey[str]()
# Those and the notebooks, which take longest, begin first: at the end of a run no
# process then waits long for another.
SLOW = {
    "test_book.py",
    "test_browser.py",
    "test_exercises.py",
    "test_export.py",
    "test_faults.py",
    "test_figures.py",
    "test_live.py",
    "test_live_access.py",
    "test_surgery.py",
    "test_training.py",
}


# After nbval has read its options, before it collects.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    os.environ["MNISTEDU_PROGRESS"] = ""  # no test writes to a reader's record
    # A graphics card adds up in another order, and the stored outputs come from none.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    option = config.option
    if getattr(option, "numprocesses", None):
        os.environ["OMP_NUM_THREADS"] = "1"  # the processes share the processors
    if not getattr(option, "nbval", False):
        return
    os.environ["TQDM_DISABLE"] = "1"  # the stored outputs hold no progress bars
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(SANITIZE)
    if hasattr(config, "workerinput"):  # one of several, which has not to ask again
        if config.workerinput["lax"]:
            option.nbval, option.nbval_lax = False, True
        return
    from mnistedu.data import load  # torch: not for a run without notebooks

    try:
        load("mnist")
    except (ConnectionError, ValueError) as error:
        option.nbval, option.nbval_lax = False, True
        config.stash[MODE] = (
            "executed on scikit-learn's digits, outputs compared only where they "
            f"cannot depend on the data ({error})"
        )
    else:
        config.stash[MODE] = "executed on MNIST, outputs compared strictly"
        if sys.platform != "linux":
            option.nbval, option.nbval_lax = False, True
            config.stash[MODE] = "executed on MNIST, outputs compared where tagged"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process that xdist starts how notebooks are compared."""
    node.workerinput["lax"] = bool(getattr(node.config.option, "nbval_lax", False))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: item.path.suffix != ".ipynb" and item.path.name not in SLOW
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    mode = config.stash.get(MODE, None)
    return mode and f"notebooks: {mode}"
