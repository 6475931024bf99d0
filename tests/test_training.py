"""The training loop learns, measures and records."""

import pytest
import torch
from torch import nn

from mnistedu.data import make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import MLP, ConvNet
from mnistedu.training import fit


@pytest.mark.parametrize("model", [MLP(), ConvNet(1)])
def test_fit_learns_the_offline_digits(model, offline):
    torch.manual_seed(0)
    train_loader = make_loader(offline.train, batch_size=64, shuffle=True)
    val_loader = make_loader(offline.val, batch_size=100)
    history = fit(model, train_loader, val_loader, epochs=6, learning_rate=0.005)
    assert history.train_loss[-1] < history.train_loss[0] / 3
    assert history.val_accuracy[-1] > 0.9
    assert {len(values) for values in vars(history).values()} == {6}

    logits, targets = predict(model, val_loader)
    assert history.val_accuracy[-1] == pytest.approx(accuracy(logits, targets))
    val_loss = nn.functional.cross_entropy(logits, targets).item()
    assert history.val_loss[-1] == pytest.approx(val_loss)


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(offline, monkeypatch):
    rates = []

    class Spy(torch.optim.AdamW):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "AdamW", Spy)
    loader = make_loader(offline.val, batch_size=60)
    fit(MLP(()), loader, loader, epochs=10, learning_rate=0.01)
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.01)
    assert 0.2 < peak / len(rates) < 0.4
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[-1] < 1e-5


def test_the_same_seed_gives_the_same_weights(offline):
    def trained():
        torch.manual_seed(1)
        model = ConvNet(1)
        loader = make_loader(offline.val, batch_size=60, shuffle=True)
        fit(model, loader, loader, epochs=2)
        return model.state_dict()

    first, second = trained(), trained()
    assert all(torch.equal(first[name], second[name]) for name in first)
