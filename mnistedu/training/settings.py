"""The settings of a training, for whoever resumes it."""

import json
from collections.abc import Iterable, Sized
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from mnistedu.data import Batches


class Loader(Iterable[tuple[Tensor, Tensor]], Sized, Protocol):
    """What ``data.make_loader`` returns: pairs (images, targets), countable."""


@dataclass(frozen=True)
class Settings:
    """Everything that shapes the weights of a run, as JSON can hold it.

    ``trained_before`` counts the epochs of the finished run that this one goes on
    from; ``learning_rate`` and ``weight_decay`` are None where a scheduler brought an
    optimizer of its own: ``optimizer_groups`` has its numbers, as those of any.
    """

    schedule: str
    optimizer: str
    epochs: int
    trained_before: int
    learning_rate: float | None
    weight_decay: float | None
    label_smoothing: float
    mixed_precision: bool
    patience: int | None
    seed: int
    processes: int
    model: dict[str, Any]
    train_data: dict[str, Any]
    val_data: dict[str, Any]
    optimizer_groups: list[dict[str, Any]]
    schedule_state: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The settings by name, in the types that JSON gives back."""
        settings: dict[str, Any] = json.loads(json.dumps(vars(self), default=str))
        return settings

    def differ(self, theirs: dict[str, Any], *free: str) -> str | None:
        """The first value that another run's ``to_dict`` has otherwise, beside ours.

        Values whose names are ``free`` may differ.
        """
        ours, others = _flat(self.to_dict()), _flat(theirs)
        for name in [*ours, *others]:
            if name not in free and ours.get(name) != others.get(name):
                what = name.replace("_", " ")
                return f"{what} {others.get(name)}, not {ours.get(name)}"
        return None


def describe_model(model: nn.Module) -> dict[str, Any]:
    """Its class and settings or, where it has none, its layers."""
    settings = getattr(model, "settings", None)
    layers = " ".join(str(model).split())  # in one line, with all numbers in it
    return {"name": type(model).__name__, **(settings or {"layers": layers})}


def describe_data(loader: Loader) -> dict[str, Any]:
    """The images and how they are dealt out, as far as the loader says so."""
    known = loader.settings() if isinstance(loader, Batches) else {}
    return {"batches": len(loader), **known}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested dictionaries and lists as one, with names like ``model.dropout``."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return {name: value}
    parts = (_flat(part, f"{name}.{key}".lstrip(".")) for key, part in value.items())
    return {key: part for each in parts for key, part in each.items()}
