// A question takes an answer before it shows its own. Its text is the notebook's: a
// paragraph, a list of choices from A on, and folded below it the right letter with its
// reason, then a line for each other choice. Without this script it stays just that.
//
// A question that begins with "Predict:" also folds what the cells after it put out.
// Answers stay in this browser, each under its page and a hash of its question, so that
// a question that was changed forgets.
"use strict";

{
  const page = location.pathname.split("/").pop().replace(".html", "");
  const store = `mnistedu quiz ${page}`;
  let answers = {}; // the first choice and the last one, by question
  try {
    answers = JSON.parse(localStorage.getItem(store)) ?? {};
  } catch {} // The browser keeps nothing: then this page does, until it is left.

  function keep() {
    try {
      localStorage.setItem(store, JSON.stringify(answers));
    } catch {} // As above.
  }

  function h(tag, attributes, ...children) {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  const letter = (element) => /^\s*([A-Z])\.\s/.exec(element?.textContent)?.[1];
  const content = (item) => (item.querySelector(":scope > p") ?? item).childNodes;

  /** A hash of a text, without formulas: MathJax may have set them, or not yet. */
  function hash(...elements) {
    const copies = elements.map((element) => element.cloneNode(true));
    for (const copy of copies) copy.querySelectorAll(".math").forEach((m) => m.remove());
    let number = 0;
    for (const sign of copies.map((copy) => copy.textContent).join("")) {
      number = (Math.imul(number, 31) + sign.codePointAt()) | 0;
    }
    return number.toString(36);
  }

  /** A browser leaves the formulas out of a name; MathJax has set them by then. */
  function named(element, words) {
    if (!words.querySelector(".math")) return;
    const copy = words.cloneNode(true);
    for (const drawn of copy.querySelectorAll("mjx-math")) drawn.remove();
    for (const sign of copy.querySelectorAll("mi, mn, mo")) sign.append(" ");
    element.ariaLabel = copy.textContent.replaceAll("⊤", "transposed").replace(/\s+/g, " ").trim();
  }

  /** What the cells after a question put out, each folded. */
  function foldOutputs(cell) {
    const folded = [];
    while ((cell = cell.nextElementSibling)?.matches(".cell")) {
      for (const output of cell.querySelectorAll(":scope > .cell_output")) {
        const title = h("summary", {}, "What comes out (guess first, or open it here)");
        const details = h("details", { className: "outcome" }, title);
        output.replaceWith(details);
        details.append(output);
        folded.push(details);
      }
    }
    return folded;
  }

  /** Reasons come and go above what was pressed: it stays under the finger. */
  function stay(target, change) {
    const before = target.getBoundingClientRect().top;
    change();
    scrollBy({ top: target.getBoundingClientRect().top - before, behavior: "instant" });
  }

  /** Make a question of its folded answer and of what stands before; null if it is none. */
  function question(details) {
    const list = details.previousElementSibling;
    const right = letter(details.querySelector(":scope > p"));
    if (!right || !list?.matches("ul")) return null;
    const between = [];
    let text = list.previousElementSibling;
    for (; !text.matches("p"); text = text.previousElementSibling) between.unshift(text);

    const id = hash(text, list);
    const title = text.textContent.replace(/\s+/g, " ").trim();
    const others = details.querySelector(":scope > ul");
    const why = {}; // the reasons, by letter
    for (const item of others.children) {
      why[letter(item)] = h("p", { className: "why" }, ...content(item));
    }
    const radios = [...list.children].map((item) =>
      h("input", { type: "radio", name: id, value: letter(item), onchange: choose, onkeydown: walk }),
    );
    const choices = radios.flatMap((radio, i) => {
      const label = h("label", {}, radio, h("span", {}, ...content(list.children[i])));
      return [label, why[radio.value] ?? ""];
    });
    const says = h("p", { className: "says", role: "status" });
    const box = h("div", { className: "question" });
    text.replaceWith(box);
    const legend = h("legend", {}, ...text.childNodes);
    box.append(h("fieldset", {}, legend, ...between, ...choices, says), details);
    for (const empty of [list, others]) empty.remove();
    window.MathJax?.startup?.promise?.then(() => {
      named(legend.parentElement, legend);
      for (const radio of radios) named(radio, radio.parentElement);
    });
    details.querySelector(":scope > summary").addEventListener("click", (event) => {
      event.preventDefault();
      stay(event.currentTarget, () => (details.open = !details.open));
    });
    const folded = title.startsWith("Predict") ? foldOutputs(box) : [];

    /** Arrow keys walk; a browser would answer with each choice on the way. */
    function walk(event) {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      radios.at((radios.indexOf(event.target) + step) % radios.length).focus();
    }

    function choose({ target }) {
      const { value } = target;
      answers[id] = { first: answers[id]?.first ?? value, last: value };
      keep();
      stay(target, () => {
        show();
        tell();
      });
    }

    function show() {
      const { first, last } = answers[id] ?? {};
      for (const radio of radios) radio.checked = radio.value === last;
      for (const each in why) why[each].classList.toggle("chosen", each === last);
      box.dataset.said = !last ? "" : last === right ? "right" : "wrong";
      if (last === right || !last) details.open = Boolean(last);
      for (const each of folded) each.open = Boolean(last);
      says.textContent = last !== right ? "" : first === right ? "Right at once." : "Right.";
      if (!why[last]) return;
      // Where it stands, no screen reader notices it.
      const reason = why[last].textContent.replace(/^\s*[A-Z]\.\s/, "");
      says.append(`Not ${last}. `, h("span", { className: "visually-hidden" }, reason));
      says.append(details.open ? " Choose again." : " Choose again, or open the answer.");
    }
    show();
    return { id, title, right, show, box };
  }

  const all = [...document.querySelectorAll("article details")];
  const questions = all.map(question).filter(Boolean);
  const sum = h("span", { role: "status" });
  function tell() {
    const given = questions.filter(({ id }) => answers[id]);
    const atOnce = given.filter(({ id, right }) => answers[id].first === right);
    const count = `${given.length} of ${questions.length} answered`;
    const text = `${count}, ${atOnce.length} right at the first try.`;
    if (sum.textContent !== text) sum.textContent = text; // or it would be said again
  }

  function save() {
    const lines = questions.map(({ id, title, right }) => {
      const { first = "none", last = "none" } = answers[id] ?? {};
      return `${title}\nfirst answer ${first}, last ${last}; right is ${right}\n`;
    });
    const text = [document.title, sum.textContent, "", ...lines].join("\n");
    const href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    h("a", { href, download: `answers-${page}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }

  function clear({ target }) {
    answers = {};
    keep();
    stay(target, () => {
      for (const { show } of questions) show();
      tell();
    });
  }

  if (questions.length) {
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    const buttons = [button("Save as a file", save), " ", button("Clear", clear)];
    const line = ["Your answers on this page, kept in this browser only: ", sum, " "];
    tell(); // before it stands in the page, so that nobody is told unasked
    questions.at(-1).box.after(h("p", { className: "tally" }, ...line, ...buttons));
  }
}
