"""What a run leaves behind beside its weights: its figures and its plots."""

import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

import mnistedu
from mnistedu import evaluation
from mnistedu.checkpoints import load_checkpoint, read_checkpoint
from mnistedu.data import Digits, Split, make_loader
from mnistedu.storage import written_whole
from mnistedu.training import History


def measure(logits: Tensor, targets: Tensor) -> dict[str, Any]:
    """The figures of one split, as JSON can hold them.

    Returns:
        ``loss`` in nats; ``accuracy``, ``accuracy_interval``,
        ``expected_calibration_error`` and ``per_class_accuracy`` in [0, 1], each as
        ``evaluation`` has it; of a digit that is not among the targets, None.
    """
    per_class = evaluation.per_class_accuracy(logits, targets).tolist()
    calibration_error = evaluation.expected_calibration_error(logits, targets)
    return {
        "loss": cross_entropy(logits, targets).item(),
        "accuracy": evaluation.accuracy(logits, targets),
        "accuracy_interval": evaluation.accuracy_interval(logits, targets),
        "expected_calibration_error": calibration_error,
        "per_class_accuracy": [None if x != x else x for x in per_class],  # nan
    }


def write_results(folder: Path, digits: Digits) -> dict[str, Any]:
    """Measure the best weights of a run, and write ``metrics.json`` and plots.

    Args:
        folder: where ``fit`` has kept its checkpoints.
        digits: what to measure on: their validation and test images.

    Returns:
        What ``metrics.json`` holds: the data, the settings that the run was trained
        with, its best epoch, the figures of both splits, its history, and versions.

    Raises:
        OSError: if a file cannot be read or written.
        ValueError: if a checkpoint is damaged.
    """
    last = read_checkpoint(folder / "last.safetensors")
    best = read_checkpoint(folder / "best.safetensors")
    network = load_checkpoint(folder / "best.safetensors")
    # The best may be an epoch ahead: it is written first, and a run can end between.
    both = (each.info["history"] for each in (last, best))
    history = History(**max(both, key=lambda each: len(each["val_loss"])))
    answers = {
        name: evaluation.predict(network, make_loader(split, 1000))
        for name, split in (("validation", digits.val), ("test", digits.test))
    }
    metrics = {
        "data": digits.name,
        "settings": last.info["run"],
        "best_epoch": history.best_epoch,
        **{name: measure(*answer) for name, answer in answers.items()},
        "history": asdict(history),
        "versions": {
            "mnistedu": mnistedu.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    with written_whole(folder / "metrics.json") as path:
        path.write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")
    _write_plots(folder, digits.test, history, answers["test"][0])
    return metrics


def _write_plots(folder: Path, test: Split, history: History, logits: Tensor) -> None:
    import matplotlib.pyplot as plt

    from mnistedu import plotting

    def save(name: str) -> None:
        with written_whole(folder / name) as path:
            plt.savefig(path, dpi=150, format="png")
        plt.close()

    images, targets = test
    plotting.plot_history(history)
    save("history.png")
    ax = plt.figure(figsize=(7, 2.8), layout="constrained").subplots()
    ax.plot(range(1, len(history) + 1), history.gradient_norm, "o-")
    ax.set(xlabel="epoch", ylabel="gradient norm")
    save("gradient_norms.png")
    plotting.plot_confusion_matrix(evaluation.confusion_matrix(logits, targets))
    save("confusion_matrix.png")
    right = (logits.argmax(1) == targets).nonzero().squeeze(1)
    i = torch.cat([right[:6], evaluation.most_confident_mistakes(logits, targets, 6)])
    plotting.plot_predictions(images[i], logits[i].softmax(1), targets[i])
    save("predictions.png")
