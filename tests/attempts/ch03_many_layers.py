"""Attempts as readers write them, and a word of the hint that each gets."""

from functools import partial

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


def _two_layers(x, t, w1, b1, w2, b2, masked=True, scale=True, h_of=torch.relu):
    z1 = x @ w1.T + b1
    a1 = h_of(z1)
    z2 = a1 @ w2.T + b2
    d2 = torch.softmax(z2, 1) - torch.nn.functional.one_hot(t, len(w2))
    if scale:
        d2 = d2 / len(x)
    d1 = d2 @ w2
    if masked:
        d1 = d1 * (a1 > 0)
    return d1.T @ x, d1.sum(0), d2.T @ a1, d2.sum(0)


def _by_autograd(x, t, *parameters):
    w1, b1, w2, b2 = [p.clone().requires_grad_() for p in parameters]
    z = torch.relu(x @ w1.T + b1) @ w2.T + b2
    torch.nn.functional.cross_entropy(z, t).backward()
    return [p.grad for p in (w1, b1, w2, b2)]


def _image_by_image(x, t, w1, b1, w2, b2):
    sums = [torch.zeros_like(p) for p in (w1, b1, w2, b2)]
    for row, target in zip(x, t):
        h = (w1 @ row + b1).clamp(min=0)
        g2 = torch.softmax(w2 @ h + b2, 0)
        g2[target] -= 1
        g1 = torch.where(h > 0, w2.T @ g2, 0)
        for total, part in zip(
            sums, (torch.outer(g1, row), g1, torch.outer(g2, h), g2)
        ):
            total += part / len(x)
    return sums


def _central(loss, parameters, backward, nudge=1e-4, bound=1e-6):
    """Number by number, each nudged up and down and put back."""
    right = []
    for parameter, grad in zip(parameters, backward(parameters)):
        fine = True
        flat, wanted = parameter.view(-1), grad.reshape(-1)
        for i in range(len(flat)):
            kept = flat[i].item()
            flat[i] = kept + nudge
            up = loss(parameters)
            flat[i] = kept - nudge
            down = loss(parameters)
            flat[i] = kept
            fine = fine and abs((up - down) / (2 * nudge) - wanted[i]) < bound
        right.append(bool(fine))
    return right


def _one_sided(loss, parameters, backward):
    """Copies instead of changes, and the difference to where it stands."""
    here, right = loss(parameters), []
    for n, grad in enumerate(backward(parameters)):
        measured = torch.zeros_like(grad)
        for at in range(grad.numel()):
            others = [p.clone() for p in parameters]
            others[n].view(-1)[at] += 1e-7
            measured.view(-1)[at] = (loss(others) - here) / 1e-7
        right.append(torch.allclose(measured, grad, atol=1e-6))
    return right


def _true(loss, parameters):
    leaves = [p.clone().requires_grad_() for p in parameters]
    return torch.autograd.grad(loss(leaves), leaves)


def _by_torch(loss, parameters, backward):
    true = _true(loss, parameters)
    return [torch.allclose(a, b) for a, b in zip(true, backward(parameters))]


def _never_put_back(loss, parameters, backward):
    right = []
    for parameter, grad in zip(parameters, backward(parameters)):
        before = loss(parameters)
        parameter += 0.001
        right.append(abs((loss(parameters) - before) / 0.001 - grad.sum()) < 0.01)
    return right


def _nudged_whole(loss, parameters, backward):
    right = []
    for n, grad in enumerate(backward(parameters)):
        up, down = [[p.clone() for p in parameters] for _ in range(2)]
        up[n] += 1e-5
        down[n] -= 1e-5
        slope = (loss(up) - loss(down)) / 2e-5
        right.append((slope - grad.sum()).abs().item() < 1e-6)
    return right


def _last_alone_decides(loss, parameters, backward):
    right = [True] * len(parameters)
    for n, (true, grad) in enumerate(
        zip(_true(loss, parameters), backward(parameters))
    ):
        for a, b in zip(true.flatten(), grad.flatten()):
            right[n] = bool(abs(a - b) < 1e-6)
    return right


def _adam_of(
    p, g, m, q, step, lr, beta1, beta2, eps, hat=lambda x, c: x / c, q_of=None
):
    new_m = beta1 * m + (1 - beta1) * g
    new_q = beta2 * q + (1 - beta2) * (new_m if q_of else g) ** 2
    m_hat, q_hat = hat(new_m, 1 - beta1**step), hat(new_q, 1 - beta2**step)
    return p - lr * m_hat / (q_hat.sqrt() + eps), new_m, new_q


def _two_layers_and(
    x,
    t,
    w1,
    b1,
    w2,
    b2,
    through=lambda z: z > 0,
    softmax=lambda z: z.softmax(1),
    used=lambda x: slice(None),
):
    z = x @ w1.T + b1
    h = z.relu()
    g2 = (softmax(h @ w2.T + b2) - torch.eye(len(w2))[t]) / len(x)
    g1 = (g2 @ w2) * through(z)
    return g1.T @ x, g1[used(x)].sum(0), g2.T @ h, g2.sum(0)


def _momentum_or_nothing(p, g, v, lr, m):
    if not m:
        return p - lr * g, v
    return _sgd_list(p, g, v, lr, m)


def _first_gradient_in_part(p, g, v, lr, m):
    return _sgd_list(p, g if v.any() else (1 - m) * g, v, lr, m)


def _late_without_hat(p, g, m, q, step, lr, beta1, beta2, eps):
    m, q = m.lerp(g, 1 - beta1), q.lerp(g**2, 1 - beta2)
    q_hat = q / (1 - beta2**step) if step < 1000 else q
    return p - lr * m / (1 - beta1**step) / (q_hat.sqrt() + eps), m, q


ATTEMPTS = {
    "relu_backward": {
        "With twice x, the right result stays": lambda g, x: g * (x > -1),
        "passes with the other sign": lambda g, x: torch.where(x > 0, g, -g),
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
    "sgd_momentum": {
        "your velocity points downhill": lambda p, g, v, lr, mu: (
            p + lr * (v_new := mu * v - lr * g),
            v_new,
        ),
        "before it enters the velocity": lambda p, g, v, lr, mu: (
            p - lr * (v_new := mu * v + lr * g),
            v_new,
        ),
        "with lr and momentum exchanged": lambda p, g, v, lr, m: (
            p - m * (lr * v + g),
            lr * v + g,
        ),
        "forgot the momentum": lambda p, g, v, lr, mu: (p - lr * g, g),
        "the step takes the gradient": lambda p, g, v, lr, mu: (p - lr * g, mu * v + g),
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
    "backward": {
        "is missing on the way back": lambda *a: _two_layers(*a, masked=False),
        "is missing on the way forward": lambda *a: _two_layers(*a, h_of=lambda z: z),
        "forgot to divide by the number": lambda *a: _two_layers(*a, scale=False),
        "the order is w1, b1, w2, b2": lambda *a: (
            *_two_layers(*a)[2:],
            *_two_layers(*a)[:2],
        ),
        "the biases have gradients too": lambda *a: _two_layers(*a)[::2],
        "all signs are the wrong way round": lambda *a: [-g for g in _two_layers(*a)],
        "you average the biases' gradients": lambda *a: [
            g / (len(a[0]) if g.ndim == 1 else 1) for g in _two_layers(*a)
        ],
        "return 4 tensors": lambda *a: _two_layers(*a)[:3],
    },
    "gradient_check": {
        "all must be right, to within 1e-6": lambda *a: _central(*a, bound=0.1),
        "let what is wrong stay wrong": _last_alone_decides,
        "too small by a ten-thousandth": lambda *a: _central(*a, bound=1e-3),
        "the last number alone is too large": lambda loss, ps, backward: [
            bool((true - grad).max() < 1e-6)
            for true, grad in zip(_true(loss, ps), backward(ps))
        ],
        "so you measure no change": lambda loss, ps, backward: [
            bool((loss(ps) - loss(ps) - grad).abs().max() < 1e-6)
            for grad in backward(ps)
        ],
        "call every gradient right": lambda loss, ps, backward: [
            p.shape == g.shape for p, g in zip(ps, backward(ps))
        ],
        "call every gradient wrong": lambda loss, ps, backward: [False for _ in ps],
        "True is for the gradients that are": lambda *a: [not r for r in _central(*a)],
        "judge all parameters at once": lambda *a: all(_central(*a)),
        "columns are exchanged, so that its sum": _nudged_whole,
        "changes its input parameters": _never_put_back,
        "these are the measured gradients": lambda loss, ps, backward: [
            *torch.autograd.grad(loss(q := [p.requires_grad_() for p in ps]), q)
        ],
    },
    "adam": {
        "the root comes after the correction": lambda p, g, m, v, t, lr, a, b, e: (
            p
            - (lr * (m1 := a * m + (1 - a) * g) / (1 - a**t))
            / ((v1 := b * v + (1 - b) * g**2).sqrt() / (1 - b**t) + e),
            m1,
            v1,
        ),
        "beta is the part that is kept": lambda p, g, m, v, t, lr, a, b, e: (
            p
            - (lr * (m1 := (1 - a) * m + a * g) / (1 - a**t))
            / (((v1 := (1 - b) * v + b * g**2) / (1 - b**t)).sqrt() + e),
            m1,
            v1,
        ),
        "the power belongs to beta alone": lambda p, g, m, v, t, lr, a, b, e: (
            p
            - (lr * (m1 := a * m + (1 - a) * g) / (1 - a) ** t)
            / (((v1 := b * v + (1 - b) * g**2) / (1 - b) ** t).sqrt() + e),
            m1,
            v1,
        ),
        "not that of m": lambda *a: _adam_of(*a, q_of="m"),
        "you multiply by 1 - beta**step": lambda *a: _adam_of(*a, hat=torch.mul),
        "the first result is wrong, and every other is right": lambda *a: (
            a[0] - 2 * (a[0] - adam(*a)[0]),
            *adam(*a)[1:],
        ),
        "with step - 1 in place of step": lambda p, g, m, v, t, *rates: adam(
            p, g, m, v, t - 1, *rates
        ),
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
        "later ones take beta**step": lambda p, g, m, v, t, lr, a, b, e: adam(
            p, g, m, v, 1, lr, a, b, e
        ),
        "return the new m and q as well": lambda *arguments: adam(*arguments)[0],
        "the last one is missing": lambda *arguments: adam(*arguments)[:2],
    },
}

SOLUTIONS = {
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
    "backward": [
        _two_layers,
        _by_autograd,
        _image_by_image,
    ],
    "gradient_check": [
        _central,
        _one_sided,
        _by_torch,
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


def _last_verdict(loss, parameters, backward):
    """What is drawn last overwrites the verdict on what was drawn before."""
    right = [True] * len(parameters)
    draw = torch.Generator().manual_seed(8)
    for n, (mine, theirs) in enumerate(
        zip(backward(parameters), _true(loss, parameters))
    ):
        for i in torch.randperm(mine.numel(), generator=draw):
            right[n] = bool((mine - theirs).abs().view(-1)[i] <= 1e-6)
    return right


def _as_many_as_rows(loss, parameters, backward):
    """len(grad) counts rows: of a matrix, few numbers are looked at."""
    pairs = zip(backward(parameters), _true(loss, parameters))
    return [
        all(abs(a - b) < 1e-6 for a, b, _ in zip(mine.view(-1), true.view(-1), mine))
        for mine, true in pairs
    ]


def _row_by_row(loss, parameters, backward):
    """A whole row is nudged at once."""
    pairs = zip(backward(parameters), _true(loss, parameters))
    return [
        all(abs(a.sum() - b.sum()) < 1e-6 for a, b in zip(mine, true))
        for mine, true in pairs
    ]


# Right in simple cases only.
SIMPLE = {
    "linear_backward": [
        lambda g, x, w: (g.T @ x, g[x.any(1)].sum(0), g @ w),
    ],
    "backward": [
        partial(_two_layers_and, through=lambda z: z >= 0),
        partial(
            _two_layers_and, softmax=lambda z: z.exp() / z.exp().sum(1, keepdim=True)
        ),
        partial(_two_layers_and, used=lambda x: x.any(1)),
        partial(_two_layers_and, softmax=lambda z: z.clamp(max=80).softmax(1)),
    ],
    "gradient_check": [_last_verdict, _as_many_as_rows, _row_by_row],
    "sgd_momentum": [
        lambda p, g, v, lr, m: (p - lr * (v := m * v + g if v.sum() else g), v),
        _momentum_or_nothing,
        _first_gradient_in_part,
    ],
    "adam": [_late_without_hat],
}
