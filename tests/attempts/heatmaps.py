"""Attempts as readers write them, and a word of the hint that each gets."""

import torch

ATTEMPTS = {
    "heatmaps": {
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
    },
    "contributions": {
        "each place keeps its own": lambda a, w: torch.einsum(
            "ncij,c->nij", a, w.view(a.shape[1], -1).mean(1)
        ),
        "wrong order": lambda a, w: torch.einsum(
            "ncij,ijc->nij", a, w.view(*a.shape[2:], a.shape[1])
        ),
        "nothing is rectified": lambda a, w: torch.relu(
            torch.einsum("ncij,cij->nij", a, w.view(a.shape[1:]))
        ),
        "added up the places": lambda a, w: torch.einsum(
            "ncij,cij->nc", a, w.view(a.shape[1:])
        ),
        "that is the logit": lambda a, w: (a.flatten(1) * w).sum(1),
        "mean over the maps": lambda a, w: (a * w.view(a.shape[1:])).mean(1),
    },
    "erase": {
        "far below 0 is cold": lambda images, heatmaps, k, paper: (
            images.flatten(1)
            .scatter(1, heatmaps.flatten(1).abs().topk(k).indices, paper)
            .view_as(images)
        ),
        "a shade of grey": lambda x, h, k, paper: torch.where(
            h[:, None] < h.flatten(1).topk(k).values.amin(1).view(-1, 1, 1, 1), x, 0
        ),
        "the coldest": lambda x, h, k, paper: torch.where(
            h[:, None] > h.flatten(1).sort(1).values[:, k - 1].view(-1, 1, 1, 1),
            x,
            paper,
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
    },
}
