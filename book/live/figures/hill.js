// The loss of the one neuron as a hill, and a point that descends it.

import { h, number, still } from "../dom.js";
import { Chart, svg } from "../draw.js";
import { Slider, button, card, row } from "../figure.js";

// The ink of the training digits 0 and of 1: means of 40 groups, from little ink to much.
const ZEROS = [
  -0.59, -0.31, -0.16, -0.05, 0.04, 0.11, 0.18, 0.24, 0.3, 0.36, 0.41, 0.46, 0.51, 0.56,
  0.61, 0.65, 0.7, 0.75, 0.79, 0.84, 0.88, 0.92, 0.97, 1.01, 1.05, 1.1, 1.14, 1.19, 1.24,
  1.3, 1.36, 1.42, 1.49, 1.57, 1.65, 1.76, 1.88, 2.04, 2.25, 2.78,
];
const ONES = [
  -1.44, -1.32, -1.27, -1.23, -1.19, -1.16, -1.13, -1.11, -1.08, -1.06, -1.03, -1.01, -0.99,
  -0.97, -0.95, -0.92, -0.9, -0.88, -0.86, -0.83, -0.81, -0.79, -0.77, -0.74, -0.71, -0.69,
  -0.66, -0.63, -0.6, -0.57, -0.54, -0.51, -0.47, -0.43, -0.37, -0.32, -0.25, -0.15, 0, 0.34,
];
const SHARE = 0.532; // of the ones among both

const mean = (values, f) => values.reduce((sum, u) => sum + f(u), 0) / values.length;
const both = (zero, one) => (1 - SHARE) * mean(ZEROS, zero) + SHARE * mean(ONES, one);
const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** The loss of a neuron with this weight, in nats, and how fast it grows with it. */
export const loss = (w) => both((u) => Math.log1p(Math.exp(w * u)), (u) => Math.log1p(Math.exp(-w * u)));
export const slope = (w) => both((u) => sigmoid(w * u) * u, (u) => (sigmoid(w * u) - 1) * u);

const [FROM, TO] = [-30, 4];
const START = 2;
const RATES = [0.1, 0.3, 1, 2, 4, 6, 8, 10, 15, 20, 30, 40];
const THREE = { "too low": 0.3, right: 8, "too high": 40 };
const LOWEST = Math.min(...Array.from({ length: 100 }, (_, i) => loss(-i / 10)));
const NEAR = 0.003; // to the lowest loss, in nats: the floor is flat, and the rest of the way long
const MOST = 60; // steps of one play

export function mount(place) {
  new Hill(place);
}

class Hill {
  path = [START]; // where the point has been since it was put down
  playing = 0;

  constructor(place) {
    const width = Math.min(Math.max(place.clientWidth - 44, 290), 720);
    this.chart = new Chart({
      width,
      height: width < 500 ? 250 : 290,
      x: { from: FROM, to: TO, ticks: [-30, -25, -20, -15, -10, -5, 0], name: "weight w" },
      y: { from: 0, to: 4, ticks: [0, 1, 2, 3, 4], name: "loss (nats)" },
    });
    this.#ground();
    this.trail = svg("g", { class: "trail" });
    this.ahead = svg("g");
    this.ball = svg("circle", { class: "ball", r: 8 });
    this.point = svg("g", {
      role: "slider", tabindex: 0, "aria-label": "The point, its weight",
      "aria-valuemin": FROM, "aria-valuemax": TO,
    }, svg("circle", { class: "touch", r: 22 }), this.ball);
    this.chart.field.append(this.trail, this.ahead);
    this.chart.element.append(this.point);
    this.chart.element.setAttribute("role", "group");
    this.chart.element.setAttribute("aria-label", "The loss over the weight: a hill, and a point on it");

    this.rate = new Slider("Learning rate η", RATES, 0.3, () => this.#show());
    this.three = Object.entries(THREE).map(([name, rate]) =>
      button(name, () => {
        this.rate.value = rate;
        this.#put(this.path[0]); // from where it was put down
      }),
    );
    this.play = button("Play", () => (this.playing ? this.#pause() : this.#run()), { class: "main" });
    this.formula = h("p", { class: "formula" });
    this.say = card(
      place,
      h("p", { class: "look" }, "Choose how far the point goes with each step, or drag it to another start."),
      this.chart.element,
      this.formula,
      row(this.rate.element, h("div", { class: "group", role: "group", "aria-label": "Learning rates to try" }, ...this.three)),
      row(h("div", { class: "group" }, this.play, button("Step", () => this.#stepOnce()), button("Back", () => this.#put(START)))),
    );
    this.#listen();
    this.#show();
  }

  #ground() {
    const { chart } = this;
    const points = Array.from({ length: 171 }, (_, i) => FROM + ((TO - FROM) * i) / 170).map((w) => [w, loss(w)]);
    chart.field.append(chart.path([[FROM, 0], ...points, [TO, 0]], "ground"), chart.path(points, "surface"));
  }

  #listen() {
    const keep = () => {
      const { path } = this;
      return () => this.#walk(path);
    };
    this.chart.drag((event) => this.#put(this.chart.at(event)[0]), keep);
    const moves = { ArrowLeft: -0.5, ArrowDown: -0.5, ArrowRight: 0.5, ArrowUp: 0.5, PageDown: -5, PageUp: 5, Home: -Infinity, End: Infinity };
    this.point.addEventListener("keydown", (event) => {
      if (!(event.key in moves)) return;
      event.preventDefault();
      this.#put(this.w + moves[event.key]);
    });
  }

  get w() {
    return this.path.at(-1);
  }

  /** Put the point down somewhere: a new walk begins. */
  #put(w) {
    this.#walk([Math.min(Math.max(w, FROM), TO)]);
  }

  #walk(path) {
    this.path = path;
    this.#pause();
    this.#show();
  }

  #stepOnce() {
    if (this.playing) this.#pause();
    this.#step();
  }

  #step() {
    const from = this.w;
    const to = Math.min(Math.max(from - this.rate.value * slope(from), FROM), TO);
    this.path.push(to);
    this.#show();
    this.#fly(from, to);
  }

  #run() {
    this.play.textContent = "Pause";
    const end = this.path.length + MOST;
    const next = () => {
      this.#step();
      if (this.arrived || this.path.length >= end) this.#pause();
    };
    this.playing = setInterval(next, still() ? 900 : 450);
    next();
  }

  #pause() {
    clearInterval(this.playing);
    this.playing = 0;
    this.play.textContent = "Play";
    this.#tell();
  }

  get arrived() {
    return loss(this.w) < LOWEST + NEAR;
  }

  /** The ball from one place to the next, above the ground, which curves down between. */
  #fly(from, to) {
    cancelAnimationFrame(this.flight);
    if (still()) return;
    const start = performance.now();
    const move = (now) => {
      const t = Math.min(Math.max((now - start) / 350, 0), 1);
      const eased = t * t * (3 - 2 * t);
      const hop = 0.6 * Math.sin(Math.PI * eased) * Math.min(Math.abs(to - from) / 10, 1);
      this.#ballAt(from + (to - from) * eased, loss(from) + (loss(to) - loss(from)) * eased + hop);
      if (t < 1) this.flight = requestAnimationFrame(move);
    };
    move(start);
  }

  #ballAt(w, height) {
    this.point.setAttribute("transform", `translate(${this.chart.x(w)} ${this.chart.y(height) - 8})`);
  }

  #show() {
    cancelAnimationFrame(this.flight);
    const { chart, path, w } = this;
    const [l, s, eta] = [loss(w), slope(w), this.rate.value];
    const next = w - eta * s;
    this.#ballAt(w, l);
    const places = path.map((v) => [v, loss(v)]);
    this.trail.replaceChildren(chart.path(places, "walk"), ...places.slice(0, -1).map((at) => chart.dot(at, "been", 3)));
    const reach = 3 / Math.hypot(1, 8 * s); // as long on the steep as on the flat
    const tangent = [[w - reach, l - reach * s], [w + reach, l + reach * s]];
    const end = Math.min(Math.max(next, FROM), TO);
    this.ahead.replaceChildren(
      chart.path(tangent, "tangent"),
      chart.path([[w, l], [end, l], [end, loss(end)]], "ahead"),
      chart.dot([end, loss(end)], "next", 5),
    );
    this.formula.replaceChildren(
      "w ← ", h("span", {}, number(w)), " − ", h("b", {}, String(eta)), " × ",
      h("i", {}, s < 0 ? `(${number(s, 3)})` : number(s, 3)), " = ", h("span", {}, number(next)),
      h("small", {}, "new w = w − learning rate × slope"),
    );
    this.point.setAttribute("aria-valuenow", w.toFixed(1));
    this.point.setAttribute("aria-valuetext", `w = ${number(w, 1)}, loss ${number(l)}`);
    this.three.forEach((choice, i) => choice.setAttribute("aria-pressed", String(Object.values(THREE)[i] === eta)));
    this.#tell();
  }

  /** Say where the point is; not at each step of a walk, nor what the slider says itself. */
  #tell() {
    const { w } = this;
    const [l, s, steps] = [loss(w), slope(w), this.path.length - 1];
    this.say(
      !steps
        ? `At w = ${number(w, 1)} the loss is ${number(l)} nats and the slope ${number(s, 3)}. The dotted line is the next step.`
        : `After ${steps} step${steps > 1 ? "s" : ""}: w = ${number(w, 1)}, a loss of ${number(l)} nats` +
            (this.arrived ? `. The bottom is at most ${NEAR} nats lower.` : "."),
      !this.playing && document.activeElement !== this.point,
    );
  }
}
