// Loss and accuracy over the steps, of the training and of the validation digits.

import { h } from "../dom.js";
import { label, svg } from "../draw.js";

const [WIDTH, HEIGHT] = [300, 160];
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 292, 8, 138]; // the field within the picture
const GUESS = Math.log(10); // the loss of a blind guess

export class Curves {
  constructor() {
    const loss = new Chart("Loss", "loss", short);
    const accuracy = new Chart("Accuracy", "accuracy", percent);
    this.charts = [loss, accuracy];
    this.element = h("div", { class: "curves" }, loss.element, accuracy.element);
  }

  show(points) {
    for (const chart of this.charts) chart.show(points);
  }
}

function short(loss) {
  if (loss >= 1e6) return "over a million";
  return loss < 0.01 ? loss.toPrecision(2) : loss.toFixed(loss < 0.1 ? 3 : 2);
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

class Chart {
  constructor(title, key, format) {
    Object.assign(this, { title, key, format });
    this.picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    this.values = { train: h("span"), val: h("span") };
    this.element = h(
      "figure",
      {},
      h(
        "figcaption",
        {},
        h("h3", {}, title),
        h("span", { class: "train" }, "training ", this.values.train),
        h("span", { class: "val" }, "validation ", this.values.val),
      ),
      this.picture,
    );
    this.show([]);
  }

  show(points) {
    const last = points.at(-1)?.step || 1;
    const x = (step) => LEFT + ((RIGHT - LEFT) * step) / last;
    const { y, ticks } = this.key === "loss" ? logarithmic(points) : linear();
    const parts = ticks.map(([value, text]) =>
      svg("g", {}, svg("path", { d: `M${LEFT} ${y(value)}H${RIGHT}` }), label(LEFT - 5, y(value) + 4, text, "end")),
    );
    if (this.key === "loss") {
      const line = `M${LEFT} ${y(GUESS)}H${RIGHT}`;
      parts.push(svg("path", { class: "guess", d: `${line}M115 ${HEIGHT - 10}h17` }));
      parts.push(label(137, HEIGHT - 6, "blind guess")); // where no curve comes
    }
    parts.push(label(LEFT, HEIGHT - 6, "step 0"));
    if (points.length > 1) parts.push(label(RIGHT, HEIGHT - 6, last.toLocaleString("en"), "end"));
    for (const split of ["train", "val"]) {
      const values = points.map((point) => [point.step, point[split][this.key]]);
      const whole = values.filter(([, value]) => Number.isFinite(value));
      const line = whole.map(([step, value]) => `${x(step).toFixed(1)} ${y(value).toFixed(1)}`);
      parts.push(svg("path", { class: split, d: line.length ? `M${line.join("L")}` : "" }));
      this.values[split].textContent = whole.length ? this.format(whole.at(-1)[1]) : "";
    }
    this.picture.replaceChildren(...parts);
    const { train, val } = this.values;
    const least = points.reduce((a, b) => (b.val.loss < a.val.loss ? b : a), points[0]);
    const lowest =
      this.key === "loss" && least ? `, lowest ${this.format(least.val.loss)} at step ${least.step.toLocaleString("en")}` : "";
    this.picture.setAttribute(
      "aria-label",
      `${this.title} over the steps: training ${train.textContent || "not yet"}, ` +
        `validation ${val.textContent || "not yet"}${lowest}`,
    );
  }
}

/** From 0.01 to 10, or further where the losses are. */
function logarithmic(points) {
  const losses = points.flatMap(({ train, val }) => [train.loss, val.loss]).filter((loss) => loss > 0);
  const lowest = Math.max(Math.floor(Math.log10(Math.min(...losses, 0.05))), -5);
  const highest = Math.min(Math.ceil(Math.log10(Math.max(...losses, 10))), 5);
  const y = (loss) => {
    const share = (Math.log10(loss) - lowest) / (highest - lowest);
    return BOTTOM - (BOTTOM - TOP) * Math.min(Math.max(share, 0), 1);
  };
  const exponents = Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
  return { y, ticks: exponents.map((exponent) => [10 ** exponent, power(exponent)]) };
}

/** A power of ten: 0.001, and 10⁻⁴, for which there is room. */
function power(exponent) {
  if (Math.abs(exponent) <= 3) return String(Number((10 ** exponent).toPrecision(1)));
  return `10${exponent < 0 ? "⁻" : ""}${"⁰¹²³⁴⁵"[Math.abs(exponent)]}`;
}

function linear() {
  const y = (share) => BOTTOM - (BOTTOM - TOP) * share;
  return { y, ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => [share, `${100 * share}%`]) };
}
