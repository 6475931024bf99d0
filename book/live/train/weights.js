// The weights of the first layer as pictures: a neuron has one for each pixel.

import { h, number } from "../dom.js";
import { BLUE, RED } from "../seen.js";

const PIXELS = 28;
const STEP = PIXELS + 2; // from picture to picture
const WELL = [15, 19, 32]; // what stands for 0
const LINE = [127, 140, 176]; // through what is dead

export class Weights {
  constructor() {
    this.canvas = h("canvas", { role: "img", "aria-label": "No weights yet" });
    this.title = h("h3", {}, "The weights of the first layer, a picture for each neuron");
    this.note = h("p", { class: "hint" });
    [this.least, this.most] = [h("span"), h("span")];
    const scale = h("p", { class: "scale" }, this.least, h("i"), this.most);
    this.element = h("figure", {}, h("figcaption", {}, this.title), this.canvas, scale, this.note);
  }

  /** Make room for a picture of each neuron, and say how many stand in a row. */
  fit({ layers, neurons }) {
    const count = layers ? neurons : 10;
    const wide = count > 128 || this.canvas.clientWidth > 16 * PIXELS;
    const columns = !layers ? 5 : wide && count > 32 ? 16 : 8;
    const [width, height] = [columns * STEP, Math.ceil(count / columns) * STEP];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
    }
    return columns;
  }

  /** Weights (784, K), and for each hidden layer with ReLU which neurons are dead. */
  show({ values, count }, dead, settings) {
    const columns = this.fit(settings);
    const { width, height } = this.canvas;
    const limit = Math.max(3 * deviation(values), 1e-9);
    if (!Number.isFinite(limit)) return; // the loss is measured seldom, and may not know yet
    const context = this.canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    for (let k = 0; k < count; k++) {
      const [left, top] = [STEP * (k % columns) + 1, STEP * Math.floor(k / columns) + 1];
      const isDead = dead[0]?.[k];
      for (let i = 0; i < PIXELS; i++) {
        for (let j = 0; j < PIXELS; j++) {
          const value = values[(i * PIXELS + j) * count + k];
          const share = Math.min(Math.abs(value) / limit, 1) * (isDead ? 0.4 : 1);
          const struck = isDead && i + j === PIXELS - 1;
          const colour = struck ? LINE : value > 0 ? BLUE : RED;
          const place = 4 * ((top + i) * width + left + j);
          for (let c = 0; c < 3; c++) {
            picture.data[place + c] = WELL[c] + (colour[c] - WELL[c]) * (struck ? 1 : share);
          }
          picture.data[place + 3] = 255;
        }
      }
    }
    context.putImageData(picture, 0, 0);
    this.#say(limit, dead, settings);
  }

  #say(limit, dead, { layers, activation }) {
    this.title.textContent = layers
      ? "The weights of the first layer, a picture for each neuron"
      : "The weights of the ten digits, from 0 to 9";
    this.least.textContent = `−${number(limit)}`;
    this.most.textContent = `+${number(limit)}`;
    const counts = dead.map((layer) => `${layer.filter(Boolean).length} of ${layer.length}`);
    const where = counts.length > 1 ? ` in the first hidden layer, ${counts[1]} in the second` : "";
    const meaning = "Ink where it is blue speaks for, where it is red against.";
    this.note.textContent =
      layers && activation === "ReLU"
        ? `${meaning} Struck through are the dead neurons, silent for every validation digit: ${counts[0]}${where}.`
        : meaning;
    this.canvas.setAttribute("aria-label", `The weights from the pixels as images. ${this.note.textContent}`);
  }
}

function deviation(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
