"""How long the test set takes to evaluate: `python benchmarks/evaluation.py`.

Printed are the seconds, the median of five, for the logits of 10,000 images, for five
metrics on them, and for one distortion with its logits; on two cores the first should
stay under 2 s.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load, make_loader
from mnistedu.evaluation import (
    accuracy_interval,
    confusion_matrix,
    distort,
    expected_calibration_error,
    mcnemar_test,
    most_confident_mistakes,
    predict,
)
from mnistedu.preprocess import normalize


def median_seconds(function: Callable[[], object]) -> float:
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])  # the first one warms up


def five_metrics(logits: Tensor, targets: Tensor) -> None:
    accuracy_interval(logits, targets)
    confusion_matrix(logits, targets)
    expected_calibration_error(logits, targets)
    most_confident_mistakes(logits, targets)
    mcnemar_test(logits, logits.flip(1), targets)


torch.set_num_threads(2)
digits = load("mnist")
model = load_pretrained()
loader = make_loader(digits.test, batch_size=1000)
logits, targets = predict(model, loader)
pixels = digits.test.images[:, None] / 255


def rotated() -> list[Tensor]:
    images = normalize(distort(pixels, "rotation", 30))
    with torch.inference_mode():
        return [model(batch) for batch in images.split(1000)]


print(f"logits   {median_seconds(lambda: predict(model, loader)):.2f} s")
print(f"metrics  {median_seconds(lambda: five_metrics(logits, targets)):.2f} s")
print(f"rotated  {median_seconds(rotated):.2f} s")
