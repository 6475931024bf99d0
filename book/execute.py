"""Execute notebooks in place: `python book/execute.py notebooks/*.ipynb`.

The outputs stored in a notebook are what the book shows and what nbval compares, so a
file is replaced only when its notebook ran to the end, and nothing goes into it that
differs from one run or machine to the next: no times, no widget state, no versions.
"""

import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNELSPEC = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}


def clean(notebook: nbformat.NotebookNode) -> None:
    """Remove, in place, what a static page cannot show or what varies between runs."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = KERNELSPEC
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET_VIEW, None)
            if "image/png" in data:
                data["image/png"] = with_palette(data["image/png"])
        if cell.cell_type == "code":  # a widget that had no text beside its view
            cell.outputs = [out for out in cell.outputs if out.get("data") != {}]


def with_palette(png: str) -> str:
    """The picture, in base64 as `png` is, in 256 colours: a third of the bytes."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    colours = picture.quantize(
        256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
    )
    smaller = io.BytesIO()
    colours.save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode() + "\n"


def execute(path: Path) -> None:
    """Run the notebook at `path` in its own folder and store the outputs in it.

    Raises nbclient's errors, with the file as it was, if a cell fails, takes more than
    600 seconds or kills the kernel.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,  # how a stream is cut into pieces is chance
        record_timing=False,
        extra_arguments=[
            "--IPKernelApp.log_level=ERROR",  # else a line on transport
            "--InlineBackend.figure_formats=retina",  # two pixels a point
        ],
    ).execute()
    clean(notebook)
    partial = path.with_name(path.name + ".part")
    nbformat.write(notebook, partial)
    partial.replace(path)


def main(paths: list[str]) -> int:
    """Execute the notebooks one after the other; return 1 at the first that fails."""
    os.environ["TQDM_DISABLE"] = "1"  # for the kernels: a page needs no stopped bar
    os.environ["MNISTEDU_PROGRESS"] = ""  # whoever runs this has solved nothing
    for path in paths:
        start = time.perf_counter()
        try:
            execute(Path(path))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(error, file=sys.stderr)
            print(
                f"{path} failed (see above) and was left as it was: "
                "mend the cell and run this again.",
                file=sys.stderr,
            )
            return 1
        print(f"{path}: {time.perf_counter() - start:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
