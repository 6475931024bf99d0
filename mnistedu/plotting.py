"""The course's figures. Each function draws, computes nothing, and returns what it
drew on. The colours tell apart for colour-blind readers (Okabe and Ito, 2008).
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from mnistedu.training import History

BLUE, ORANGE = "#0072B2", "#D55E00"


def plot_digit(
    image: Tensor, ax: Axes | None = None, title: str = "", color: str = "black"
) -> Axes:
    """Draw one image ``(28, 28)`` or ``(1, 28, 28)``, ink dark on white paper."""
    ax = ax or plt.figure(figsize=(1.6, 1.6), layout="constrained").subplots()
    ax.imshow(image.squeeze().numpy(), cmap="gray_r")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9, color=color)
    return ax


def plot_digits(
    images: Tensor, titles: Sequence[str] | None = None, columns: int = 10
) -> list[Axes]:
    """Draw images ``(N, 28, 28)`` or ``(N, 1, 28, 28)`` in rows, titles above them."""
    rows = -(-len(images) // columns)
    height = 0.95 if titles is None else 1.15
    figure = plt.figure(figsize=(0.85 * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for ax in axes[len(images) :]:
        ax.set_axis_off()
    for ax, image, title in zip(
        axes, images, titles or [""] * len(images), strict=False
    ):
        plot_digit(image, ax, title)
    return list(axes[: len(images)])


def plot_history(history: History) -> list[Axes]:
    """Draw loss (left) and accuracy (right) over the epochs, training and validation.

    Training is dashed, validation solid.
    """
    figure = plt.figure(figsize=(8, 2.8), layout="constrained")
    axes = list(figure.subplots(1, 2))
    epochs = range(1, len(history.train_loss) + 1)
    for ax, train, val, label in (
        (axes[0], history.train_loss, history.val_loss, "loss (nats)"),
        (axes[1], history.train_accuracy, history.val_accuracy, "accuracy"),
    ):
        ax.plot(epochs, train, "o--", color=ORANGE, label="training")
        ax.plot(epochs, val, "o-", color=BLUE, label="validation")
        ax.set(xlabel="epoch", ylabel=label, xticks=epochs)
        ax.grid(alpha=0.3)
    axes[1].yaxis.set_major_formatter("{x:.1%}")
    axes[0].legend()
    return axes


def plot_probabilities(probabilities: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the ten probabilities ``(10,)`` as bars, the largest one coloured."""
    ax = ax or plt.figure(figsize=(4, 2), layout="constrained").subplots()
    best = int(probabilities.argmax())
    colors = [ORANGE if digit == best else BLUE for digit in range(10)]
    ax.bar(range(10), probabilities.tolist(), color=colors)
    ax.set(xlabel="digit", ylabel="probability", xticks=range(10), ylim=(0, 1))
    return ax


def plot_confusion_matrix(matrix: Tensor, ax: Axes | None = None) -> Axes:
    """Draw counts ``(10, 10)``, true digits down, predicted ones across.

    The colour follows the mistakes only: the diagonal would outshine them all.
    """
    import seaborn as sns  # brings pandas, which takes a second to import

    ax = ax or plt.figure(figsize=(5.2, 4.6), layout="constrained").subplots()
    counts = matrix.numpy()
    mistakes = np.where(np.eye(10, dtype=bool), 0, counts)
    sns.heatmap(
        mistakes, annot=counts, fmt="d", cmap="Blues", cbar=False, square=True, ax=ax
    )
    ax.set(xlabel="predicted digit", ylabel="true digit")
    return ax
