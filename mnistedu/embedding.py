"""Vectors of many numbers as points in a plane: PCA and t-SNE."""

import torch
from torch import Tensor


def pca(vectors: Tensor, dimensions: int = 2) -> tuple[Tensor, Tensor]:
    """Look at vectors along the directions in which they differ most (Pearson, 1901).

    Args:
        vectors: float ``(N, D)``.
        dimensions: how many directions, at most the smaller of N and D.

    Returns:
        The coordinates along these directions, ``(N, dimensions)``, their means 0,
        and each direction's share of the whole variance, ``(dimensions,)``.
    """
    u, s, _ = torch.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    share = s.square() / s.square().sum()
    return (u * s)[:, :dimensions], share[:dimensions]


def tsne(vectors: Tensor, perplexity: float = 30) -> Tensor:
    """Place points in a plane so that neighbours among the vectors stay neighbours.

    They start as a tiny copy of their PCA, and scikit-learn moves them so that the loss
    falls::

        C = Σᵢⱼ pᵢⱼ log(pᵢⱼ / qᵢⱼ),  qᵢⱼ = (1 + |yᵢ - yⱼ|²)⁻¹ / Σₖₗ (1 + |yₖ - yₗ|²)⁻¹

    The pᵢⱼ say which vectors are neighbours and the qᵢⱼ say it of the points yᵢ. The
    sums are over pairs, so i ≠ j and k ≠ l (van der Maaten and Hinton, 2008, equation
    4).

    Args:
        vectors: float ``(N, D)``, D at least 2, on the CPU.
        perplexity: about how many neighbours each vector has, less than N.

    Returns:
        float32 ``(N, 2)``. Only who is near whom has a meaning.

    Raises:
        ValueError: if the perplexity is not between 0 and N.
    """
    from sklearn.manifold import TSNE  # slow to import, seldom needed

    moved = TSNE(perplexity=perplexity, init="pca", random_state=0)
    return torch.from_numpy(moved.fit_transform(vectors.numpy()))
