// The course's own networks: their weights are fetched, and computed with here.

import { center, shrink } from "./center.js";
import { contents } from "./contents.js";
import { ConvNet } from "./convnet.js";
import { normalized, readWeights } from "./convolution.js";
import { measureDoubt } from "./doubt.js";
import { softmax } from "./softmax.js";

export class Ours {
  /** An entry of contents().models. */
  static async open({ file, name, doubt }) {
    const weights = await readWeights(new URL(file, import.meta.url));
    return Object.assign(new Ours(), { name, doubt, weights, convnet: new ConvNet(weights) });
  }

  /** The deepest. */
  static async first() {
    return Ours.open((await contents()).models[0]);
  }

  /** All that the network has to show for ink of 280 × 280. */
  async read(ink, centered) {
    const start = performance.now();
    const answer = this.see(centered ? center(ink) : shrink(ink));
    performance.measure("live-pad", { start, detail: this.name });
    return answer;
  }

  /** The same for a digit, 28 × 28 in [0, 1]. */
  see(digit) {
    const { logits, maps, heat } = this.convnet.run(normalized(digit).data);
    const limit = Math.max(...heat.data.map(Math.abs));
    const answer = { digit, logits, probabilities: softmax(logits), heat: { ...heat, limit }, maps };
    return { ...answer, doubt: measureDoubt(this.doubt, answer) };
  }
}
