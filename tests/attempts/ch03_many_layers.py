"""Attempts as readers write them, and a word of the hint that each gets."""

import math

import torch


def _inplace_relu(grad, x):
    grad[x <= 0] = 0
    return grad


def _sgd_list(p, g, v, lr, m):
    new_v = v * m + g
    return [p - new_v * lr, new_v]


def adam(p, g, m, v, t, lr, a, b, e, under=False):
    m = a * m + (1 - a) * g
    v = b * v + (1 - b) * g**2
    m_hat, v_hat = m / (1 - a**t), v / (1 - b**t)
    scale = torch.sqrt(v_hat + e) if under else torch.sqrt(v_hat) + e
    return p - lr * m_hat / scale, m, v


ATTEMPTS = {
    "relu_backward": {
        "sign of x, the number that went": lambda grad, x: torch.where(
            grad > 0, grad, 0 * grad
        ),
        "whole gradient": lambda grad, x: grad,
        "forward pass": lambda grad, x: torch.relu(x),
        "derivative of ReLU alone": lambda grad, x: (x > 0).float(),
        "derivative, which is 1": lambda grad, x: grad * torch.relu(x),
        "wrong way round": lambda grad, x: grad * (x < 0),
        "> and not >=": lambda grad, x: grad * (x >= 0),
        "shape should be (3,), not (1, 3)": lambda grad, x: (grad * (x > 0))[None],
        "if, and, or, not need one True": lambda g, x: g if x > 0 else 0,
        "your function changes its input grad, which": _inplace_relu,
        "a mask as an index leaves out": lambda g, x: g[x > 0],
        "grad and x are exchanged": lambda g, x: x * (g > 0),
        "x is negative, the gradient is 0": lambda g, x: torch.where(x > 0, g, x),
        "whole numbers or a mask meet floats": lambda g, x: g @ (x > 0),
    },
    "softmax": {
        "not the first or their mean": lambda logits: (
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
    "sgd_momentum": {
        "forgot the momentum": lambda p, g, v, lr, mu: (p - lr * g, g),
        "uphill": lambda p, g, v, lr, mu: (p + lr * (mu * v + g), mu * v + g),
        "old velocity": lambda p, g, v, lr, mu: (p - lr * v, mu * v + g),
        "forgot the learning rate": lambda p, g, v, lr, mu: (
            p - (mu * v + g),
            mu * v + g,
        ),
        "keep it for the step": lambda p, g, v, lr, mu: (
            p - (mu * v + lr * g),
            mu * v + lr * g,
        ),
        "as Adam does": lambda p, g, v, lr, mu: (
            p - lr * (mu * v + (1 - mu) * g),
            mu * v + (1 - mu) * g,
        ),
        "the order": lambda p, g, v, lr, mu: (mu * v + g, p - lr * (mu * v + g)),
        "new velocity as well": lambda p, g, v, lr, mu: p - lr * (mu * v + g),
        "your velocity points downhill and holds the": lambda p, g, v, lr, m: (
            p + m * v - lr * g,
            m * v - lr * g,
        ),
        "old velocity enters whole": lambda p, g, v, lr, m: (p - lr * (v + g), v + g),
        "is right; the velocity that you return": lambda p, g, v, lr, m: (
            p - lr * (m * v + g),
            v,
        ),
        "you step as Nesterov does, with the": lambda p, g, v, lr, m: (
            p - lr * (g + m * (m * v + g)),
            m * v + g,
        ),
        "in your step the old velocity is": lambda p, g, v, lr, m: (
            p - lr * g - lr * v,
            m * v + g,
        ),
        "momentum weakens the old velocity only": lambda p, g, v, lr, m: (
            p - lr * m * (v + g),
            m * (v + g),
        ),
        "gradient enters the velocity with the wrong": lambda p, g, v, lr, m: (
            p - lr * (m * v - g),
            m * v - g,
        ),
    },
    "linear_backward": {
        "weight's gradient is transposed": lambda g, x, w: (x.T @ g, g.sum(0), g @ w),
        "the loss was averaged already": lambda g, x, w: (
            g.T @ x / len(g),
            g.mean(0),
            g @ w,
        ),
        "add up those of the images": lambda g, x, w: (g.T @ x, g, g @ w),
        "over the neurons": lambda g, x, w: (g.T @ x, g.sum(1), g @ w),
        "is a single number": lambda g, x, w: (g.T @ x, g.sum(), g @ w),
        "not depend on x": lambda g, x, w: (g.T @ x, torch.ones(w.shape[0]), g @ w),
        "the order is": lambda g, x, w: (g @ w, g.T @ x, g.sum(0)),
        "gradient of x is missing": lambda g, x, w: [g.T @ x, g.sum(0)],
        "@ is the product of matrices": lambda g, x, w: (g @ x, g.sum(0), g @ w),
        "the third result is wrong, and every other is right": lambda g, x, w: (
            g.T @ x,
            g.sum(0),
            -g @ w,
        ),
    },
    "adam": {
        "the hats are missing": lambda p, g, m, v, t, lr, a, b, e: (
            p - lr * (a * m + (1 - a) * g) / ((b * v + (1 - b) * g * g) ** 0.5 + e),
            a * m + (1 - a) * g,
            b * v + (1 - b) * g * g,
        ),
        "eps stands under the root": lambda *arguments: adam(*arguments, under=True),
        "you walk uphill": lambda p, g, m, v, t, lr, a, b, e: adam(
            p, g, m, v, t, -lr, a, b, e
        ),
        "beta1 and beta2 are exchanged": lambda p, g, m, v, t, lr, a, b, e: adam(
            p, g, m, v, t, lr, b, a, e
        ),
        "later ones take beta**t": lambda p, g, m, v, t, lr, a, b, e: adam(
            p, g, m, v, 1, lr, a, b, e
        ),
        "return the new m and v as well": lambda *arguments: adam(*arguments)[0],
        "the last one is missing": lambda *arguments: adam(*arguments)[:2],
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
    "relu_backward": [
        lambda g, x: torch.where(x > 0, g, 0),
        lambda g, x: g * (x > 0).float(),
        lambda g, x: g.masked_fill(x <= 0, 0.0),
        lambda g, x: (g.numpy() * (x.numpy() > 0)).tolist(),
    ],
    "sgd_momentum": [
        _sgd_list,
        lambda p, g, v, lr, m: (p.add(v.mul(m).add(g), alpha=-lr), v.mul(m).add(g)),
        lambda p, g, v, lr, m: torch.stack([p - lr * (m * v + g), m * v + g]),
        lambda p, g, v, lr, m: ((p - lr * (m * v + g)).numpy(), (m * v + g).numpy()),
    ],
    "linear_backward": [
        lambda g, x, w: ((x.T @ g).T, g.sum(0), g @ w),
        lambda g, x, w: (
            torch.einsum("ik,id->kd", g, x),
            torch.einsum("ik->k", g),
            torch.einsum("ik,kd->id", g, w),
        ),
        lambda g, x, w: (
            sum(torch.outer(a, b) for a, b in zip(g, x)),
            torch.ones(len(g)) @ g,
            (w.T @ g.T).T,
        ),
    ],
    "adam": [
        adam,
        lambda *arguments: list(adam(*arguments)),
        lambda p, g, m, v, t, lr, a, b, e: (
            p.addcdiv(
                m.lerp(g, 1 - a) / (1 - a**t),
                (v.lerp(g**2, 1 - b) / (1 - b**t)).sqrt() + e,
                value=-lr,
            ),
            m.lerp(g, 1 - a),
            v.lerp(g**2, 1 - b),
        ),
    ],
}
