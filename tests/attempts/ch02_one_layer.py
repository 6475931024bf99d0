"""Attempts as readers write them, and a word of the hint that each gets."""

import math
from functools import partial

import torch


def _gradient(logits, targets):
    p = torch.softmax(logits, 1)
    p[range(len(targets)), targets] -= 1
    return p / len(targets)


def _gradient_after(change, logits, targets):
    powers = change(logits).exp()
    p = powers / powers.sum(1, keepdim=True)
    return (p - torch.eye(logits.shape[1])[targets]) / len(logits)


def _gradient_in_loops(logits, targets):
    grad = torch.zeros(logits.shape)
    for n, row in enumerate(logits):
        for k in range(len(row)):
            p = math.exp(row[k]) / sum(math.exp(z) for z in row)
            grad[n, k] = (p - (1 if k == targets[n] else 0)) / len(logits)
    return grad


def _gradient_by_autograd(logits, targets):
    logits = logits.clone().requires_grad_()
    torch.nn.functional.cross_entropy(logits, targets).backward()
    return logits.grad


def _step_in_loops(weight, bias, x, grad, lr):
    weight, bias = weight.clone(), bias.clone()
    for pixels, g in zip(x, grad):
        weight -= lr * torch.outer(g, pixels)
        bias -= lr * g
    return weight, bias


def _step_in_place(weight, bias, x, grad, lr):
    weight -= lr * grad.T @ x
    bias -= lr * grad.sum(0)
    return weight, bias


def _subtract_in_all_rows(logits, targets):
    p = logits.softmax(1)
    p[:, targets] -= 1
    return p / len(logits)


def _step_without_blank_images(weight, bias, x, grad, lr):
    used = x.any(1)
    return weight - lr * grad.T @ x, bias - lr * grad[used].sum(0)


ATTEMPTS = {
    "softmax": {
        "the largest logit gets the smallest": lambda z: (
            (e := (z.amax(1, keepdim=True) - z).exp()) / e.sum(1, keepdim=True)
        ),
        "not the first, the last or their mean": lambda logits: (
            torch.exp(logits - logits.mean(1, keepdim=True))
            / torch.exp(logits - logits.mean(1, keepdim=True)).sum(1, keepdim=True)
        ),
        "forgot to divide by the sum": torch.exp,
        "exponentials first": lambda z: z / z.sum(1, keepdim=True),
        "sum over dimension 1": lambda z: torch.softmax(z, 0),
        "sums to 1 by itself": lambda z: z.exp() / z.exp().sum(),
        "keepdim=True": lambda z: z.exp() / z.exp().sum(1),
        "logarithms": lambda z: torch.log_softmax(z, 1),
        "inf / inf is nan": lambda z: z.exp() / z.exp().sum(1, keepdim=True),
        "of each row, not that of the": lambda z: (
            (z - z.max()).exp() / (z - z.max()).exp().sum(1, keepdim=True)
        ),
        "largest logits lost their dimension, and each": lambda z: (
            (z - z.amax(1)).exp() / (z - z.amax(1)).exp().sum(1, keepdim=True)
        ),
        "along a dimension, max returns two things": lambda z: (
            (z - z.max(1, keepdim=True)).exp() / 1
        ),
        "a limit makes large logits equal that": lambda z: (
            z.clamp(max=50).exp() / z.clamp(max=50).exp().sum(1, keepdim=True)
        ),
        "sigmoid squashes each logit by itself": lambda z: z.sigmoid(),
        "dividing by the largest logit changes the": lambda z: (
            z / z.amax(1, keepdim=True)
        ).softmax(1),
        "the shape should be (1, 2), not (1,)": lambda z: z.argmax(1),
        "largest logit gets the smallest probability": lambda z: (
            (z.amin(1, keepdim=True) - z).exp()
            / (z.amin(1, keepdim=True) - z).exp().sum(1, keepdim=True)
        ),
        "0 in place of nan is no": lambda z: (
            z.exp() / z.exp().sum(1, keepdim=True)
        ).nan_to_num(),
        "math, float() and int() take one number": lambda z: (
            math.exp(z) / sum(math.exp(z))
        ),
    },
    "score_gradient": {
        "two tensors do not fit: in dimension 1": lambda logits, targets: (
            (logits.softmax(1) - torch.eye(int(targets.max()) + 1)[targets])
            / len(logits)
        ),
        "from all rows": _subtract_in_all_rows,
        "not that of the whole batch": partial(_gradient_after, lambda z: z - z.max()),
        "exp(300) is too large": lambda z, t: (
            (z.exp() / z.exp().sum(1)[:, None] - torch.eye(z.shape[1])[t]) / len(z)
        ),
        "divide by the number of images": lambda z, t: (
            torch.softmax(z, 1) - torch.eye(z.shape[1])[t]
        ),
        "number of all scores": lambda z, t: (
            (torch.softmax(z, 1) - torch.eye(z.shape[1])[t]) / z.numel()
        ),
        "the sign is the wrong way round": lambda z, t: (
            (torch.eye(z.shape[1])[t] - torch.softmax(z, 1)) / len(z)
        ),
        "take the probabilities, softmax of them": lambda z, t: (
            (z - torch.eye(z.shape[1])[t]) / len(z)
        ),
        "add up to 1 over the images": lambda z, t: (
            (torch.softmax(z, 0) - torch.eye(z.shape[1])[t]) / len(z)
        ),
        "what it should have said is missing": lambda z, t: torch.softmax(z, 1),
        "from every probability": lambda z, t: (torch.softmax(z, 1) - 1) / len(z),
        "the number of the target": lambda z, t: (
            (torch.softmax(z, 1) - t.unsqueeze(1)) / len(z)
        ),
        "kept the target's entry": lambda z, t: (
            torch.softmax(z, 1).gather(1, t[:, None])[:, 0] - 1
        ),
        "that is the loss itself": lambda z, t: torch.nn.functional.cross_entropy(z, t),
    },
    "sgd_step": {
        "after them are asked for": lambda weight, bias, x, grad, lr: (
            lr * grad.T @ x,
            lr * grad.sum(0),
        ),
        "the learning rate multiplies the step alone": (
            lambda weight, bias, x, grad, lr: (
                lr * (weight - grad.T @ x),
                lr * (bias - grad.sum(0)),
            )
        ),
        "you walk uphill": lambda w, b, x, g, lr: (
            w + lr * g.T @ x,
            b + lr * g.sum(0),
        ),
        "forgot the learning rate": lambda w, b, x, g, lr: (w - g.T @ x, b - g.sum(0)),
        "the loss was averaged already": lambda w, b, x, g, lr: (
            w - lr * g.T @ x,
            b - lr * g.mean(0),
        ),
        "add up those of the images": lambda w, b, x, g, lr: (
            w - lr * g.T @ x,
            b - lr * g,
        ),
        "a gradient of its own": lambda w, b, x, g, lr: (
            w - lr * g.T @ x,
            b - lr * g.sum(),
        ),
        "the bias learns too": lambda w, b, x, g, lr: [w - lr * g.T @ x, b],
        "two tensors do not fit": lambda w, b, x, g, lr: (w - lr * x.T @ g, b),
        "these are the gradients": lambda w, b, x, g, lr: (g.T @ x, g.sum(0)),
        "the order is": lambda w, b, x, g, lr: (b - lr * g.sum(0), w - lr * g.T @ x),
        "return the new bias as well": lambda w, b, x, g, lr: w - lr * (g.T @ x),
        "@ is the product of matrices": lambda w, b, x, g, lr: (w - lr * g @ x, b),
        "changes its input weight": _step_in_place,
    },
}

SOLUTIONS = {
    "softmax": [
        lambda z: torch.softmax(z, -1),
        lambda z: torch.stack(
            [(r - r.max()).exp() / (r - r.max()).exp().sum() for r in z]
        ),
        lambda z: (z - z.logsumexp(1, keepdim=True)).exp(),
        lambda z: [
            [math.exp(v - max(r)) / sum(math.exp(w - max(r)) for w in r) for v in r]
            for r in z.tolist()
        ],
    ],
    "score_gradient": [
        _gradient,
        _gradient_in_loops,
        _gradient_by_autograd,
        lambda z, t: (
            (z.softmax(1) - (t[:, None] == torch.arange(z.shape[1])).float())
            / z.shape[0]
        ),
    ],
    "sgd_step": [
        _step_in_loops,
        lambda w, b, x, g, lr: (w - lr * (x.T @ g).T, b - lr * torch.ones(len(g)) @ g),
        lambda w, b, x, g, lr: [
            torch.addmm(w, g.T, x, alpha=-lr),
            b.sub(g.sum(0), alpha=lr),
        ],
    ],
}

# Right in simple cases only.
SIMPLE = {
    "softmax": [
        lambda z: (z - z[:, -1:]).exp() / (z - z[:, -1:]).exp().sum(1, keepdim=True),
    ],
    "score_gradient": [
        partial(_gradient_after, lambda z: z - z.mean(1, keepdim=True)),
        partial(_gradient_after, lambda z: z - z[:, -1:]),
        partial(_gradient_after, lambda z: z.clamp(max=80)),
    ],
    "sgd_step": [_step_without_blank_images],
}
