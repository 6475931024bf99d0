// The settings as native controls: sliders, lists and a box to tick.

import { h } from "../dom.js";
import { SETTINGS, hiddenSizes } from "./settings.js";

export class Controls {
  /** onChange(name, value) is told of each new value. */
  constructor(onChange) {
    this.fields = Object.entries(SETTINGS).map(([name, { label, values }]) => {
      const shown = h("b", { "aria-hidden": "true" });
      const control = make(values, (value) => onChange(name, value));
      const element = h("label", { class: control.type }, h("span", {}, label, shown), control);
      return { name, values, element, control, shown };
    });
    this.element = h(
      "div",
      { class: "settings", role: "group", "aria-label": "Settings" },
      ...this.fields.map(({ element }) => element),
    );
  }

  show(settings) {
    for (const { name, values, control, shown } of this.fields) {
      const text = say(name, settings);
      if (control.type === "checkbox") control.checked = settings[name];
      else control.value = control.type === "range" ? values.indexOf(settings[name]) : text;
      if (control.type === "range") {
        shown.textContent = text;
        control.setAttribute("aria-valuetext", text);
      }
      control.disabled = idle(name, settings);
    }
  }
}

function make(values, onValue) {
  if (typeof values[0] === "boolean") {
    const box = h("input", { type: "checkbox", onchange: () => onValue(box.checked) });
    return box;
  }
  if (typeof values[0] === "string") {
    const list = h("select", { onchange: () => onValue(list.value) });
    list.append(...values.map((value) => new Option(value)));
    return list;
  }
  const most = values.length - 1;
  const slider = h("input", {
    type: "range", min: 0, max: most, step: 1,
    oninput: () => onValue(values[slider.value]),
  });
  return slider;
}

/** Whether a setting has nothing to do as things stand. */
const idle = (name, { layers, optimizer }) =>
  ((name === "neurons" || name === "activation") && layers === 0) ||
  (name === "momentum" && optimizer === "Adam");

function say(name, settings) {
  if (name === "neurons" && settings.layers) return hiddenSizes(settings).join(" + ");
  const value = settings[name];
  return typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 4 }) : value;
}
