"""How smoothly the trainer's page runs, and whether it grows: `page.py` or `page.py 2`.

The built site (`make book`) is opened in a Chromium, and its network trains for ten
minutes, or so many, while somebody now and then draws a digit. Printed are, for every
minute, the frames in a second and the time that one in a hundred frames takes longer
than; the steps of training; and after a collection of garbage what scripts hold, the
elements of the page and the memory of the process that draws it, worker included.
"""

import shutil
import sys
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import book_site

from conftest import CHROMIUM_ARGS

WATCH = """() => {
    globalThis.frames_seen = []
    const note = time => { frames_seen.push(time); requestAnimationFrame(note) }
    requestAnimationFrame(note)
}"""
GAPS = """() => {
    const times = frames_seen.splice(0, frames_seen.length - 1)
    return times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b)
}"""


def main(minutes: int) -> None:
    site = book_site.ROOT / "_build" / "html"
    with sync_playwright() as playwright, book_site.served(site) as address:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/book/train.html")
        trainer = page.locator(".live-train")
        play = trainer.get_by_role("button", name="Play")
        play.focus()
        page.wait_for_selector(".live-train[data-ready]")
        play.click()
        page.evaluate(WATCH)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        print("minute  frames/s  99 % within  steps  heap MB  nodes  process MB")
        for minute in range(1, minutes + 1):
            for digit in "258":
                page.wait_for_timeout(20_000)
                trainer.locator(".sheet").focus()
                page.keyboard.press(digit)
            gaps = page.evaluate(GAPS)
            devtools.send("HeapProfiler.collectGarbage")
            listed = devtools.send("Performance.getMetrics")["metrics"]
            metrics = {each["name"]: each["value"] for each in listed}
            memory = max(
                process.memory_info().rss
                for process in psutil.Process().children(recursive=True)
                if "--type=renderer" in process.cmdline()
            )
            print(
                f"{minute:6} {1000 * len(gaps) / sum(gaps):9.1f} "
                f"{gaps[int(0.99 * len(gaps))]:9.0f} ms "
                f"{trainer.get_attribute('data-step'):>6} "
                f"{metrics['JSHeapUsedSize'] / 1e6:8.1f} {metrics['Nodes']:6.0f} "
                f"{memory / 1e6:11.0f}",
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10)
