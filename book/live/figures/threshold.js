// A network that may say "I do not know": how sure it must be, and what that costs.

import { a, h, number } from "../dom.js";
import { Chart, digitCanvas, paint } from "../draw.js";
import { Slider, card, row, whenTouched, written } from "../figure.js";
import { read, risks, surestFirst } from "../refuse.js";

const PIXELS = 28 * 28;
const CLASSES = 10;
const TEMPERATURES = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 2.5, 3, 4];
const LIMITS = [
  0, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985,
  0.99, 0.993, 0.995, 0.997, 0.998, 0.999,
];
const FEW = 12; // digits to look at
// Across the chart: how often the share of those refused must be divided by ten.
const [NONE, ALL] = [0, 4]; // answered
const across = (refused, digits) => (refused ? Math.min(-Math.log10(refused / digits), ALL) : ALL);
const percent = (share, digits = 2) => `${Number(number(100 * share, digits))} %`; // no zeros at its end
const many = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

export function mount(place) {
  new Threshold(place);
}

class Threshold {
  constructor(place) {
    this.width = Math.min(Math.max(place.clientWidth - 44, 290), 720);
    const change = () => this.#change();
    this.limit = new Slider("Answer from a confidence of", LIMITS, 0.9, change, (limit) => (limit ? percent(limit, 1) : "0 %"));
    this.temperature = new Slider("Temperature", TEMPERATURES, 1, change, (t) => (t === 1 ? "1, as shipped" : String(t)));
    this.frame = h("div", { class: "field" });
    this.counts = ["answered", "of them wrong", "refused", "of them would be wrong"].map((name) => {
      const value = h("dd", {}, "–");
      return { value, element: h("div", {}, h("dt", {}, name), value) };
    });
    this.refused = new Gallery("Refused, the least sure first");
    this.missed = new Gallery("Answered, and wrong");
    this.source = h("p", { class: "hint source" });
    this.say = card(
      place,
      h("p", { class: "look" }, "How sure must the network be to answer? What it is less sure of goes to a person."),
      row(this.limit.element, this.temperature.element),
      this.frame,
      h("p", { class: "hint" }, "Logarithmic: from one line to the next it refuses a tenth as many. Dashed: as shipped."),
      h("dl", { class: "counts" }, ...this.counts.map(({ element }) => element)),
      this.refused.element,
      this.missed.element,
    );
    place.querySelector(".pad").append(this.source);
    this.#axes(0.004);
    const { chart } = this;
    chart.field.append(chart.text([ALL / 2, 0.002], "Move a slider."));
    this.say("Nothing has been fetched yet.");
    this.reach = whenTouched(place, this.say, async () => {
      this.say("Fetching what the network said …");
      this.data = await load();
      this.source.textContent = this.data.source;
      this.#begin();
    });
  }

  #change() {
    if (this.data) this.#show();
    else this.reach();
  }

  #axes(highest) {
    const step = 10 ** Math.floor(Math.log10(highest / 2));
    const ticks = Array.from({ length: Math.ceil(highest / step) + 1 }, (_, i) => i * step);
    const coarse = ticks.length > 6 ? ticks.filter((_, i) => i % 2 === 0) : ticks;
    this.chart = new Chart({
      width: this.width,
      height: this.width < 500 ? 240 : 270,
      x: { from: NONE, to: ALL, ticks: [0, 1, 2, 3, 4], name: "coverage, the share answered (log scale)", say: (x) => (x === ALL ? "all" : percent(1 - 10 ** -x, 1)) },
      y: { from: 0, to: coarse.at(-1) + step / 4, ticks: coarse, name: "risk (%)", say: (y) => number(100 * y, 1) },
    });
    this.chart.element.setAttribute("aria-label", "The risk over the coverage");
    this.frame.replaceChildren(this.chart.element);
  }

  /** The axes that fit, the curve of the network as shipped, and the reader's dot. */
  #begin() {
    const { data } = this;
    const shipped = this.#curve(1);
    this.#axes(Math.max(shipped.risk.at(-1), 0.001));
    this.chart.field.append(this.chart.path(shipped.points, "shipped"));
    const drag = (event) => {
      const x = this.chart.at(event)[0];
      const { confidence } = this.#curve(this.temperature.value);
      const far = (limit) => Math.abs(across(confidence.filter((c) => c < limit).length, data.digits) - x);
      this.limit.value = LIMITS.reduce((a, b) => (far(b) < far(a) ? b : a));
      this.#show();
    };
    const keep = () => {
      const { value } = this.limit;
      return () => {
        this.limit.value = value;
        this.#show();
      };
    };
    this.chart.drag(drag, keep);
    this.#show();
  }

  /** What a temperature makes of the logits: all digits in order, and the curve. */
  #curve(temperature) {
    if (this.made?.temperature === temperature) return this.made;
    const { logits, targets, digits } = this.data;
    const { answers, confidence } = read(logits, temperature);
    const wrong = answers.map((answer, n) => answer !== targets[n]);
    const order = surestFirst(confidence);
    const risk = risks(order, wrong);
    const points = risk.map((y, i) => [across(digits - i - 1, digits), y]);
    return (this.made = { temperature, answers, confidence, wrong, order, risk, points });
  }

  #show() {
    const { chart, data, limit, temperature } = this;
    const { answers, confidence, wrong, order, risk, points } = this.#curve(temperature.value);
    const answered = order.filter((n) => confidence[n] >= limit.value);
    const refused = order.slice(answered.length).reverse(); // the least sure first
    const missed = answered.filter((n) => wrong[n]);
    const needed = refused.filter((n) => wrong[n]).length;
    const now = answered.length ? risk[answered.length - 1] : 0;
    const at = [across(refused.length, data.digits), now];
    this.curve?.remove();
    this.curve = chart.path(points, "risk");
    this.dot?.remove();
    this.dot = chart.dot(at, "here", 6);
    chart.field.append(this.curve, this.dot);
    const share = percent(answered.length / data.digits);
    [answered.length, missed.length, refused.length, needed].forEach((count, i) => {
      this.counts[i].value.textContent = count.toLocaleString("en");
    });
    const show = (n) => ({ image: data.images.get(n), target: data.targets[n], answer: answers[n], sure: confidence[n] });
    this.refused.show(refused.map(show));
    this.missed.show(missed.map(show));
    const digits = many(data.digits, "digit", "digits");
    const it = answered.length
      ? `It answers ${share} of ${digits}, at a risk of ${percent(now)}: ${many(missed.length, "answer is", "answers are")} wrong.`
      : `It answers none of ${digits}.`;
    const [read, spared] = [refused.length, needed].map((count) => count.toLocaleString("en"));
    this.say(`${it} A person reads ${read}, of which it would have got ${spared} wrong.`);
  }
}

/** Digits to look at, with what they are and what the network says. */
class Gallery {
  constructor(name) {
    this.digits = h("div", { class: "digits" });
    this.more = h("span", { class: "hint" });
    this.element = h("section", { class: "gallery", "aria-label": name }, h("h3", {}, name, " ", this.more), this.digits);
    this.#fill([]);
  }

  show(digits) {
    const shown = digits.filter(({ image }) => image).slice(0, FEW);
    this.more.textContent = digits.length > shown.length ? `(${shown.length} of ${digits.length.toLocaleString("en")})` : "";
    if (!digits.length) this.more.textContent = "(none)";
    this.#fill(
      shown.map(({ image, target, answer, sure }) => {
        const right = target === answer;
        const canvas = digitCanvas(`${a(target)}, read as ${answer}, ${percent(sure, 0)} sure`);
        paint(canvas, Float32Array.from(image, (value) => value / 255));
        return h("figure", { class: right ? "" : "wrong" }, canvas, h("figcaption", {}, right ? String(target) : `${target} → ${answer}`));
      }),
    );
  }

  /** As many places as ever: what lies below stays where it is. */
  #fill(figures) {
    const blank = () => h("figure", { class: "blank", "aria-hidden": "true" }, digitCanvas(""), h("figcaption", {}, "–"));
    this.digits.replaceChildren(...figures, ...Array.from({ length: FEW - figures.length }, blank));
  }
}

/** What book/extensions/live_figures.py wrote. */
export async function load() {
  const [{ digits, steps, shown, source }, buffer] = await written("threshold");
  const logits = Float32Array.from(new Int16Array(buffer, 0, CLASSES * digits), (step) => step / steps);
  const targets = new Uint8Array(buffer, 2 * CLASSES * digits, digits);
  const first = (2 * CLASSES + 1) * digits;
  const images = new Map(shown.map((n, i) => [n, new Uint8Array(buffer, first + i * PIXELS, PIXELS)]));
  return { digits, source, logits, targets, images };
}
