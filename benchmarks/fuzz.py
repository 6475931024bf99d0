"""Damaged pictures, checkpoints and tables: `python benchmarks/fuzz.py` or `fuzz.py 1`.

For so many minutes, ten if none are given, files are damaged at random and read, as
tests/test_faults.py and tests/test_reading.py do for a minute, with the same seed each
time. Here the seed is the clock's, and it is printed. Each file must give a result or
one sentence within a second of processor time; the others are kept in the folder `fuzz`
and named.

The damage is done to whole files of each format, most of which so stays whole: a
header, a checksum or a length that is wrong in one place leads far into a decoder.
That takes twenty lines. Hypothesis would begin without any format, and atheris needs a
decoder that was compiled for it, which wheels are not.
"""

import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from test_faults import READERS, whole_files
from test_reading import mutated

KEPT = Path("fuzz")


def main(minutes: float) -> None:
    seed = time.time_ns()
    print("seed", seed, flush=True)
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp())
    whole = {kind: whole_files(kind, folder) for kind in READERS}
    path, count = folder / "damaged", Counter[str]()
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        kind = chance.choice([*READERS])
        path.write_bytes(mutated(whole[kind], chance))
        start, fault = time.thread_time(), ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                READERS[kind](path)
            count[f"{kind}s read"] += 1
        except ValueError as error:
            count[f"{kind}s refused"] += 1
            if not str(error).endswith("."):
                fault = f"This is no sentence: {error}"
        except Exception:
            fault = traceback.format_exc()
        if time.thread_time() - start > 1:
            fault += "It took longer than a second."
        if fault:
            KEPT.mkdir(exist_ok=True)
            kept = KEPT / f"{kind}-{count.total()}"
            kept.write_bytes(path.read_bytes())
            count["faults"] += 1
            print(f"{kept}: {fault}", flush=True)
    for what, number in sorted(count.items()):
        print(f"{what:20} {number:8,}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 10)
