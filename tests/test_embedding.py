"""PCA against scikit-learn's, and what t-SNE promises."""

import math

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from mnistedu.embedding import pca, tsne


@pytest.fixture(scope="module")
def vectors():
    """300 digits of 8×8 pixels."""
    return torch.from_numpy(load_digits().data[:300]).float()


def test_pca_is_that_of_scikit_learn(vectors):
    theirs = PCA(5)
    expected = torch.from_numpy(theirs.fit_transform(vectors.double().numpy()))
    shares = torch.from_numpy(theirs.explained_variance_ratio_)
    coordinates, share = pca(vectors.double(), 5)
    signs = (coordinates * expected).sum(0).sign()  # a direction may point either way
    torch.testing.assert_close(coordinates * signs, expected)
    torch.testing.assert_close(share, shares)


def test_neighbours_stay_neighbours_and_are_found_again(vectors):
    points = tsne(vectors)
    shadow, _ = pca(vectors)
    kept = trustworthiness(vectors.numpy(), points.numpy())
    assert kept > 0.97 > trustworthiness(vectors.numpy(), shadow.numpy())
    assert points.shape == (300, 2) and torch.equal(points, tsne(vectors))


def test_the_perplexity_counts(vectors):
    assert not torch.equal(tsne(vectors, 5), tsne(vectors, 50))


@pytest.mark.parametrize("perplexity", [0, 300, math.nan])
def test_an_impossible_perplexity_is_refused(vectors, perplexity):
    with pytest.raises(ValueError, match="perplexity"):
        tsne(vectors, perplexity)
