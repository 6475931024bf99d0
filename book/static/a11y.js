// What a keyboard and a screen reader miss in the theme: the focus stays on the button
// that was pressed, and what it did is said.
"use strict";

{
  const status = document.createElement("div");
  status.role = "status";
  status.className = "visually-hidden";
  document.querySelector("main").append(status);

  const beside = matchMedia("(width >= 992px)"); // where the sidebar stands there
  /** Say how the controls at the top of the page stand. */
  function describe() {
    for (const button of document.querySelectorAll(".theme-switch-button")) {
      button.ariaLabel = `Colour mode: ${document.documentElement.dataset.mode}`;
    }
    const sidebar = document.querySelector("#pst-primary-sidebar");
    const toggle = document.querySelector(".primary-toggle");
    if (!sidebar || !toggle) return;
    const isHidden = sidebar.matches(".pst-sidebar-hidden");
    toggle.ariaExpanded = beside.matches && !isHidden; // on a phone it is a dialog
  }
  describe();
  beside.onchange = describe;

  let pressed; // the last button that a key has pressed
  function refocus() {
    const { activeElement: focused } = document; // maybe still in what has just closed
    if (focused === document.body || !focused.checkVisibility()) pressed?.focus();
  }

  function settle(button) {
    refocus();
    describe();
    if (button.matches(".copybtn.success")) status.textContent = "Copied";
  }

  // On its way down: the theme stops some clicks, and takes the focus off its buttons.
  document.addEventListener(
    "click",
    ({ target, detail }) => {
      const button = target.closest("button");
      if (!button) return;
      pressed = detail ? null : button; // a mouse counts its clicks
      setTimeout(settle, 0, button); // when the theme has done its part
    },
    true,
  );
  // On a phone the contents are a dialog: it makes way for what was chosen in it.
  document.addEventListener("click", ({ target }) => {
    if (!target.closest('dialog a[href^="#"]')) return;
    pressed = null;
    target.closest("dialog").close();
  });
  // Escape closes a dialog wherever the focus is: Sphinx takes the browser's part of the
  // key away, and the theme listens for it in the dialog only. It puts away a tooltip too,
  // which may cover what one reads.
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    document.querySelector("dialog:modal")?.close();
    document.querySelector(".tooltip")?.classList.remove("show");
  });
  // A dialog's; the browser takes the focus out of it with the next picture.
  document.addEventListener("close", () => requestAnimationFrame(() => setTimeout(refocus)), true);

  // What the search says where it finds nothing; the theme's sentence speaks of categories.
  const nothing =
    "Your search did not match any documents. Please make sure that all words are spelled " +
    "correctly and that you've selected enough categories.";
  if (typeof Documentation === "object") {
    Documentation.TRANSLATIONS[nothing] = "No page has all of these words. Try fewer, or others.";
  }

  // Notes in the margin: the theme folds the contents away for one in the upper two thirds of
  // the window, and where they are longer they would cover one below.
  const contents = document.querySelector(".bd-sidebar-secondary");
  const low = new Set();
  const beneath = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) isIntersecting ? low.add(target) : low.delete(target);
      contents?.classList.toggle("short", low.size > 0);
    },
    { rootMargin: "-67% 0px 0px" },
  );
  for (const note of document.querySelectorAll("div.margin")) beneath.observe(note);

  // The contents mark where one is; of a jump over many sections the theme sees too little.
  const links = [...document.querySelectorAll("#pst-page-toc-nav a")];
  const topOf = ({ hash }) =>
    document.getElementById(decodeURIComponent(hash.slice(1))).getBoundingClientRect().top;
  function mark() {
    const marked = links.find((link) => link.matches(".active"));
    if (marked && topOf(marked) >= 0 && topOf(marked) < innerHeight) return;
    const here = links.findLast((link) => topOf(link) < 0.3 * innerHeight);
    for (const link of links) {
      const entry = link.closest(".toc-entry");
      link.classList.toggle("active", link === here);
      link.ariaCurrent = link === here ? "true" : null;
      entry.classList.toggle("active", entry.contains(here ?? null));
    }
  }
  addEventListener("scrollend", () => setTimeout(mark, 100)); // after the theme has

  // What is too wide scrolls; then a keyboard has to reach it, and be told what it is.
  const names = {
    "div.wide": "A wide picture",
    ".pst-scrollable-table-container": "A wide table",
    ".cell_output pre": "Output",
    pre: "Code",
    "mjx-container[display]": "Formula",
  };
  const wide = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const isFormula = target.matches("mjx-container");
      const share = target.clientWidth / target.scrollWidth;
      if (!(share < 1)) continue; // it fits, or a fold hides it
      if (isFormula && share > 0.9) {
        // So little is best seen at once.
        const size = parseFloat(getComputedStyle(target).fontSize);
        target.style.fontSize = `${0.99 * share * size}px`;
        continue;
      }
      const kind = Object.keys(names).find((selector) => target.matches(selector));
      Object.assign(target, { tabIndex: 0, role: "group", ariaLabel: names[kind] });
    }
  });
  addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    for (const part of document.querySelectorAll(`article :is(${Object.keys(names)})`)) wide.observe(part);
  });

  const results = document.querySelector("#search-results"); // of the search page
  if (results) {
    new MutationObserver(() => {
      const text = results.querySelector(".search-summary")?.textContent ?? "";
      if (status.textContent !== text) status.textContent = text;
    }).observe(results, { childList: true, subtree: true });
    // Its excerpts show no formula: nobody reads the source of one.
    const { htmlToText } = Search;
    const formula = /\\\(.*?\\\)|\\\[.*?\\\]/gs;
    Search.htmlToText = (...page) => htmlToText(...page).replace(formula, "…");
  }
}
