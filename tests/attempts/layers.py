"""Attempts as readers write them, and a word of the hint that each gets."""

import torch

ATTEMPTS = {
    "relu_backward": {
        "sign of x": lambda grad, x: torch.where(grad > 0, grad, 0 * grad),
        "whole gradient": lambda grad, x: grad,
        "forward pass": lambda grad, x: torch.relu(x),
        "derivative of ReLU alone": lambda grad, x: (x > 0).float(),
        "derivative, which is 1": lambda grad, x: grad * torch.relu(x),
        "wrong way round": lambda grad, x: grad * (x < 0),
        "> and not >=": lambda grad, x: grad * (x >= 0),
        "shape should be (3,), not (1, 3)": lambda grad, x: (grad * (x > 0))[None],
        "not a list": lambda grad, x: (grad * (x > 0)).tolist(),
        "the numbers differ": lambda grad, x: grad * (x > 0) + 1,
    },
    "softmax": {
        "not the first or their mean": lambda logits: (
            torch.exp(logits - logits.mean(1, keepdim=True))
            / torch.exp(logits - logits.mean(1, keepdim=True)).sum(1, keepdim=True)
        ),
        "forgot to divide": torch.exp,
        "exponentials first": lambda z: z / z.sum(1, keepdim=True),
        "sum over dimension 1": lambda z: torch.softmax(z, 0),
        "sums to 1 by itself": lambda z: z.exp() / z.exp().sum(),
        "keepdim=True": lambda z: z.exp() / z.exp().sum(1),
        "logarithms": lambda z: torch.log_softmax(z, 1),
        "inf / inf": lambda z: z.exp() / z.exp().sum(1, keepdim=True),
        "of each row": lambda z: (
            (z - z.max()).exp() / (z - z.max()).exp().sum(1, keepdim=True)
        ),
    },
    "sgd_momentum": {
        "forgot the momentum": lambda p, g, v, lr, mu: (p - lr * g, g),
        "uphill": lambda p, g, v, lr, mu: (p + lr * (mu * v + g), mu * v + g),
        "old velocity": lambda p, g, v, lr, mu: (p - lr * v, mu * v + g),
        "forgot the learning rate": (
            lambda p, g, v, lr, mu: (p - (mu * v + g), mu * v + g)
        ),
        "keep it for the step": (
            lambda p, g, v, lr, mu: (p - (mu * v + lr * g), mu * v + lr * g)
        ),
        "as Adam does": lambda p, g, v, lr, mu: (
            p - lr * (mu * v + (1 - mu) * g),
            mu * v + (1 - mu) * g,
        ),
        "the order": lambda p, g, v, lr, mu: (mu * v + g, p - lr * (mu * v + g)),
        "new velocity as well": lambda p, g, v, lr, mu: p - lr * (mu * v + g),
        "return 2 tensors": lambda p, g, v, lr, mu: [p, v],
    },
}
