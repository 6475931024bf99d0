"""The two networks of the course: a multilayer perceptron and a ConvNet.

Both take normalised images ``(N, 1, 28, 28)`` (see ``preprocess.normalize``) and
return logits ``(N, 10)``: one score for each digit, before the softmax.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class MLP(nn.Sequential):
    """A multilayer perceptron: flatten, then linear layers with ReLU between them.

    Args:
        hidden_sizes: the number of neurons in each hidden layer.
        dropout: the probability with which each hidden neuron is silenced in
            training (Srivastava and others, 2014); 0 leaves the layer out.
    """

    def __init__(
        self, hidden_sizes: Sequence[int] = (256, 128), dropout: float = 0.0
    ) -> None:
        layers: list[nn.Module] = [nn.Flatten()]  # (N, 1, 28, 28) -> (N, 784)
        in_features = 28 * 28
        for out_features in hidden_sizes:
            layers += [nn.Linear(in_features, out_features), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            in_features = out_features
        super().__init__(*layers, nn.Linear(in_features, 10))
        self.settings = {"hidden_sizes": list(hidden_sizes), "dropout": dropout}


class ConvNet(nn.Module):
    """Convolution blocks, and one linear layer on the last feature maps or their means.

    Each block convolves, keeps the largest of each 2x2 neighbours, normalises over
    the batch (Ioffe and Szegedy, 2015) and rectifies. Pooling before the last two
    leaves them a quarter of the work. The third and the fourth block do not pool: their
    6x6 maps can still be looked at.

    On the means of the maps (Lin, Chen and Yan, 2014) the head weighs each map alike at
    every place, so that what a place adds to a logit can be told exactly (see
    ``gradcam``). Of four blocks the middle places see the whole image.

    Args:
        blocks: the number of convolution blocks, from 1 to 4.
        dropout: the probability with which each number that the head sees is silenced
            in training (Srivastava and others, 2014).
        width: the number of feature maps of the first block; the second has twice
            as many, the third and the fourth four times.
        pooled: whether the head sees the mean of each last map instead of all of it.

    Raises:
        ValueError: if ``blocks`` is not from 1 to 4.
    """

    doubt: tuple[Tensor, float] | None = None  # see doubt.py; of the course's own only

    def __init__(
        self,
        blocks: int = 3,
        dropout: float = 0.0,
        width: int = 24,
        pooled: bool = False,
    ) -> None:
        if blocks not in (1, 2, 3, 4):
            raise ValueError(f"A ConvNet has 1, 2, 3 or 4 blocks, not {blocks!r}.")
        super().__init__()
        w = width
        convolutions = [
            _block(1, w, kernel_size=5),  # (N, 1, 28, 28) -> (N, w, 12, 12)
            _block(w, 2 * w, kernel_size=5, padding=2),  # -> (N, 2 w, 6, 6)
            _block(2 * w, 4 * w, kernel_size=3, padding=1, pool=1),  # -> (N, 4 w, 6, 6)
            _block(4 * w, 4 * w, kernel_size=3, padding=1, pool=1),  # -> (N, 4 w, 6, 6)
        ]
        maps, side = [(w, 12), (2 * w, 6), (4 * w, 6), (4 * w, 6)][blocks - 1]
        self.blocks = nn.Sequential(*convolutions[:blocks])
        self.pool = nn.AdaptiveAvgPool2d(1) if pooled else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(maps if pooled else maps * side**2, 10)
        self.settings = {
            "blocks": blocks,
            "dropout": dropout,
            "width": width,
            "pooled": pooled,
        }
        self.to(memory_format=torch.channels_last)  # half the time on a CPU

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images ``(N, 1, 28, 28)`` -> logits ``(N, 10)``."""
        feature_maps = self.pool(self.blocks(images))
        return self.head(self.dropout(feature_maps.flatten(1)))

    def class_maps(self, maps: Tensor) -> Tensor:
        """What each place of the last block's maps adds to each class's logit.

        As ``gradcam.hires_cam``, and without gradients: the head is linear, y_c = b_c +
        Σ_kij W_c[k, i, j] A_k[i, j], or on the means of the h x w places, where
        W_c[k] / (h w) takes the place of W_c[k, i, j].

        ``(N, C, h, w)`` -> ``(N, 10, h, w)``.
        """
        _, k, h, w = maps.shape
        pooled = self.settings["pooled"]
        weights = self.head.weight.view(10, k, *((1, 1) if pooled else (h, w)))
        class_maps = (weights * maps[:, None]).sum(2)
        return class_maps / (h * w if pooled else 1)


def _block(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    padding: int = 0,
    pool: int = 2,
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, bias=False),
        nn.MaxPool2d(pool) if pool > 1 else nn.Identity(),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def build_network(
    model: str, blocks: int | None, hidden_sizes: str | None, dropout: float
) -> MLP | ConvNet:
    """The network that the options of ``mnistedu train`` describe.

    Raises:
        ValueError: if an option is for the other kind, or ``hidden_sizes`` no sizes.
    """
    if model == "convnet":
        if hidden_sizes is not None:
            raise ValueError(
                "--hidden-sizes is for --model mlp; a convnet has --blocks."
            )
        return ConvNet(blocks or 3, dropout)
    if blocks is not None:
        raise ValueError("--blocks is for --model convnet; an mlp has --hidden-sizes.")
    sizes = "256,128" if hidden_sizes is None else hidden_sizes
    if not all(size.strip().isdecimal() and int(size) for size in sizes.split(",")):
        raise ValueError(
            "--hidden-sizes takes whole numbers from 1 with commas between them, as "
            f"in 256,128, not {sizes!r}."
        )
    return MLP([int(size) for size in sizes.split(",")], dropout)
