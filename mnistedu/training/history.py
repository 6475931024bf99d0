"""What a training was like, epoch by epoch."""

import math
from dataclasses import dataclass, field


@dataclass
class History:
    """What ``fit`` saw, one entry for each epoch.

    Losses are mean cross-entropies in nats and accuracies fractions in [0, 1];
    those of training are means over the epoch's images, taken while the weights
    were changing. ``learning_rate`` is that of the epoch's last step,
    ``gradient_norm`` the mean length of the whole gradient, in which each step counts
    as much as it has images, and ``seconds`` the time the epoch took, validation
    included.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.val_loss)

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the smallest validation loss."""
        losses = [math.inf if math.isnan(loss) else loss for loss in self.val_loss]
        return 1 + losses.index(min(losses))
