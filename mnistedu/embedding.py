"""Vectors of many numbers as points in a plane: PCA and t-SNE."""

import math

import torch
from torch import Tensor

from mnistedu.layers import Adam


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


def tsne(vectors: Tensor, perplexity: float = 30, steps: int = 500) -> Tensor:
    """Place points in a plane so that neighbours among the vectors stay neighbours.

    They start as a tiny copy of their PCA, and Adam moves them so that the loss falls::

        C = Σᵢⱼ pᵢⱼ log(pᵢⱼ / qᵢⱼ),  qᵢⱼ = (1 + |yᵢ - yⱼ|²)⁻¹ / Σₖₗ (1 + |yₖ - yₗ|²)⁻¹
        ∂C/∂yᵢ = 4 Σⱼ (pᵢⱼ - qᵢⱼ) (yᵢ - yⱼ) (1 + |yᵢ - yⱼ|²)⁻¹

    The pᵢⱼ say which vectors are neighbours and the qᵢⱼ say it of the points yᵢ. The
    sums are over pairs, so i ≠ j and k ≠ l (van der Maaten and Hinton, 2008, equations
    4 and 5).

    Args:
        vectors: float ``(N, D)``, D at least 2, not all the same. Time and memory grow
            as N², so some thousands are the limit.
        perplexity: about how many neighbours each vector has, between 1 and N - 1.
        steps: how many steps Adam takes.

    Returns:
        float ``(N, 2)``. Only who is near whom has a meaning.

    Raises:
        ValueError: if the perplexity is not between 1 and N - 1.
    """
    p = _neighbour_probabilities(vectors, perplexity)
    points, _ = pca(vectors)
    points = points * (1e-4 / points[:, 0].std())
    adam = Adam([points], lr=1)
    for _ in range(steps):
        near = 1 / (1 + torch.cdist(points, points).square())
        near.fill_diagonal_(0)
        q = near / near.sum()
        pull = (p - q) * near
        points.grad = 4 * (pull.sum(1, keepdim=True) * points - pull @ points)
        adam.step()
    points.grad = None
    return points


def _neighbour_probabilities(vectors: Tensor, perplexity: float) -> Tensor:
    """How much two vectors are each other's neighbours: pᵢⱼ = (pⱼ|ᵢ + pᵢ|ⱼ) / 2N.

    pⱼ|ᵢ ∝ exp(-βᵢ |xᵢ - xⱼ|²), with that βᵢ, found by bisection, at which the entropy
    is the perplexity's logarithm: as if that many neighbours were equally near (van der
    Maaten and Hinton, 2008, equation 1). ``(N, D)`` -> ``(N, N)``, symmetric, 0 on the
    diagonal, the sum 1.
    """
    n = len(vectors)
    if not 1 < perplexity < n - 1:
        raise ValueError(
            "The perplexity must lie between 1 and the number of other vectors, "
            f"{n - 1}, and is {perplexity}."
        )
    x = vectors.double()  # or a large mean or an outlier would hide the distances
    squared = torch.cdist(x, x).square().fill_diagonal_(torch.inf)
    # Look around a β of 1 / (mean squared distance), and far around it, as a single
    # outlier can make this mean a million times too large.
    scale = squared[squared.isfinite()].mean()
    low, high = x.new_full((n, 1), -40), x.new_full((n, 1), 40)
    for _ in range(40):
        middle = (low + high) / 2  # log β, in that unit
        p = torch.softmax(-squared / scale * middle.exp(), dim=1)
        too_wide = torch.special.entr(p).sum(1, keepdim=True) > math.log(perplexity)
        low = torch.where(too_wide, middle, low)
        high = torch.where(too_wide, high, middle)
    return ((p + p.T) / (2 * n)).to(vectors)
