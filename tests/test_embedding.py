"""PCA and t-SNE against scikit-learn."""

import math

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from mnistedu.embedding import _neighbour_probabilities, pca, tsne


@pytest.fixture(scope="module")
def vectors():
    """300 digits of 8×8 pixels."""
    return torch.from_numpy(load_digits().data[:300]).float()


def divergence(vectors, points, perplexity):
    """The loss that t-SNE lowers, in float64."""
    p = _neighbour_probabilities(vectors, perplexity).double()
    near = 1 / (1 + torch.cdist(points, points).double().square())
    near.fill_diagonal_(0)
    q = near / near.sum()
    # A 1 where a point meets itself, p being 0 there: the gradient would be nan.
    return (torch.xlogy(p, p) - torch.xlogy(p, q + torch.eye(len(q)))).sum()


def test_pca_is_that_of_scikit_learn(vectors):
    theirs = PCA(5)
    expected = torch.from_numpy(theirs.fit_transform(vectors.double().numpy()))
    shares = torch.from_numpy(theirs.explained_variance_ratio_)
    coordinates, share = pca(vectors.double(), 5)
    signs = (coordinates * expected).sum(0).sign()  # a direction may point either way
    torch.testing.assert_close(coordinates * signs, expected)
    torch.testing.assert_close(share, shares)


def test_neighbours_are_shared_out_by_the_perplexity(vectors):
    p = _neighbour_probabilities(vectors.double(), 20)
    assert torch.equal(p, p.T)
    assert not p.diagonal().any()
    assert math.isclose(p.sum(), 1, rel_tol=1e-12)
    # Two pairs far apart: with a perplexity of hardly more than 1, only one's own twin.
    pairs = torch.tensor([[0.0], [1], [1000], [1001]], dtype=torch.float64)
    twins = torch.eye(2).flip(0).double() / 4
    expected = torch.block_diag(twins, twins)
    found = _neighbour_probabilities(pairs, 1.0001)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    # On a ring all have alike neighbours, so each row is one vector's, over N.
    angle = torch.arange(12, dtype=torch.float64) * (2 * math.pi / 12)
    ring = torch.stack([angle.cos(), angle.sin()], dim=1)
    shares = 12 * _neighbour_probabilities(ring, 5)
    perplexity = torch.special.entr(shares).sum(1).exp()
    torch.testing.assert_close(perplexity, torch.full_like(perplexity, 5))


def test_only_differences_count(vectors):
    expected = _neighbour_probabilities(vectors, 12)
    moved = _neighbour_probabilities(vectors + 1000, 12)
    torch.testing.assert_close(moved, expected, atol=1e-8, rtol=1e-3)


def test_an_outlier_leaves_the_others_their_neighbours(vectors):
    expected = _neighbour_probabilities(vectors, 12)
    outlier = torch.full((1, 64), 1e6)
    with_it = _neighbour_probabilities(torch.cat([vectors, outlier]), 12)
    torch.testing.assert_close(
        with_it[:300, :300] * 301, expected * 300, atol=1e-8, rtol=1e-3
    )


def test_the_loss_is_as_low_as_scikit_learns(vectors):
    theirs = TSNE(method="exact", perplexity=20, random_state=0)
    expected = torch.from_numpy(theirs.fit_transform(vectors.numpy()))
    points = tsne(vectors, perplexity=20)
    # Their own figure is that of their points: the loss is theirs.
    assert math.isclose(
        divergence(vectors, expected, 20), theirs.kl_divergence_, rel_tol=1e-3
    )
    assert divergence(vectors, points, 20) < 1.05 * theirs.kl_divergence_


def test_neighbours_stay_neighbours(vectors):
    points = tsne(vectors)
    shadow, _ = pca(vectors)
    kept = trustworthiness(vectors.numpy(), points.numpy())
    assert kept > 0.97 > trustworthiness(vectors.numpy(), shadow.numpy())


def test_the_gradient_is_that_of_autograd(vectors, monkeypatch):
    few = vectors[:40].double()
    torch.manual_seed(0)
    elsewhere = torch.randn(40, 2, dtype=torch.float64)
    seen = []

    class Watch:
        def __init__(self, parameters, lr):
            (self.points,) = parameters

        def step(self):
            seen.append(self.points.grad)
            self.points.copy_(elsewhere)

    monkeypatch.setattr("mnistedu.embedding.Adam", Watch)
    tsne(few, perplexity=5, steps=2)
    elsewhere.requires_grad_()
    divergence(few, elsewhere, 5).backward()
    torch.testing.assert_close(seen[1], elsewhere.grad)


@pytest.mark.parametrize("perplexity", [1, 299, math.nan])
def test_an_impossible_perplexity_is_named(vectors, perplexity):
    with pytest.raises(ValueError, match=f"299, and is {perplexity}"):
        tsne(vectors, perplexity)
