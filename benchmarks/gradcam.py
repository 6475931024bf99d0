"""Grad-CAM for 256 digits, beside Captum's: `python benchmarks/gradcam.py`.

Both explain the predicted classes in the last block of the shipped network, enlarged
to the size of the images, on two cores and in turns: once each, who goes first
alternating, so that whatever else the machine does meets both alike. Printed are the
median milliseconds and the median ratio of neighbouring runs.
"""

import statistics
import time

import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor

from mnistedu.checkpoints import load_pretrained
from mnistedu.data import load
from mnistedu.gradcam import grad_cam
from mnistedu.preprocess import normalize

ROUNDS = 40
WARM_UP = 5  # rounds that are not counted


def main() -> None:
    torch.set_num_threads(2)
    digits = load()
    images = normalize(digits.test.images[:256])
    model = load_pretrained()
    last = model.blocks[-1]
    with torch.no_grad():
        classes = model(images).argmax(1)

    def ours() -> Tensor:
        return grad_cam(model, images, last, classes)

    def captum() -> Tensor:
        cam = LayerGradCam(model, last)
        maps = cam.attribute(images, classes, relu_attributions=True)
        return LayerAttribution.interpolate(maps, (28, 28), "bilinear")[:, 0]

    difference = (ours() - captum()).abs().max().item()
    seconds: dict[str, list[float]] = {"mnistedu": [], "captum": []}
    pairs = list(zip(seconds, (ours, captum), strict=True))
    for turn in range(WARM_UP + ROUNDS):
        for name, run in pairs[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    counted = {name: times[WARM_UP:] for name, times in seconds.items()}
    print(f"{digits.name}, 256 digits, {torch.get_num_threads()} threads")
    for name, times in counted.items():
        print(f"{name:<8} {statistics.median(times) * 1000:6.1f} ms")
    ratios = [a / b for a, b in zip(*counted.values(), strict=True)]
    print(f"ratio {statistics.median(ratios):.2f}, largest difference {difference:.0e}")


if __name__ == "__main__":
    main()
