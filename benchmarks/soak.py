"""Ten thousand strokes on one pad: `python benchmarks/soak.py` or `soak.py 1000`.

Without a browser: the events go straight to the pad, which answers each as it would in
JupyterLab, with its feature maps and its heatmap in turns. Printed are, after every
tenth part, by how much the process has grown since the first hundred strokes, and the
median of its own processor time for a stroke.
"""

import sys
import time
from pathlib import Path
from statistics import median

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from pen import draw

from mnistedu.pad import DrawingPad
from mnistedu.strokes import SAMPLES

WARM = 100  # strokes, after which all is imported and every buffer allocated


def main(count: int) -> None:
    pad = DrawingPad()
    views = pad._view.options
    strokes = [stroke[:3] for sample in SAMPLES.values() for stroke in sample]
    process = psutil.Process()
    seconds: list[float] = []
    print("strokes   MB more   ms a stroke")
    for number in range(WARM + count):
        if number == WARM:
            before = process.memory_info().rss
        if number % 3 == 0:
            pad.clear()
        if number % 10 == 0:
            pad.undo()
        if number % 25 == 0:
            pad._view.value = views[number // 25 % len(views)]
        start = time.thread_time()
        draw(pad, strokes[number % len(strokes)])
        seconds.append(time.thread_time() - start)
        done = number + 1 - WARM
        if done > 0 and done % (count // 10) == 0:
            more = (process.memory_info().rss - before) / 1e6
            milliseconds = 1000 * median(seconds[-count // 10 :])
            print(f"{done:7} {more:9.1f} {milliseconds:13.1f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10_000)
