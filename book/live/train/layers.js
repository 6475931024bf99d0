// A network by hand: mnistedu/layers.py once more, in the same order, for the browser.
//
// Numbers of N images lie in one Float32Array, image after image. forward(x) computes a
// layer's output and keeps what the way back needs. backward(grad) takes the gradient of
// the loss with respect to that output, leaves that of each parameter in its grad, and
// returns that of the input.

const parameter = (size) => ({ value: new Float32Array(size), grad: new Float32Array(size) });

/**
 * y = x Wᵀ + b; with g = dL/dy: dL/dW = gᵀ x, dL/db = Σₙ gₙ, dL/dx = g W.
 *
 * The weights start uniform in ±√(6 / (D + K)), the bias at 0. They are kept as (D, K),
 * torch's (K, D) turned: all that belongs to one input lies together, and an input that
 * is 0, such as blank paper or a neuron that is silent, is passed over with all of it.
 */
export class Linear {
  constructor(inFeatures, outFeatures, random) {
    const limit = Math.sqrt(6 / (inFeatures + outFeatures));
    this.weight = parameter(inFeatures * outFeatures);
    this.weight.value.forEach((_, i, all) => (all[i] = limit * (2 * random() - 1)));
    this.bias = parameter(outFeatures);
    Object.assign(this, { inFeatures, outFeatures });
  }

  parameters() {
    return [this.weight, this.bias];
  }

  forward(x) {
    const { inFeatures: D, outFeatures: K } = this;
    const [weight, bias] = [this.weight.value, this.bias.value];
    const N = x.length / D;
    const y = new Float32Array(N * K); // (N, D) -> (N, K)
    for (let n = 0; n < N; n++) {
      const row = y.subarray(n * K, (n + 1) * K);
      row.set(bias);
      for (let d = 0; d < D; d++) {
        const value = x[n * D + d];
        if (value === 0) continue;
        const start = d * K;
        for (let k = 0; k < K; k++) row[k] += value * weight[start + k];
      }
    }
    this.x = x;
    return y;
  }

  backward(grad) {
    this.backwardParameters(grad);
    const { inFeatures: D, outFeatures: K } = this;
    const weight = this.weight.value;
    const back = new Float32Array(this.x.length); // (N, K) -> (N, D)
    for (let n = 0; n < back.length / D; n++) {
      const row = grad.subarray(n * K, (n + 1) * K);
      for (let d = 0; d < D; d++) {
        const start = d * K;
        let sum = 0;
        for (let k = 0; k < K; k++) sum += row[k] * weight[start + k];
        back[n * D + d] = sum;
      }
    }
    return back;
  }

  /** backward without the gradient of the input: nobody trains the pixels. */
  backwardParameters(grad) {
    const { inFeatures: D, outFeatures: K, x } = this;
    const [weight, bias] = [this.weight.grad.fill(0), this.bias.grad.fill(0)];
    for (let n = 0; n < x.length / D; n++) {
      const row = grad.subarray(n * K, (n + 1) * K);
      for (let k = 0; k < K; k++) bias[k] += row[k];
      for (let d = 0; d < D; d++) {
        const value = x[n * D + d];
        if (value === 0) continue;
        const start = d * K; // (D, N) @ (N, K) -> (D, K)
        for (let k = 0; k < K; k++) weight[start + k] += value * row[k];
      }
    }
  }
}

/** y = max(x, 0), dL/dx = dL/dy where x > 0 and 0 elsewhere. */
export class ReLU {
  forward(x) {
    return (this.y = x.map((value) => (value > 0 ? value : 0)));
  }

  backward(grad) {
    return grad.map((value, i) => (this.y[i] > 0 ? value : 0));
  }
}

/** y = tanh x, dL/dx = dL/dy (1 - y²). */
export class Tanh {
  forward(x) {
    return (this.y = x.map(Math.tanh));
  }

  backward(grad) {
    return grad.map((value, i) => value * (1 - this.y[i] ** 2));
  }
}

/** y = fₙ(… f₂(f₁(x))); the gradient goes through the layers in reverse order. */
export class Sequential {
  constructor(...layers) {
    this.layers = layers;
  }

  parameters() {
    return this.layers.flatMap((layer) => layer.parameters?.() ?? []);
  }

  forward(x) {
    return this.layers.reduce((x, layer) => layer.forward(x), x);
  }

  /** As far as the first layer's parameters. */
  backwardParameters(grad) {
    const [first, ...rest] = this.layers;
    first.backwardParameters(rest.reduceRight((grad, layer) => layer.backward(grad), grad));
  }
}

/** L = -1/N Σₙ log softmax(xₙ)[tₙ], dL/dx = (softmax(x) - onehot(t)) / N, of ten digits. */
export class CrossEntropyLoss {
  /** Logits (N, 10) and targets (N,) to the loss of each image; L is their mean. */
  forward(logits, targets) {
    this.p = softmax(logits);
    this.targets = targets;
    return Float64Array.from(targets, (target, n) => {
      const row = logits.subarray(10 * n, 10 * n + 10);
      const largest = Math.max(...row);
      const sum = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
      return Math.log(sum) - (row[target] - largest);
    });
  }

  backward() {
    const N = this.targets.length;
    const grad = this.p.map((p) => p / N);
    this.targets.forEach((target, n) => (grad[10 * n + target] -= 1 / N));
    return grad;
  }
}

/** Logits (N, 10) to probabilities; less the largest, no exponential overflows. */
export function softmax(logits) {
  const p = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += 10) {
    const row = logits.subarray(start, start + 10);
    const largest = Math.max(...row);
    const powers = row.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((a, b) => a + b);
    p.set(powers.map((power) => power / sum), start);
  }
  return p;
}

/** v ← μ v + g, p ← p - η v, with momentum μ, learning rate η, and v = 0 at first. */
export class SGD {
  /** Weight decay λ adds λ p to g, as torch.optim.SGD has it. */
  constructor(parameters, { lr, momentum = 0, weightDecay = 0 }) {
    Object.assign(this, { parameters, lr, momentum, weightDecay });
    this.v = parameters.map(({ value }) => new Float32Array(value.length));
  }

  step() {
    const { lr, momentum, weightDecay } = this;
    this.parameters.forEach(({ value: p, grad }, place) => {
      const v = this.v[place];
      for (let i = 0; i < p.length; i++) {
        v[i] = momentum * v[i] + grad[i] + weightDecay * p[i];
        p[i] -= lr * v[i];
      }
    });
  }
}

/** m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², p ← p - η m̂ / (√v̂ + ε). */
export class Adam {
  /** Weight decay λ first takes η λ p from p, as torch.optim.AdamW has it. */
  constructor(parameters, { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }) {
    Object.assign(this, { parameters, lr, betas, eps, weightDecay, t: 0 });
    this.m = parameters.map(({ value }) => new Float32Array(value.length));
    this.v = parameters.map(({ value }) => new Float32Array(value.length));
  }

  step() {
    this.t++;
    const [beta1, beta2] = this.betas;
    const root = Math.sqrt(1 - beta2 ** this.t); // √v̂ = √v / root
    const rate = (this.lr * root) / (1 - beta1 ** this.t);
    const eps = this.eps * root;
    const keep = 1 - this.lr * this.weightDecay;
    this.parameters.forEach(({ value: p, grad }, place) => {
      const [m, v] = [this.m[place], this.v[place]];
      for (let i = 0; i < p.length; i++) {
        const g = grad[i];
        m[i] += (1 - beta1) * (g - m[i]);
        v[i] += (1 - beta2) * (g * g - v[i]);
        p[i] = keep * p[i] - (rate * m[i]) / (Math.sqrt(v[i]) + eps);
      }
    });
  }
}
