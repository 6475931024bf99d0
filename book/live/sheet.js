// The canvas on which the reader draws, with mouse, pen, finger or keyboard.

import { h, still } from "./dom.js";
import { SIZE, WIDTH, addLine, rasterize } from "./ink.js";
import { Keys } from "./keys.js";

const SHARP = 2; // pixels of the screen to one of the ink, along each side
const INK = "#ffb545";

export class Sheet {
  drawn = 0; // how often something was begun
  strokes = [];
  ink = rasterize([]);

  /**
   * onChange(finished) is told of each movement of the pen, and with true when a
   * stroke is done or taken back; onDigit(digit) of digits typed on the canvas.
   */
  constructor(onChange, onDigit) {
    this.onChange = onChange;
    this.canvas = h("canvas", {
      class: "sheet",
      width: SIZE * SHARP,
      height: SIZE * SHARP,
      tabindex: 0,
      role: "application",
      "aria-label": "Sheet to draw on",
      onpointerdown: (event) => this.#down(event),
      onpointermove: (event) => this.#move(event),
      onpointerup: (event) => this.#up(event),
      onpointercancel: (event) => this.#up(event),
      onkeydown: (event) => {
        if (/^[0-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey) {
          onDigit(Number(event.key));
        } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) {
          this.undo();
        } else if (event.key === "Delete") {
          this.clear();
        } else {
          return;
        }
        event.preventDefault();
      },
    });
    this.keys = new Keys(this);
    this.context = this.canvas.getContext("2d");
    this.context.scale(SHARP, SHARP);
    this.#draw();
  }

  get empty() {
    return this.strokes.length === 0;
  }

  undo() {
    this.#lay(this.strokes.slice(0, -1));
  }

  clear() {
    this.#lay([]);
  }

  /** A question for later: whether nothing was begun here since. */
  watch() {
    const drawn = ++this.drawn;
    return () => drawn === this.drawn;
  }

  /** Put a pen down at a point. */
  begin(point) {
    if (this.playing) this.clear();
    this.drawn++;
    this.strokes.push([]);
    this.go(point);
  }

  /** Draw on, to each of these points. */
  go(...points) {
    for (const point of points) this.#add(point);
    this.#draw();
    this.onChange(false);
  }

  /** Lift the pen. */
  end() {
    this.onChange(true);
  }

  /** Draw strokes on a new sheet, as a hand would; at once if less motion is asked for. */
  play(strokes) {
    if (still()) return this.#lay(strokes);
    this.#lay([], false);
    const points = strokes.flatMap((stroke, i) => stroke.map((point) => [i, point]));
    const start = performance.now();
    const step = (now) => {
      const count = Math.ceil(((now - start) / 600) * points.length);
      while (this.playing && points.length && this.laid < count) {
        const [i, point] = points[this.laid++];
        if (i === this.strokes.length) this.strokes.push([]);
        this.#add(point);
        if (this.laid === points.length) this.playing = 0;
      }
      this.#draw();
      this.onChange(!this.playing);
      if (this.playing) this.playing = requestAnimationFrame(step);
    };
    this.laid = 0;
    this.playing = requestAnimationFrame(step);
  }

  #lay(strokes, tell = true) {
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.drawn++;
    this.pen = undefined; // one that is down draws on only when it is put down again
    this.keys.forget();
    this.strokes = strokes.map((stroke) => [...stroke]);
    this.ink = rasterize(strokes);
    this.#draw();
    if (tell) this.onChange(true);
  }

  /** Lengthen the last stroke. */
  #add(point) {
    const stroke = this.strokes.at(-1);
    addLine(this.ink, stroke.at(-1) ?? point, point);
    stroke.push(point);
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = SIZE / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  #down(event) {
    if (event.button !== 0 || this.pen !== undefined) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.#at(event));
    this.pen = event.pointerId; // a second finger draws nothing
  }

  #move(event) {
    if (event.pointerId !== this.pen) return;
    // The left button is up, while another is down: the page gets no pointerup.
    if (!(event.buttons & 1)) return this.#up(event);
    // Between two frames a fast pen has been in many places.
    const places = event.getCoalescedEvents?.() ?? [];
    this.go(...(places.length ? places : [event]).map((place) => this.#at(place)));
  }

  #up(event) {
    if (event.pointerId !== this.pen) return;
    this.pen = undefined;
    this.end();
  }

  #draw() {
    const { context } = this;
    context.clearRect(0, 0, SIZE, SIZE);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = WIDTH;
    context.strokeStyle = context.fillStyle = INK;
    for (const stroke of this.strokes) {
      context.beginPath();
      for (const [x, y] of stroke) context.lineTo(x, y);
      context.stroke();
      context.beginPath(); // a line without length leaves no ink
      context.arc(...stroke[0], WIDTH / 2, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
