"""Metrics against scikit-learn and scipy, by hand, and on simulated networks."""

import math

import pytest
import scipy.stats
import sklearn.calibration
import sklearn.metrics
import torch
from torch import nn
from torchvision.transforms import v2

from mnistedu.data import Split, make_loader
from mnistedu.evaluation import (
    accuracy,
    accuracy_interval,
    auc,
    calibration,
    confusion_matrix,
    distort,
    expected_calibration_error,
    fit_temperature,
    mcnemar_test,
    most_confident_mistakes,
    per_class_accuracy,
    predict,
)
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
        predict(model, [(torch.zeros(1, 1, 28, 28), torch.zeros(1))])
    assert model.training


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_logits_are_float32_whatever_the_model_is(dtype):
    images = torch.randn(3, 1, 28, 28)
    model = ConvNet(1).eval()
    expected = model(images).detach()
    logits, _ = predict(model.to(dtype), [(images, torch.arange(3))])
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, expected, atol=0.05, rtol=0.05)


def test_a_model_without_weights_can_be_asked():
    images = torch.randn(3, 1, 28, 28)
    logits, _ = predict(nn.Flatten(), [(images, torch.arange(3))])
    assert torch.equal(logits, images.flatten(1))


def test_predict_says_what_it_cannot_take():
    with pytest.raises(ValueError, match="The loader gave no images"):
        predict(ConvNet(1), [])
    with pytest.raises(ValueError, match=r"takes normalised images, .* it was given"):
        predict(ConvNet(1), [(torch.rand(3, 1, 28, 28), torch.arange(3))])


def answering(answers, confidence=0.9):
    """Logits of a network that gives these answers, all with the same confidence."""
    rest = math.log((1 - confidence) / 9)
    logits = torch.full((len(answers), 10), rest)
    logits[torch.arange(len(answers)), answers] = math.log(confidence)
    return logits


def outcomes(right):
    """Logits of answers that are right where ``right`` is, and targets, all 0."""
    answers = torch.as_tensor(right).logical_not().long()
    return answering(answers), torch.zeros(len(answers), dtype=torch.int64)


@pytest.mark.parametrize(("right", "n"), [(0, 10), (7, 10), (10, 10), (9955, 10_000)])
def test_accuracy_interval_is_that_of_wilson(right, n):
    p, z = right / n, scipy.stats.norm.ppf(0.975)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    interval = accuracy_interval(*outcomes(torch.arange(n) < right))
    assert interval == pytest.approx((middle - half, middle + half))


def test_accuracy_intervals_hold_the_truth_as_often_as_they_say():
    generator = torch.Generator().manual_seed(0)
    truth, trials = 0.9, 1000
    held = 0
    for right in torch.rand(trials, 200, generator=generator) < truth:
        low, high = accuracy_interval(*outcomes(right))
        held += low <= truth <= high
    assert 0.93 < held / trials < 0.97


def test_per_class_accuracy_is_scikit_learns_recall(scored):
    logits, targets = scored
    recall = per_class_accuracy(logits, targets)
    expected = sklearn.metrics.recall_score(
        targets, logits.argmax(1), labels=range(9), average=None
    )
    assert recall[:9].tolist() == pytest.approx(expected.tolist())
    assert recall[9].isnan()  # there is no nine to be read


def test_calibration_by_hand():
    # Three answers at 0.45 (one right), one at 0.85 (right): bins 5 and 9 of ten.
    answers = torch.tensor([0, 0, 0, 0])
    targets = torch.tensor([0, 1, 2, 0])
    logits = torch.cat([answering(answers[:3], 0.45), answering(answers[3:], 0.85)])
    confidence, right, counts = calibration(logits, targets)
    assert counts.tolist() == [0, 0, 0, 0, 3, 0, 0, 0, 1, 0]
    assert right[[4, 8]].tolist() == pytest.approx([1 / 3, 1])
    assert confidence[[4, 8]].tolist() == pytest.approx([0.45, 0.85])
    assert right.isnan().sum() == confidence.isnan().sum() == 8
    by_hand = 3 / 4 * (0.45 - 1 / 3) + 1 / 4 * (1 - 0.85)
    assert expected_calibration_error(logits, targets) == pytest.approx(by_hand)


def test_a_confidence_between_two_bins_is_in_the_lower_one():
    """Bin m is ((m - 1) / bins, m / bins]."""
    logits = torch.full((1, 10), -1000.0)
    logits[0, :2] = 0  # two probabilities of exactly 1/2
    counts = calibration(logits, torch.tensor([0])).counts
    assert counts.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]


def test_calibration_error_of_certain_networks():
    answers = torch.arange(100) % 10
    certain = nn.functional.one_hot(answers) * 1000.0  # a probability of exactly 1
    assert calibration(certain, answers).counts.tolist() == [0] * 9 + [100]
    assert expected_calibration_error(certain, answers) == 0
    assert expected_calibration_error(certain, (answers + 1) % 10) == 1


def test_calibration_agrees_with_scikit_learn(scored):
    logits, targets = scored
    confidence, answers = logits.softmax(1).max(1)
    right, mean = sklearn.calibration.calibration_curve(
        answers == targets, confidence, n_bins=15
    )
    ours = calibration(logits, targets, bins=15)
    filled = ours.counts > 0
    assert ours.accuracy[filled].tolist() == pytest.approx(right.tolist())
    assert ours.confidence[filled].tolist() == pytest.approx(mean.tolist())


def test_targets_drawn_from_the_probabilities_are_calibrated():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(100_000, 10, generator=generator)
    probabilities = logits.softmax(1)
    targets = probabilities.multinomial(1, generator=generator).squeeze(1)
    assert expected_calibration_error(logits, targets) < 0.01
    assert expected_calibration_error(3 * logits, targets) > 0.1  # overconfident
    result = calibration(logits, targets)
    filled = result.counts > 1000
    gap = (result.accuracy - result.confidence)[filled]
    assert filled.sum() >= 7 and gap.abs().max() < 0.05


@pytest.mark.parametrize("off", [0.4, 1, 3])
def test_temperature_is_that_of_a_finer_search(off):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(5000, 10, generator=generator)
    targets = logits.softmax(1).multinomial(1, generator=generator).squeeze(1)
    log_t = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = nn.functional.cross_entropy(off * logits / log_t.exp(), targets)
        value.backward()
        return value

    optimizer.step(loss)
    temperature = fit_temperature(off * logits, targets)
    assert temperature == pytest.approx(log_t.exp().item(), abs=0.006)
    assert temperature == pytest.approx(off, rel=0.05)


def test_most_confident_mistakes_come_first(scored):
    logits, targets = scored
    confidence, answers = logits.softmax(1).max(1)
    wrong = [i for i in range(500) if answers[i] != targets[i]]
    wrong.sort(key=lambda i: -confidence[i])
    assert most_confident_mistakes(logits, targets, 7).tolist() == wrong[:7]
    assert most_confident_mistakes(logits, targets, 1000).tolist() == wrong
    assert most_confident_mistakes(logits, answers).shape == (0,)


def brute_force(b, c):
    """Add up the chances of all b + c tosses that are no likelier than this one."""
    chances = [math.comb(b + c, k) for k in range(b + c + 1)]
    return sum(chance for chance in chances if chance <= chances[b]) / 2 ** (b + c)


@pytest.mark.parametrize(
    ("b", "c"), [(0, 1), (3, 3), (8, 2), (2, 8), (0, 12), (30, 41)]
)
def test_mcnemar_counts_the_tosses_of_a_coin(b, c):
    alike = torch.tensor([True, True, False])
    only_a, only_b = torch.ones(b).bool(), torch.ones(c).bool()
    logits_a, targets = outcomes(torch.cat([alike, only_a, ~only_b]))
    logits_b, _ = outcomes(torch.cat([alike, ~only_a, only_b]))
    assert mcnemar_test(logits_a, logits_b, targets) == pytest.approx(brute_force(b, c))


def test_mcnemar_of_networks_that_never_differ_in_being_right():
    targets = torch.zeros(3, dtype=torch.int64)
    a, b = answering(torch.tensor([0, 1, 2])), answering(torch.tensor([0, 2, 1]))
    assert mcnemar_test(a, b, targets) == 1


def test_mcnemar_seldom_errs_on_networks_of_equal_accuracy():
    generator = torch.Generator().manual_seed(0)
    small = 0
    for rights in torch.rand(500, 2, 300, generator=generator) < 0.9:
        (logits_a, targets), (logits_b, _) = map(outcomes, rights)
        small += mcnemar_test(logits_a, logits_b, targets) < 0.05
    assert 0 < small / 500 <= 0.05  # an exact test may err less often than it says


@pytest.fixture
def digit():
    """A smooth random blot with paper around it."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(5, 1, 28, 28)
    images[:, :, 9:19, 9:19] = torch.rand(5, 1, 10, 10, generator=generator)
    return images


NOTHING = {"rotation": 0, "shift": 0, "scale": 1, "noise": 0, "blur": 0}


@pytest.mark.parametrize("kind", NOTHING)
def test_distort_by_nothing_changes_nothing(kind, digit):
    same = distort(digit, kind, NOTHING[kind])
    torch.testing.assert_close(same, digit, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", NOTHING)
def test_distort_keeps_shape_dtype_and_range(kind, digit):
    images = distort(digit.double(), kind, 0.8)
    assert images.shape == digit.shape and images.dtype == torch.float64
    assert images.min() >= 0 and images.max() <= 1 + 1e-6


def test_rotation_turns_counter_clockwise():
    bar = torch.zeros(1, 1, 28, 28)
    bar[..., 4:12, 13:15] = 1  # upright, above the centre
    left = torch.zeros(1, 1, 28, 28)
    left[..., 13:15, 4:12] = 1
    torch.testing.assert_close(distort(bar, "rotation", 90), left, atol=1e-5, rtol=0)


def test_shift_moves_to_the_right(digit):
    moved = distort(digit, "shift", 3)
    torch.testing.assert_close(moved, digit.roll(3, dims=3), atol=1e-5, rtol=0)


def test_scale_makes_larger(digit):
    larger = distort(digit, "scale", 1.5)
    assert larger.sum().item() == pytest.approx(1.5**2 * digit.sum().item(), rel=0.02)


@pytest.mark.parametrize(
    ("kind", "amount", "theirs"),
    [
        ("rotation", 25, {"angle": -25}),  # clockwise in v2's affine
        ("shift", 2, {"translate": [2, 0]}),
        ("scale", 0.7, {"scale": 0.7}),
    ],
)
def test_distort_agrees_with_torchvision(kind, amount, theirs, digit):
    nothing = {"angle": 0, "translate": [0, 0], "scale": 1, "shear": [0, 0]}
    settings = {**nothing, **theirs, "interpolation": v2.InterpolationMode.BILINEAR}
    expected = v2.functional.affine(digit, **settings)
    ours = distort(digit, kind, amount)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


def test_blur_agrees_with_torchvision(digit):
    expected = v2.functional.gaussian_blur(
        digit, kernel_size=[19, 19], sigma=[1.3, 1.3]
    )
    ours = distort(digit, "blur", 1.3)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)


def test_noise_has_the_standard_deviation_and_follows_the_seed():
    grey = torch.full((20, 1, 28, 28), 0.5)
    torch.manual_seed(0)
    noisy = distort(grey, "noise", 0.1)
    assert noisy.std().item() == pytest.approx(0.1, rel=0.05)
    assert noisy.mean().item() == pytest.approx(0.5, abs=0.01)
    torch.manual_seed(0)
    assert torch.equal(distort(grey, "noise", 0.1), noisy)


@pytest.mark.parametrize("kind", NOTHING)
def test_distort_takes_raw_digits_as_ink_and_refuses_what_is_neither(kind, digit):
    raw = (digit * 255).round().byte()
    torch.manual_seed(0)
    ours = distort(raw, kind, 0.8)
    torch.manual_seed(0)
    torch.testing.assert_close(ours, distort(raw / 255, kind, 0.8))
    with pytest.raises(ValueError, match="ink"):
        distort(normalize(digit), kind, 0.8)


@pytest.mark.parametrize(
    "metric",
    [
        accuracy,
        confusion_matrix,
        accuracy_interval,
        per_class_accuracy,
        calibration,
        expected_calibration_error,
        most_confident_mistakes,
        lambda logits, targets: mcnemar_test(logits, logits, targets),
    ],
)
def test_targets_of_another_shape_get_a_sentence(metric):
    logits, targets = torch.eye(10), torch.arange(10)
    metric(logits, targets)
    for other in (targets[:, None], targets[:9], targets[0]):
        with pytest.raises(ValueError, match=r"targets' shape is \(10,\), not"):
            metric(logits, other)


def test_distort_names_the_kinds(digit):
    with pytest.raises(ValueError, match="'smear'"):
        distort(digit, "smear", 1)


def test_calibration_error_counts_in_ten_bins_or_in_as_many_as_are_asked_for():
    # In one bin of ten, (0.4, 0.5]; in two of twenty. The first one is right.
    logits = torch.cat([answering(torch.tensor([0]), c) for c in (0.41, 0.49)])
    targets = torch.tensor([0, 1])
    apart = ((1 - 0.41) + 0.49) / 2
    assert expected_calibration_error(logits, targets) == pytest.approx(0.5 - 0.45)
    assert expected_calibration_error(logits, targets, 20) == pytest.approx(apart)


def test_ten_mistakes_are_shown_unless_others_are_asked_for(scored):
    assert len(most_confident_mistakes(*scored)) == 10


class Elsewhere(nn.Module):
    """A network on another device than the images: one that every machine has."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, device="meta"))

    def forward(self, images):
        self.device = images.device.type
        return torch.zeros(len(images), 10)


def test_predict_brings_the_images_to_the_network():
    model = Elsewhere()
    predict(model, [(torch.randn(2, 1, 28, 28), torch.zeros(2))])
    assert model.device == "meta"


def test_auc_is_the_share_of_pairs_and_scikit_learns():
    scores = torch.tensor([[0.1, 0.4, 0.35, 0.8], [3, 1, 2, 2]])
    positive = torch.tensor([False, False, True, True])
    assert auc(scores, positive).tolist() == [0.75, 0.5]
    assert auc(scores[0], positive).item() == 0.75
    torch.manual_seed(0)
    scores = torch.randint(20, (5, 300)).float()  # with many that are equal
    positive = torch.rand(300) < 0.3
    expected = [sklearn.metrics.roc_auc_score(positive, each) for each in scores]
    assert auc(scores, positive).tolist() == pytest.approx(expected)
