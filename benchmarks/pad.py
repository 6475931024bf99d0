"""How quickly the pad answers in JupyterLab: `python benchmarks/pad.py`.

A Chromium draws three of the sample digits with its mouse. Printed are the
milliseconds from a mouse event to the last change that it brings about in the page,
those that the kernel needs for it, its own processor time, with and without a look
inside the network; and how many of 200 points arrive that the page sends all at once.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from jupyter_client.blocking import BlockingKernelClient
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from lab import (
    evaluate,
    kernel_of,
    open_and_run,
    running_lab,
    send_at_once,
    write_notebook,
)

from conftest import CHROMIUM_ARGS
from mnistedu.strokes import SAMPLES

DIGITS = (3, 5, 8)

CELL = """
import time
from mnistedu.pad import DrawingPad
from mnistedu.strokes import rasterize

pad = DrawingPad()
handle, seconds = pad._canvas._handle_custom_msg, []

def timed(content, buffers):
    start = time.thread_time()
    handle(content, buffers)
    seconds.append((content["event"], time.thread_time() - start))

pad._canvas._handle_custom_msg = timed
pad
"""

# From the time of the last mouse event to that of the last change after it, once there
# has been none for 100 ms; null if there was none in two seconds.
WATCH = """pad => {
    let start = null, end = null
    new MutationObserver(() => { end = performance.now() })
        .observe(pad, {subtree: true, childList: true, attributes: true})
    pad.querySelector("canvas").addEventListener("mousemove", event => {
        [start, end] = [event.timeStamp, null]
    })
    window.latency = async () => {
        const pause = () => new Promise(resolve => setTimeout(resolve, 10))
        while (performance.now() - start < 2000 && !end) await pause()
        while (end && performance.now() - end < 100) await pause()
        return end && end - start
    }
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        write_notebook(home / "pad.ipynb", [CELL])
        with running_lab(home) as address:
            chromium = os.environ.get("MNISTEDU_BROWSER") or shutil.which("chromium")
            browser = playwright.chromium.launch(
                executable_path=chromium, args=CHROMIUM_ARGS
            )
            page = browser.new_page()
            open_and_run(page, address.format("pad.ipynb"))
            page.locator(".mnistedu-pad canvas").wait_for(timeout=60_000)
            page.locator(".mnistedu-pad").evaluate(WATCH)
            with kernel_of(home) as kernel:
                print("milliseconds      page median   95 %   kernel median")
                print(f"an answer, target {100:11} {'':6}{8.0:15}")
                for view in ("nothing", "block 4", "heatmap"):
                    print_times(page, kernel, view)
                print_arrivals(page, kernel)
            browser.close()


def print_times(page: Page, kernel: BlockingKernelClient, view: str) -> None:
    pad = page.locator(".mnistedu-pad")
    pad.get_by_label("Look inside").select_option(view)
    evaluate(kernel, "seconds.clear()", "None")
    latencies = []
    for digit in DIGITS:
        pad.get_by_role("button", name="Clear").click()
        corner = pad.locator("canvas").bounding_box()
        assert corner
        for stroke in SAMPLES[digit]:
            for i, (x, y) in enumerate(stroke):
                page.mouse.move(corner["x"] + x, corner["y"] + y)
                if i == 0:
                    page.mouse.down()
                else:
                    latencies.append(page.evaluate("latency()"))
            page.mouse.up()
    latencies = [latency for latency in latencies if latency is not None]
    moves = "[s for event, s in seconds if event == 'mouse_move']"
    spent = json.loads(evaluate(kernel, "", moves))
    twentieths = statistics.quantiles(latencies, n=20)
    print(
        f"showing {view:<8}  {statistics.median(latencies):11.0f} {twentieths[-1]:6.0f}"
        f"{1000 * statistics.median(spent):15.1f}    ({len(latencies)} events)"
    )


def print_arrivals(page: Page, kernel: BlockingKernelClient) -> None:
    pad = page.locator(".mnistedu-pad")
    pad.get_by_role("button", name="Clear").click()
    points = [(20 + i, 40 + 17 * i % 200) for i in range(200)]
    evaluate(kernel, "seconds.clear()", "None")
    drawn = send_at_once(pad.locator("canvas"), points)
    same = f"bool((pad.ink - rasterize([{drawn}])).abs().max() < 1e-3)"
    for _ in range(300):
        theirs = evaluate(kernel, "", same)
        if theirs == "True":
            break
        page.wait_for_timeout(100)
    moves = "sum(event in ('mouse_down', 'mouse_move') for event, _ in seconds)"
    arrived = evaluate(kernel, "", moves)
    print(f"{arrived} of 200 points arrived; the ink is theirs: {theirs}")


if __name__ == "__main__":
    main()
