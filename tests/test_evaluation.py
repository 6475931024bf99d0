"""Metrics against scikit-learn, and predict against a plain forward pass."""

import pytest
import sklearn.metrics
import torch
from torch import nn

from mnistedu.data import Split, make_loader
from mnistedu.evaluation import accuracy, confusion_matrix, predict
from mnistedu.models import ConvNet
from mnistedu.preprocess import normalize


@pytest.fixture
def scored():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, 10, generator=generator)
    targets = torch.randint(0, 9, (500,), generator=generator)  # no nine: still 10 rows
    logits[torch.arange(500), targets] += 1
    return logits, targets


def test_accuracy_agrees_with_scikit_learn(scored):
    logits, targets = scored
    expected = sklearn.metrics.accuracy_score(targets, logits.argmax(1))
    assert accuracy(logits, targets) == pytest.approx(expected)


def test_confusion_matrix_agrees_with_scikit_learn(scored):
    logits, targets = scored
    expected = sklearn.metrics.confusion_matrix(
        targets, logits.argmax(1), labels=range(10)
    )
    matrix = confusion_matrix(logits, targets)
    assert matrix.dtype == torch.int64
    assert matrix.tolist() == expected.tolist()


def test_predict_runs_in_evaluation_mode_and_restores_the_mode():
    images = torch.randint(0, 256, (25, 28, 28), dtype=torch.uint8)
    split = Split(images, torch.arange(25) % 10)
    model = ConvNet(1).train()
    before = model.blocks[0][2].running_mean.clone()
    logits, targets = predict(model, make_loader(split, batch_size=10))
    assert model.training
    assert torch.equal(model.blocks[0][2].running_mean, before)
    torch.testing.assert_close(logits, model.eval()(normalize(images)).detach())
    assert torch.equal(targets, split.targets)


def test_predict_restores_the_mode_after_an_error():
    class Broken(nn.Linear):
        def forward(self, images):
            raise RuntimeError("broken")

    model = Broken(1, 1).train()
    with pytest.raises(RuntimeError, match="broken"):
        predict(model, [(torch.zeros(1), torch.zeros(1))])
    assert model.training
