"""The training loop learns, measures and records, and loses nothing when stopped."""

import copy
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from killed_training import KILLS
from torch import Tensor, nn
from torch.optim.lr_scheduler import (
    LambdaLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)
from torch.optim.optimizer import register_optimizer_step_pre_hook

from mnistedu import machine, storage
from mnistedu.augmentation import random_affine
from mnistedu.checkpoints import load_checkpoint, read_checkpoint, save_checkpoint
from mnistedu.data import Split, make_loader
from mnistedu.evaluation import accuracy, predict
from mnistedu.machine import seed_everything
from mnistedu.models import MLP, ConvNet
from mnistedu.results import write_results
from mnistedu.training import History, fit

BATCHES = 3  # of 60 images, in the offline digits' validation set


@pytest.fixture
def loader(offline):
    torch.manual_seed(0)
    return make_loader(offline.val, batch_size=60, shuffle=True)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    return copy.deepcopy(model.state_dict())


def equal(state: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(state[name], other[name]) for name in state | other)


def sgd(model: nn.Module, learning_rate: float) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), learning_rate)


def worse_after(epochs: int, model: nn.Module) -> LambdaLR:
    """A schedule that helps for so many epochs, then throws the weights far away."""
    return LambdaLR(
        sgd(model, 0.05), lambda step: 1 if step < epochs * BATCHES else 2000
    )


@pytest.mark.parametrize("build", [MLP, lambda: ConvNet(1)], ids=["MLP", "ConvNet"])
def test_fit_learns_the_offline_digits(build, offline):
    torch.manual_seed(0)
    model = build()
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


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(offline):
    rates = []

    def note(optimizer, *_):
        rates.append(optimizer.param_groups[0]["lr"])

    loader = make_loader(offline.val, batch_size=60)
    with register_optimizer_step_pre_hook(note):
        history = fit(MLP(()), loader, loader, epochs=10, learning_rate=0.01)
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.01)
    assert 0.2 < peak / len(rates) < 0.4
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[-1] < 1e-5
    assert history.learning_rate == rates[BATCHES - 1 :: BATCHES]


def test_the_optimizer_is_torchs_adamw(loader):
    models = [MLP(()), MLP(())]
    models[1].load_state_dict(models[0].state_dict())
    optimizer = torch.optim.AdamW(models[1].parameters(), lr=0.01, weight_decay=0.1)
    schedule = OneCycleLR(optimizer, 0.01, total_steps=2 * BATCHES)
    batches = [*loader]
    fit(models[0], batches, batches, 2, learning_rate=0.01, weight_decay=0.1)
    fit(models[1], batches, batches, 2, scheduler=schedule)
    assert equal(*(model.state_dict() for model in models))


def test_training_and_resuming_do_not_wait_for_torchs_compiler(tmp_path):
    # In a process of its own: elsewhere torch's own optimizers may have brought it.
    program = """
import sys, torch
from mnistedu.models import MLP
from mnistedu.training import History, fit
batches = [(torch.randn(5, 1, 28, 28), torch.arange(5))]
for _ in range(2):
    fit(MLP(), batches, batches, 2, checkpoint_dir=sys.argv[1], resume=True)
sys.exit("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert done.returncode == 0


def test_a_scheduler_is_used_with_its_own_optimizer(loader):
    model = MLP(())
    before = state_of(model)
    other = MLP(())
    scheduler = StepLR(sgd(other, 0.1), step_size=BATCHES, gamma=0.5)
    history = fit(model, loader, loader, epochs=3, scheduler=scheduler)
    assert history.learning_rate == [0.1, 0.05, 0.025]
    assert equal(state_of(model), before)  # its optimizer has another model's weights


def test_the_same_seed_gives_the_same_weights(offline):
    def trained(seed):
        seed_everything(seed)
        model = ConvNet(1, dropout=0.5)
        loader = make_loader(offline.val, 60, shuffle=True, augment=random_affine)
        fit(model, loader, loader, epochs=2)
        return model.state_dict()

    assert equal(trained(1), trained(1))
    assert not equal(trained(1), trained(2))


def test_layers_know_when_they_are_training(loader):
    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = MLP(())
            self.modes = []

        def forward(self, images):
            self.modes.append(self.training)
            return self.network(images)

    model = Spy()
    fit(model, loader, loader, epochs=2)
    assert model.modes == 2 * ([True] * BATCHES + [False] * BATCHES)


def test_dropout_silences_half_in_training_and_nothing_in_validation(loader):
    model = MLP((1000,), dropout=0.5)
    seen = []
    dropout = next(layer for layer in model if isinstance(layer, nn.Dropout))
    dropout.register_forward_hook(lambda _, x, y: seen.append((x[0], y)))
    fit(model, loader, loader, epochs=1)
    for hidden, kept in seen[:BATCHES]:
        active = hidden > 0
        assert (kept[active] == 0).float().mean() == pytest.approx(0.5, abs=0.02)
        torch.testing.assert_close(kept[kept > 0], 2 * hidden[kept > 0])
    for hidden, kept in seen[BATCHES:]:
        assert torch.equal(hidden, kept)


def test_weight_decay_shrinks_a_weight_that_has_no_gradient():
    blank = [(torch.zeros(10, 1, 28, 28), torch.arange(10))] * BATCHES

    def weight_after(weight_decay):
        torch.manual_seed(0)
        model = MLP(())
        fit(model, blank, blank, 2, learning_rate=0.1, weight_decay=weight_decay)
        return model[1].weight

    kept, shrunk = weight_after(0), weight_after(0.5)
    optimizer = sgd(MLP(()), 0.1)
    rates = OneCycleLR(optimizer, 0.1, total_steps=2 * BATCHES, cycle_momentum=False)
    factor = 1.0
    for _ in range(2 * BATCHES):
        factor *= 1 - 0.5 * rates.get_last_lr()[0]
        optimizer.step()
        rates.step()
    torch.testing.assert_close(shrunk, factor * kept)


def test_label_smoothing_changes_the_training_loss_only(loader, offline):
    model = MLP(())
    frozen = LambdaLR(sgd(model, 0), lambda step: 1)
    history = fit(model, loader, loader, 1, label_smoothing=0.2, scheduler=frozen)
    logits, targets = predict(model, make_loader(offline.val, batch_size=180))
    # The loss that spreads 0.2 evenly: nine tenths of it on wrong digits.
    log_p = logits.log_softmax(1)
    smooth = -(0.8 * log_p[range(180), targets] + 0.2 * log_p.mean(1)).mean()
    assert history.train_loss[0] == pytest.approx(smooth.item(), rel=1e-5)
    plain = nn.functional.cross_entropy(logits, targets).item()
    assert history.val_loss[0] == pytest.approx(plain, rel=1e-5)


def test_mixed_precision_multiplies_in_bfloat16_and_learns_as_well(offline):
    torch.manual_seed(0)
    train, val = make_loader(offline.train, shuffle=True), make_loader(offline.val)
    model = MLP()
    dtypes = set()
    model[1].register_forward_hook(
        lambda layer, _, output: dtypes.add((layer.training, output.dtype))
    )
    history = fit(model, train, val, 5, mixed_precision=True, device="cpu")
    assert dtypes == {(True, torch.bfloat16), (False, torch.float32)}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert history.val_accuracy[-1] > 0.9


def test_the_figures_of_an_epoch_are_those_of_its_steps(offline):
    model, loader = MLP((9,)), make_loader(offline.val, 50)
    still = LambdaLR(sgd(model, 0.0), lambda step: 1)  # nothing is learned
    history = fit(model, loader, loader, 1, scheduler=still)
    assert history.train_accuracy == pytest.approx(history.val_accuracy)
    assert history.train_loss == pytest.approx(history.val_loss)
    assert 0 < history.val_accuracy[0] < 1
    assert 0 < history.seconds[0] < 60


def test_the_settings_of_a_run_are_written_with_its_weights(loader, tmp_path):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    own = LambdaLR(sgd(model, 0.05), lambda step: 1)
    fit(model, loader, loader, 1, scheduler=own, checkpoint_dir=tmp_path)
    for name in ("best", "last"):
        info = read_checkpoint(tmp_path / f"{name}.safetensors").info
        assert len(info["history"]["val_loss"]) == 1
    run = info["run"]
    assert (run["schedule"], run["optimizer"]) == ("LambdaLR", "SGD")
    assert run["learning_rate"] is run["weight_decay"] is None  # the optimizer's count
    layers = "(0): Flatten(start_dim=1, end_dim=-1) (1): Linear(in_features=784"
    assert run["model"]["name"] == "Sequential" and layers in run["model"]["layers"]
    assert (
        run["train_data"]
        == run["val_data"]
        == {"batches": BATCHES} | (loader.settings() | {"augment": None})
    )
    assert run["processes"] == 1

    fit(MLP(()), loader, loader, 1, 0.02, weight_decay=0.3, checkpoint_dir=tmp_path)
    run = read_checkpoint(tmp_path / "last.safetensors").info["run"]
    assert (run["learning_rate"], run["weight_decay"]) == (0.02, 0.3)
    assert (run["optimizer"], run["model"]["name"]) == ("AdamW", "MLP")


def test_the_gradient_norm_is_that_of_all_weights(offline):
    loader = make_loader(offline.val, batch_size=100)
    model = MLP((20,))
    frozen = LambdaLR(sgd(model, 0), lambda step: 1)
    history = fit(model, loader, loader, 1, scheduler=frozen, device="cpu")
    total = 0.0
    for images, targets in loader:  # 100 of them, and 80
        model.zero_grad()
        nn.functional.cross_entropy(model(images), targets).backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        total += len(targets) * norm.item()
    assert history.gradient_norm[0] == pytest.approx(total / 180, rel=1e-5)


def test_without_images_or_patience_nothing_is_trained(loader, offline):
    empty = make_loader(Split(offline.val.images[:0], offline.val.targets[:0]))
    for loaders, what in (((empty, loader), "train"), ((loader, empty), "validate")):
        with pytest.raises(ValueError, match=f"no images to {what} on"):
            fit(MLP(()), *loaders)
    with pytest.raises(ValueError, match=r"patience is 1 or more, .* not 0"):
        fit(MLP(()), loader, loader, patience=0)


def test_early_stopping_goes_back_to_the_best_weights(loader):
    model = MLP(())
    states = []
    history = fit(
        model,
        loader,
        loader,
        epochs=20,
        scheduler=worse_after(4, model),
        patience=3,
        on_epoch_end=lambda _: states.append(state_of(model)),
    )
    assert (history.best_epoch, len(history)) == (4, 7)
    assert equal(state_of(model), states[3])
    assert not equal(states[6], states[3])


def test_without_patience_all_epochs_run_and_the_last_weights_stay(loader):
    model = MLP(())
    states = []
    history = fit(
        model,
        loader,
        loader,
        epochs=8,
        scheduler=worse_after(4, model),
        on_epoch_end=lambda _: states.append(state_of(model)),
    )
    assert (history.best_epoch, len(history)) == (4, 8)
    assert equal(state_of(model), states[-1])


class Interrupted:
    """A loader in whose batch of that number somebody presses Ctrl-C."""

    def __init__(self, loader, batch: int):
        self.loader, self.left = loader, batch

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for images, targets in self.loader:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            yield images, targets


def test_an_interrupt_keeps_the_history_and_the_best_weights(
    loader, capsys, monkeypatch
):
    monkeypatch.setenv("TQDM_DISABLE", "1")  # whose bar is on stdout in a notebook
    model = MLP(())
    states = []
    history = fit(
        model,
        Interrupted(loader, 4 * BATCHES + 2),
        loader,
        epochs=9,
        scheduler=worse_after(2, model),
        on_epoch_end=lambda _: states.append(state_of(model)),
    )
    assert capsys.readouterr().out == "Interrupted after 4 of 9 epochs.\n"
    assert {len(values) for values in vars(history).values()} == {4}
    assert history.best_epoch == 2
    assert equal(state_of(model), states[1])


def test_figures_of_a_run_broken_off_between_two_files_are_those_of_the_best(
    offline, tmp_path, monkeypatch
):
    def save(model, path, *args, **info):
        if path.name == "last.safetensors" and len(info["history"]["val_loss"]) == 3:
            raise KeyboardInterrupt
        save_checkpoint(model, path, *args, **info)

    monkeypatch.setattr("mnistedu.training.run.save_checkpoint", save)
    torch.manual_seed(0)
    loaders = (make_loader(part, 100) for part in (offline.train, offline.val))
    history = fit(MLP(), *loaders, 4, 0.005, checkpoint_dir=tmp_path)
    metrics = write_results(tmp_path, offline)
    assert metrics["best_epoch"] == history.best_epoch == len(history) == 3
    assert metrics["history"]["val_loss"] == history.val_loss
    assert metrics["validation"]["loss"] == pytest.approx(history.val_loss[-1])


def test_figures_of_a_run_leave_matplotlib_as_it_was(offline, loader, tmp_path):
    fit(MLP(()), loader, loader, 1, checkpoint_dir=tmp_path)
    backend = matplotlib.get_backend()
    matplotlib.use("svg")
    write_results(tmp_path, offline)
    assert matplotlib.get_backend() == "svg"
    matplotlib.use(backend)
    assert (tmp_path / "predictions.png").exists()


def test_an_interrupt_while_validating_loses_that_epoch_only(loader):
    model = MLP(())
    history = fit(model, loader, Interrupted(loader, BATCHES + 1), epochs=9)
    assert len(history) == 1


def test_an_interrupt_in_the_first_epoch_returns_an_empty_history(loader):
    history = fit(MLP(()), Interrupted(loader, 2), loader, epochs=9)
    assert len(history) == 0


def noisy(images: Tensor) -> Tensor:
    """An augmentation with the random numbers of Python, NumPy and torch."""
    amount = random.random() + np.random.rand() + torch.rand(1).item()
    return random_affine(images, shift=amount)


@pytest.mark.parametrize("milestones", [None, [7, 10]], ids=["one-cycle", "steps"])
def test_what_is_resumed_ends_with_the_same_weights(offline, tmp_path, milestones):
    loader = make_loader(offline.val, 60, shuffle=True, augment=noisy)

    def trained(stop_after=9, **settings):
        model = ConvNet(1, dropout=0.5)
        if milestones:
            settings["scheduler"] = MultiStepLR(sgd(model, 0.1), milestones)
        batches = Interrupted(loader, stop_after * BATCHES + 1)
        history = fit(model, batches, loader, 4, device="cpu", **settings)
        return history, state_of(model)

    seed_everything(0)
    unbroken, weights = trained()
    seed_everything(0)
    trained(stop_after=2, checkpoint_dir=tmp_path, resume=True)  # from nothing
    seed_everything(0)
    noisy(torch.zeros(9, 1, 28, 28))  # another day, other random numbers
    history, resumed = trained(checkpoint_dir=tmp_path, resume=True)
    assert equal(resumed, weights)
    assert history.learning_rate == unbroken.learning_rate
    assert history.val_loss == unbroken.val_loss


def test_a_finished_training_is_not_trained_again(loader, tmp_path):
    def trained():
        model = MLP(())
        scheduler = worse_after(2, model)
        settings = {"scheduler": scheduler, "patience": 2, "checkpoint_dir": tmp_path}
        history = fit(model, loader, loader, 9, resume=True, **settings)
        return history, state_of(model)

    (history, weights), (again, same) = trained(), trained()
    assert len(history) == 4
    assert again == history
    assert equal(weights, same)


def test_a_finished_training_is_trained_further_as_if_begun_with_its_weights(
    loader, tmp_path
):
    seed_everything(0)
    model = MLP(())
    fit(model, loader, loader, 2, checkpoint_dir=tmp_path, device="cpu")
    further = MLP(())
    history = fit(
        further, loader, loader, 5, checkpoint_dir=tmp_path, resume=True, device="cpu"
    )
    assert len(history) == 5
    # The schedule goes up and down once more, over the three epochs that are new.
    expected = OneCycleLR(sgd(MLP(()), 0.01), 0.01, total_steps=3 * BATCHES)
    rates = []
    for _ in range(3 * BATCHES):
        rates.append(expected.get_last_lr()[0])
        expected.optimizer.step()
        expected.scheduler_step = expected.step()
    assert history.learning_rate[2:] == rates[BATCHES - 1 :: BATCHES]
    assert history.val_loss[-1] < history.val_loss[1]
    run = read_checkpoint(tmp_path / "last.safetensors").info["run"]
    assert (run["epochs"], run["trained_before"]) == (5, 2)


def test_what_is_trained_further_and_broken_off_ends_with_the_same_weights(
    offline, tmp_path
):
    loader = make_loader(offline.val, 60, shuffle=True, augment=noisy)

    def trained(folder, *ends):
        seed_everything(0)
        for epochs, stop_after in ends:
            model = ConvNet(1, dropout=0.5)
            batches = Interrupted(loader, stop_after * BATCHES + 1)
            fit(
                model,
                batches,
                loader,
                epochs,
                checkpoint_dir=folder,
                resume=True,
                patience=9,
                device="cpu",
            )
        return read_checkpoint(folder / "last.safetensors").weights

    whole = trained(tmp_path / "whole", (2, 9), (5, 9))
    broken = trained(tmp_path / "broken", (2, 1), (2, 9), (5, 1), (5, 9))
    assert equal(whole, broken)


OTHERS = [
    ({"epochs": 4}, "epochs 3, not 4"),
    ({"learning_rate": 0.5}, "learning rate 0.01, not 0.5"),
    ({"weight_decay": 0.5}, "weight decay 0.01, not 0.5"),
    ({"label_smoothing": 0.5}, "label smoothing 0.0, not 0.5"),
    ({"mixed_precision": True}, "mixed precision False, not True"),
    ({"patience": 2}, "patience None, not 2"),
    ({"scheduler": "LambdaLR"}, "schedule OneCycleLR, not LambdaLR"),
    ({"model": MLP((9,))}, r"hidden sizes \[\], not \[9\]"),
    ({"model": MLP((), dropout=0.1)}, "dropout 0.0, not 0.1"),
    ({"model": nn.Sequential(nn.Flatten(), nn.Linear(784, 10))}, "MLP, not Sequential"),
    ({"seed": 7}, "seed 0, not 7"),
    ({"batch_size": 90}, "batches 3, not 2"),
    ({"shuffle": False}, "shuffle True, not False"),
    ({"augment": random_affine}, "None, not <function random_affine>"),
    ({"images": 255}, r"images 180 \(checksum \w+\), not 180 \(checksum"),
]


@pytest.mark.parametrize(("change", "message"), OTHERS, ids=range(len(OTHERS)))
def test_a_run_of_other_settings_is_not_resumed(offline, tmp_path, change, message):
    def trained(
        batch_size=60, shuffle=True, augment=None, images=0, seed=0, model=None, **more
    ):
        torch.manual_seed(seed)
        model = MLP(()) if model is None else model
        if "scheduler" in more:
            more["scheduler"] = LambdaLR(sgd(model, 0.1), lambda step: 1)
        before = state_of(model)
        split = Split(offline.val.images ^ images, offline.val.targets)
        batches = make_loader(split, batch_size, shuffle, augment)
        more = {"epochs": 3, "checkpoint_dir": tmp_path, "resume": True} | more
        try:
            fit(model, batches, make_loader(offline.val), on_epoch_end=stop, **more)
        except ValueError:
            assert equal(state_of(model), before)
            raise

    def stop(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    trained()
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message) as error:
        trained(**change)
    assert str(error.value).count(".") <= 8 and "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_of_an_own_optimizer_every_number_is_compared(loader, tmp_path):
    def trained(resume, momentum=0.9, gamma=0.5):
        model = MLP(())
        groups = [{"params": model[1].weight}, {"params": model[1].bias, "lr": 0.2}]
        optimizer = torch.optim.SGD(groups, lr=0.1, momentum=momentum)
        fit(
            model,
            loader,
            loader,
            2,
            scheduler=StepLR(optimizer, BATCHES, gamma),
            checkpoint_dir=tmp_path,
            resume=resume,
        )

    trained(resume=False)
    with pytest.raises(ValueError, match=r"groups\.0\.momentum 0.9, not 0.8"):
        trained(resume=True, momentum=0.8)
    with pytest.raises(ValueError, match=r"gamma 0.5, not 0.4"):
        trained(resume=True, gamma=0.4)
    trained(resume=True)


def test_a_schedule_that_waits_for_a_loss_gets_a_sentence(loader):
    scheduler = ReduceLROnPlateau(sgd(MLP(()), 0.1))
    with pytest.raises(ValueError, match="ReduceLROnPlateau waits for a loss"):
        fit(MLP(()), loader, loader, 1, scheduler=scheduler)


@pytest.mark.parametrize("training", [True, False])
def test_every_part_of_the_model_comes_back_in_its_own_mode(loader, training):
    model = MLP((8,), dropout=0.5).train(training)
    model[2].train(not training)
    modes = [module.training for module in model.modules()]
    fit(model, loader, loader, 1)
    assert [module.training for module in model.modules()] == modes


def test_weights_without_a_run_are_not_resumed(loader, tmp_path):
    save_checkpoint(MLP(()), tmp_path / "last.safetensors")
    with pytest.raises(ValueError, match="holds no run of this mnistedu"):
        fit(MLP(()), loader, loader, checkpoint_dir=tmp_path, resume=True)


def damage(path):
    path.write_bytes(path.read_bytes()[:-1])


def test_of_a_damaged_run_the_sentence_says_what_is_whole(loader, tmp_path):
    last, best = tmp_path / "last.safetensors", tmp_path / "best.safetensors"
    options = {"checkpoint_dir": tmp_path, "resume": True}
    fit(MLP(()), loader, loader, 2, **options)
    before = last.read_bytes()
    damage(last)
    sentence = f"{best} is whole: `mnistedu evaluate --checkpoint {best}` measures it"
    with pytest.raises(ValueError, match=f"damaged .*{re.escape(sentence)}"):
        fit(MLP(()), loader, loader, 5, **options)
    load_checkpoint(best)

    last.write_bytes(before)
    damage(best)
    sentence = f"{best} is damaged, but {last} is whole: delete {best}, and the same"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        fit(MLP(()), loader, loader, 5, **options)
    best.unlink()
    assert len(fit(MLP(()), loader, loader, 5, **options)) == 5
    load_checkpoint(best)

    damage(last)
    damage(best)
    with pytest.raises(ValueError, match=r"never pickled ones\.$"):
        fit(MLP(()), loader, loader, 5, **options)


def test_in_a_notebook_the_progress_is_text_that_is_not_red(
    loader, monkeypatch, capsys
):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    fit(MLP(()), loader, loader, 1)
    out, err = capsys.readouterr()
    assert "epoch 1/1" in out and not err


def test_two_runs_do_not_share_a_folder(loader, tmp_path):
    def another(history):
        with pytest.raises(ValueError, match="Another training writes to"):
            fit(MLP(()), loader, loader, checkpoint_dir=tmp_path)

    options = {"checkpoint_dir": tmp_path, "on_epoch_end": another}
    assert len(fit(MLP(()), loader, loader, 1, **options)) == 1
    assert not (tmp_path / ".lock").exists()
    fit(MLP(()), loader, loader, 1, checkpoint_dir=tmp_path)


def test_a_full_disk_leaves_the_epochs_before(loader, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    def fill_the_disk(history):
        if len(history) == 2:
            monkeypatch.setattr(storage, "save_file", full)

    settings = {"epochs": 4, "checkpoint_dir": tmp_path, "device": "cpu"}
    torch.manual_seed(0)
    unbroken = MLP(())
    fit(unbroken, loader, loader, 4, device="cpu")
    torch.manual_seed(0)
    with pytest.raises(OSError, match="No space left"):
        fit(MLP(()), loader, loader, on_epoch_end=fill_the_disk, **settings)

    monkeypatch.undo()  # space has been made
    model = MLP(())
    history = fit(model, loader, loader, resume=True, **settings)
    assert len(history) == 4
    assert equal(state_of(model), state_of(unbroken))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
@pytest.mark.parametrize("processes", KILLS)
def test_runs_killed_at_any_moment_end_with_the_same_weights(tmp_path, processes):
    program = Path(__file__).with_name("killed_training.py")
    one_thread = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    child = subprocess.Popen(
        [sys.executable, program, tmp_path, str(processes)],
        env=os.environ | one_thread,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = child.communicate(timeout=200)
    finally:  # and what it has forked, should it hang
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    assert child.returncode == 0, errors
    assert json.loads(output) == {"killed": KILLS[processes], "different": []}


def test_an_epoch_that_diverged_is_never_the_best():
    history = History(val_loss=[float("nan"), 0.5, 0.4, float("nan")])
    assert history.best_epoch == 3


@pytest.mark.parametrize("broken", [False, True])
def test_the_model_comes_back_to_where_it_was(loader, monkeypatch, broken):
    monkeypatch.setattr(machine, "find_device", torch.device)  # any will do
    moves = []

    class Traveller(MLP):
        def to(self, device):  # a machine without a GPU has nowhere else to go
            moves.append(device)
            return self

    def stop(history):
        if broken:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError) if broken else nullcontext():
        fit(Traveller(()), loader, loader, 1, on_epoch_end=stop, device="meta")
    assert moves == [torch.device("meta"), torch.device("cpu")]
