"""A network by hand: layers, loss and optimizers without autograd.

``forward(x)`` computes a layer's output and keeps what the way back needs.
``backward(grad)`` takes the gradient of the loss with respect to that output, leaves
that of each parameter in ``parameter.grad`` (replacing the last one), and returns that
of the input: the chain rule, one layer at a time. Names and shapes are torch's;
tensors are floats of one dtype, N images to a batch, D numbers in, K numbers out.
"""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def _check_shape(what: str, got: torch.Size, expected: torch.Size) -> None:
    if got != expected:
        raise ValueError(f"{what} must have shape {(*expected,)}, not {(*got,)}.")


class Layer:
    """What all layers share, as it is for a layer without parameters."""

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def backward(self, grad: Tensor) -> Tensor:
        raise NotImplementedError

    def backward_parameters(self, grad: Tensor) -> None:
        """``backward`` without the gradient of the input."""

    def state_dict(self) -> dict[str, Tensor]:
        """The parameters by name: the tensors themselves, not copies."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Copy parameters in, for example from ``models.MLP().state_dict()``."""
        own = self.state_dict()
        if own.keys() != state_dict.keys():
            raise ValueError(f"Parameters are {[*own]} here, not {[*state_dict]}.")
        for name, value in state_dict.items():
            _check_shape(name, value.shape, own[name].shape)
        for name, value in state_dict.items():
            own[name].copy_(value.detach())

    def parameters(self) -> list[Tensor]:
        return list(self.state_dict().values())


class Linear(Layer):
    """y = x Wᵀ + b; with g = dL/dy: dL/dW = gᵀ x, dL/db = Σₙ gₙ, dL/dx = g W.

    ``weight`` (K, D) starts uniform in ±√(6 / (D + K)), which keeps numbers alike in
    size from layer to layer, both ways (Glorot and Bengio, 2010); ``bias`` (K,) at 0.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        limit = math.sqrt(6 / (in_features + out_features))
        self.weight = torch.empty(out_features, in_features).uniform_(-limit, limit)
        self.bias = torch.zeros(out_features)

    def state_dict(self) -> dict[str, Tensor]:
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x: Tensor) -> Tensor:
        _check_shape("Linear's input", x.shape, x.shape[:1] + self.weight.shape[1:])
        self.x = x
        return torch.addmm(self.bias, x, self.weight.T)  # (N, D) -> (N, K)

    def backward(self, grad: Tensor) -> Tensor:
        self.backward_parameters(grad)
        return grad @ self.weight  # (N, K) -> (N, D)

    def backward_parameters(self, grad: Tensor) -> None:
        _check_shape("Linear's grad", grad.shape, self.x.shape[:1] + self.bias.shape)
        self.weight.grad = grad.T @ self.x  # (K, N) @ (N, D) -> (K, D)
        self.bias.grad = grad.sum(0)  # (N, K) -> (K,)


class ReLU(Layer):
    """y = max(x, 0), dL/dx = dL/dy where x > 0 and 0 elsewhere; any shape."""

    def forward(self, x: Tensor) -> Tensor:
        self.positive = x > 0
        return x.clamp(min=0)

    def backward(self, grad: Tensor) -> Tensor:
        _check_shape("ReLU's grad", grad.shape, self.positive.shape)
        return grad * self.positive


class Softmax(Layer):
    """yᵢ = exp xᵢ / Σⱼ exp xⱼ; with g = dL/dy: dL/dxᵢ = yᵢ (gᵢ - Σⱼ gⱼ yⱼ); (N, K).

    Subtracting each row's largest x changes no y and keeps exp from overflowing.
    """

    def forward(self, x: Tensor) -> Tensor:
        exp = (x - x.amax(1, keepdim=True)).exp()
        self.y = exp / exp.sum(1, keepdim=True)
        return self.y

    def backward(self, grad: Tensor) -> Tensor:
        _check_shape("Softmax's grad", grad.shape, self.y.shape)
        return self.y * (grad - (grad * self.y).sum(1, keepdim=True))


class Flatten(Layer):
    """(N, 1, 28, 28) -> (N, 784), and the gradient back into the image's shape."""

    def forward(self, x: Tensor) -> Tensor:
        self.shape = x.shape
        return x.flatten(1)

    def backward(self, grad: Tensor) -> Tensor:
        return grad.view(self.shape)


class Sequential(Layer):
    """y = fₙ(… f₂(f₁(x))); the gradient goes through the layers in reverse order.

    Training needs only ``backward_parameters``: the pixels are not trained, and their
    gradient would be over a quarter of the work. Parameters are named by the position
    of their layer: ``1.weight``, ``1.bias``, ``3.weight`` ...
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = layers

    def state_dict(self) -> dict[str, Tensor]:
        named = ((i, layer.state_dict()) for i, layer in enumerate(self.layers))
        return {f"{i}.{name}": p for i, own in named for name, p in own.items()}

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad: Tensor) -> Tensor:
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def backward_parameters(self, grad: Tensor) -> None:
        first = next((i for i, f in enumerate(self.layers) if f.state_dict()), 0)
        for layer in reversed(self.layers[first + 1 :]):
            grad = layer.backward(grad)
        self.layers[first].backward_parameters(grad)


class CrossEntropyLoss:
    """L = -1/N Σₙ log softmax(xₙ)[tₙ], dL/dx = (softmax(x) - onehot(t)) / N.

    Takes logits x (N, K) and targets t int64 (N,) in 0..K-1. The logarithm is computed
    as x - max x - log Σ exp(x - max x), exact even where the probability would round
    to 0.
    """

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        _check_shape("The targets", targets.shape, logits.shape[:1])
        shifted = logits - logits.amax(1, keepdim=True)
        self.log_p = shifted - shifted.exp().sum(1, keepdim=True).log()  # (N, K)
        self.targets = targets[:, None]  # (N, 1)
        return -self.log_p.gather(1, self.targets).mean()

    def backward(self) -> Tensor:
        p = self.log_p.exp()
        return p.sub_(torch.zeros_like(p).scatter_(1, self.targets, 1)) / len(p)


class SGD:
    """v ← μ v + g, p ← p - η v, with momentum μ, learning rate η, and v = 0 at first.

    Takes the parameters p and reads their gradients g, which ``backward`` left there.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, momentum: float = 0
    ) -> None:
        self.parameters, self.lr, self.momentum = list(parameters), lr, momentum
        self.v = [torch.zeros_like(p) for p in self.parameters]

    def step(self) -> None:
        for p, v in zip(self.parameters, self.v, strict=True):
            assert p.grad is not None, "Call backward before step."
            v.mul_(self.momentum).add_(p.grad)
            p.sub_(v, alpha=self.lr)


class Adam:
    """m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², p ← p - η m̂ / (√v̂ + ε).

    m̂ = m / (1-β₁ᵗ) and v̂ = v / (1-β₂ᵗ) make up in step t for starting at 0. Folding
    both divisions into η and ε saves passes over the parameters (Kingma and Ba, 2015).
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.parameters, self.lr, self.eps = list(parameters), lr, eps
        self.betas, self.t = betas, 0
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.zeros_like(p) for p in self.parameters]

    def step(self) -> None:
        self.t += 1
        beta1, beta2 = self.betas
        root = math.sqrt(1 - beta2**self.t)  # √v̂ = √v / root
        rate = self.lr * root / (1 - beta1**self.t)
        for p, m, v in zip(self.parameters, self.m, self.v, strict=True):
            assert p.grad is not None, "Call backward before step."
            m.lerp_(p.grad, 1 - beta1)
            v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
            p.addcdiv_(m, v.sqrt().add_(self.eps * root), value=-rate)
