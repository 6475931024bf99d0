"""Attempts as readers write them, and a word of the hint that each gets."""

import numpy as np
import torch


def _x_loop(sel):

    def f(images, heatmaps, k, paper):
        out = images.clone()
        for n in range(len(images)):
            idx = sel(heatmaps[n].flatten(), k)
            out[n].view(-1)[idx] = paper
        return out

    return f


def _x_inplace(images, heatmaps, k, paper):
    for n in range(len(images)):
        images[n].view(-1)[heatmaps[n].flatten().topk(k).indices] = paper
    return images


def _spot(like, value):
    """One more map, with a number in its upper left corner."""
    spot = torch.zeros_like(like[:1])
    spot[0, 0, 0] = value
    return spot


def _attack(model, image, tries, enough=0):
    """Of the pixels whose gradient promises most, the one that helps most."""
    answer, changed = model(image).argmax(1).item(), image.clone()

    def ahead(x):
        z = model(x)
        others = torch.cat([z[:, :answer], z[:, answer + 1 :]], 1)
        return z[:, answer] - others.amax(1)

    touched = set()
    while ahead(changed) > enough:
        x = changed.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(ahead(x), x)
        goal = torch.where(gradient > 0, image.min(), image.max())
        gain = (gradient * (goal - changed)).flatten()
        gain[list(touched)] = 0
        best = gain.argsort()[:tries]
        candidates = changed.repeat(tries, 1, 1, 1)
        for n, at in enumerate(best):
            candidates.view(tries, -1)[n, at] = goal.flatten()[at]
        n = ahead(candidates).argmin()
        changed = candidates[n : n + 1].detach()
        touched.add(int(best[n]))
    return changed


def _attack_in_training_mode(model, image):
    model.train()
    return _attack(model, image, 8)


def _just_as_hot(maps, weights):
    """A corner that is no hotter than the hottest place there is."""
    places = weights[0].numel()
    weight = (1 - _spot(weights, 1)) * places / (places - 1)  # 1 on average
    hottest = (weights.mean((1, 2))[:, None, None] * maps).sum(0).max()
    corner = _spot(maps, hottest if hottest > 0 else 1)
    return torch.cat([maps, corner]), torch.cat([weights, weight])


ATTEMPTS = {
    "on_paper": {
        "the other way round": lambda: ([6, 2, 4], [-6, 4, 8]),
        "nothing is cut off": lambda: [[0, 4, 8], [6, 2, 4]],
        "the mean of its gradients, not their sum": lambda: ([-6, 4, 8], [18, 6, 12]),
        "does not go place by place": lambda: ([-6, 4, 8], [0, 4, 8]),
        "multiply them by what stands in the map": lambda: ([-2, 4, 4], [6, 2, 4]),
        "mind the sign": lambda: (torch.tensor([6, 4, 8]), torch.tensor([6, 2, 4])),
        "the exact map is right, Grad-CAM": lambda: ([-6, 4, 8], [3, 1, 2]),
        "Grad-CAM is right, the exact map": lambda: ([-2, 0, 4], [6, 2, 4]),
        "neither is right": lambda: ([1, 3, 2], [1, 1, 1]),
        "return two lists of three numbers": lambda: [-6, 4, 8, 6, 2, 4],
    },
    "exact_map": {
        "you add up over the images": lambda maps, gradients: (maps * gradients).sum(0),
        "keep it, the sum is the logit": lambda m, g: (m * g).sum(1).relu(),
        "that is Grad-CAM": lambda m, g: (
            (g.mean((2, 3), keepdim=True) * m).sum(1).relu()
        ),
        "the mean over the maps": lambda m, g: (m * g).mean(1),
        "still apart": lambda m, g: m * g,
        "one number for each image": lambda m, g: torch.einsum("nchw,nchw->n", m, g),
        "the maps are left out": lambda m, g: g.sum(dim=1),
        "each by itself": lambda m, g: m.sum(1) * g.sum(1),
        "rectify what each map gives": lambda m, g: torch.relu(m * g).sum(1),
    },
    "mislead": {
        "Grad-CAM is still hottest": lambda m, w: (m, w),
        "the logit should stay": lambda m, w: (
            torch.cat([m, 99 * torch.ones_like(m[:1])]),
            torch.cat([w, torch.ones_like(w[:1])]),
        ),
        "should add nothing to the logit": lambda m, w: (
            torch.cat([m, _spot(m, 50) + m[:1] * 0, 50 - _spot(m, 50)]),
            torch.cat([w, _spot(w, 1), w[:1] * 0 - 1 / (w[0].numel() - 1)]),
        ),
        "return two tensors, the maps and the weights": lambda m, w: m,
        "both must have the shape": lambda m, w: (torch.cat([m, m]), w),
        "nothing negative": lambda m, w: (-m, -w),
    },
    "few_pixels": {
        "in 5 of 5 images the answer is still the same": lambda model, image: image,
        "paler than paper": lambda model, image: image - 10,
        "10 are enough": lambda model, image: _attack(model, image, 1, -9),
        "a torch tensor, not a list": lambda model, image: image.tolist(),
        "the shape should be (1, 1, 28, 28)": lambda model, image: image[0, 0],
    },
    "heatmaps": {
        "the weights lose their sign": lambda maps, gradients: torch.relu(
            (gradients.mean((2, 3), keepdim=True).abs() * maps).sum(1)
        ),
        "places are dimensions 2 and 3": lambda maps, gradients: torch.relu(
            (gradients.mean((1, 2), keepdim=True) * maps).sum(1)
        ),
        "meet places instead of maps": lambda maps, gradients: torch.relu(
            (gradients.mean((2, 3)) * maps).sum(1)
        ),
        "some of these are negative": lambda a, g: torch.einsum(
            "ncij,nc->nij", a, g.mean((2, 3))
        ),
        "each map by itself": lambda a, g: torch.relu(a * g.mean((2, 3), True)).sum(1),
        "place by place": lambda a, g: torch.relu((a * g).sum(1)),
        "you add the gradients up": lambda a, g: torch.relu(
            torch.einsum("ncij,nc->nij", a, g.sum((2, 3)))
        ),
        "mean over the maps": lambda a, g: (a * g.mean((2, 3), True)).mean(1).relu(),
        "not from the maps": lambda a, g: (g * a.mean((2, 3), True)).sum(1).relu(),
        "mean over the images": lambda a, g: torch.relu(
            torch.einsum("ncij,c->nij", a, g.mean((0, 2, 3)))
        ),
        "shape should be (1, 2, 2), not (1, 1, 2, 2)": lambda a, g: (
            (a * g.mean((2, 3), True)).sum(1, keepdim=True).relu()
        ),
        "divided by the largest of each": lambda m, g: (
            lambda h: h / h.amax((1, 2), keepdim=True)
        )((g.mean((2, 3), keepdim=True) * m).sum(1).relu()),
        "you rectify the weights, so that no": lambda m, g: (
            g.mean((2, 3), keepdim=True).relu() * m
        ).sum(1),
        "absolute values show what speaks against the": lambda m, g: (
            (g.mean((2, 3), keepdim=True) * m).sum(1).abs()
        ),
        "you add up over the images": lambda m, g: (
            (g.mean((2, 3), keepdim=True) * m).sum(0).relu()
        ),
        "these are the weighted maps: add them up, over dimension 1": lambda m, g: (
            g.mean((2, 3), keepdim=True) * m
        ).relu(),
        "the gradients are left out": lambda m, g: m.sum(1).relu(),
        "these are stretched from 0 to 1": lambda m, g: (
            lambda h: (
                (h - h.amin((1, 2), keepdim=True))
                / (h.amax((1, 2), keepdim=True) - h.amin((1, 2), keepdim=True))
            )
        )((g.mean((2, 3), keepdim=True) * m).sum(1).relu()),
        "your weights are means over the maps": lambda m, g: (
            (g.mean(1, keepdim=True) * m).sum(1).relu()
        ),
        "only the first one is there": lambda m, g: (
            (g[0].mean((1, 2))[:, None, None] * m[0]).sum(0).relu()
        ),
        "is the mean of the gradients, not": lambda m, g: (
            (g.amax((2, 3), keepdim=True) * m).sum(1).relu()
        ),
        "divided by the largest of the": lambda m, g: (lambda h: h / h.max())(
            (g.mean((2, 3), keepdim=True) * m).sum(1).relu()
        ),
    },
    "erase": {
        "heatmaps without what is negative": lambda images, heatmaps, k, paper: (
            images.flatten(1)
            .scatter(1, heatmaps.clamp(min=0).flatten(1).topk(k)[1], paper)
            .reshape(images.shape)
        ),
        "the other way round": lambda x, h, k, paper: torch.where(
            h[:, None] < h.flatten(1).topk(k).values.amin(1).view(-1, 1, 1, 1),
            paper,
            x,
        ),
        "of the whole batch": lambda x, h, k, paper: torch.where(
            h[:, None] < h.flatten().topk(k).values.amin(), x, paper
        ),
        "not asked for": lambda x, h, k, paper: torch.where(
            h < h.flatten(1).topk(k).values.amin(1).view(-1, 1, 1), h, paper
        )[:, None],
        "your function changes its input images, which": _x_inplace,
        "gather and scatter want an index with": lambda i, h, k, p: i.scatter(
            1, h.topk(k).indices, p
        ),
        "along a dimension, topk returns two things": lambda i, h, k, p: (
            i.flatten(1).scatter(1, h.flatten(1).topk(k), p).view_as(i)
        ),
        "you erase k pixels in each row": lambda i, h, k, p: i[:, 0].scatter(
            2, h.topk(k).indices, p
        )[:, None],
        "the numbers are right, but the shape": lambda i, h, k, p: i.flatten(1).scatter(
            1, h.flatten(1).topk(k).indices, p
        ),
        "the numbers are right, but": lambda i, h, k, p: (
            i.flatten(1).scatter(1, h.flatten(1).topk(k).indices, p).view_as(h)
        ),
        "only the hottest pixel is erased": lambda i, h, k, p: _x_loop(
            lambda h, k: h.topk(k).indices[:1]
        )(i, h, k, p),
        "pixel too few is erased": _x_loop(lambda h, k: h.topk(k).indices[:-1]),
        "you erase where the first image is": lambda i, h, k, p: _x_loop(
            lambda hh, k: h[0].flatten().topk(k).indices
        )(i, h, k, p),
        "4 numbers do not fill the shape": lambda i, h, k, p: (
            i.flatten(1).scatter(1, h.flatten(1).topk(k).indices, p).view(-1, 1, 28, 28)
        ),
        "erase the brightest pixels of the images": lambda i, h, k, p: (
            i.flatten(1).scatter(1, i.flatten(1).topk(k).indices, p).view_as(i)
        ),
        "there is no place 1 in a dimension": lambda i, h, k, p: (
            i.flatten(1).scatter(0, h.flatten(1).topk(k).indices, p).view_as(i)
        ),
        "that is images, as it was given": lambda i, h, k, p: i.clone(),
    },
}

SOLUTIONS = {
    "on_paper": [
        lambda: ([-6, 4, 8], [6, 2, 4]),
        lambda: [torch.tensor([-6.0, 4.0, 8.0]), torch.tensor([6.0, 2.0, 4.0])],
        lambda: torch.tensor([[-6.0, 4.0, 8.0], [6.0, 2.0, 4.0]]),
        lambda: (
            np.array([3, 1, 2]) * [-2, 4, 4],
            np.array([3, 1, 2]) * np.mean([-2, 4, 4]),
        ),
    ],
    "exact_map": [
        lambda m, g: torch.einsum("nchw,nchw->nhw", m, g),
        lambda m, g: sum(m[:, c] * g[:, c] for c in range(m.shape[1])),
        lambda m, g: (m * g).mean(1) * m.shape[1],
    ],
    "mislead": [
        lambda m, w: (
            torch.cat([m, _spot(m, 500)]),
            torch.cat([w, 1 - _spot(w, 1)]),
        ),
        lambda m, w: (
            torch.cat([_spot(m, 9e3), m]).double(),
            torch.cat([0.5 - _spot(w, 0.5), w]).double(),
        ),
        lambda m, w: [
            torch.cat([m, _spot(m, 300), _spot(m, 300)]),
            torch.cat([w, 2 - _spot(w, 2), 1 - _spot(w, 1)]),
        ],
    ],
    "few_pixels": [
        lambda model, image: _attack(model, image, 1),
        lambda model, image: _attack(model, image, 8),
        lambda model, image: _attack(model, image, 32),
    ],
    "heatmaps": [
        lambda m, g: torch.einsum("nc,nchw->nhw", g.mean((2, 3)), m).clamp(min=0),
        lambda m, g: torch.stack(
            [
                sum((w * c for w, c in zip(gg.mean((1, 2)), mm))).relu()
                for mm, gg in zip(m, g)
            ]
        ),
        lambda m, g: (g.flatten(2).mean(2)[:, :, None, None] * m).sum(1).clamp(0),
        lambda m, g: np.maximum(
            (g.numpy().mean((2, 3), keepdims=True) * m.numpy()).sum(1), 0
        ),
    ],
    "erase": [
        _x_loop(lambda h, k: h.topk(k).indices),
        _x_loop(lambda h, k: h.argsort(descending=True)[:k]),
        lambda i, h, k, p: torch.where(
            (h.flatten(1).argsort(1, descending=True).argsort(1) < k).view_as(i), p, i
        ),
    ],
}

# Right in simple cases only.
SIMPLE = {
    "mislead": [_just_as_hot],
    "few_pixels": [_attack_in_training_mode],
    "erase": [
        _x_loop(
            lambda h, k: [
                h.tolist().index(x) for x in sorted(h.tolist())[: -k - 1 : -1]
            ]
        ),
        _x_loop(lambda h, k: torch.isin(h, h.unique()[-k:])),
    ],
}
