// One Tab stop for a row of buttons; arrow keys, Home and End move within it.

/** Make an element a toolbar of its buttons; Tab reaches the one last used. */
export function rove(element) {
  const buttons = [...element.querySelectorAll("button")];
  const mark = (current) => {
    for (const button of buttons) button.tabIndex = button === current ? 0 : -1;
  };
  mark(buttons[0]);
  element.setAttribute("role", "toolbar");
  element.addEventListener("focusin", ({ target }) => mark(target));
  element.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target);
    const to = {
      ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1,
      Home: 0, End: buttons.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  });
}
