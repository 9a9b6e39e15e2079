// Single keys for what a page offers: an element with `data-key` is clicked, or its first field or link gets the focus.
// They work outside of fields only. "?" lists them, and the list has a switch that turns them off in this browser.
const OFF = "keys-off";

function isTyping(target) {
  const dialog = target.closest("dialog"); // a closed one may keep the focus for a moment
  return dialog ? dialog.open : target.closest("input, select, textarea, [contenteditable]") !== null;
}

function use(element) {
  const isWhole = element.matches("a, button, summary");
  const inside = (what) => (isWhole ? null : [...element.querySelectorAll(what)].find((each) => each.checkVisibility()));
  const first = inside("input:not([type=hidden]), select") ?? inside("a");
  if (first) {
    first.focus();
    first.scrollIntoView({ block: "nearest" });
  } else {
    element.focus();
    element.click();
  }
}

// Escape goes back where the page offers it. In a field it only leaves the field, if something typed would be lost.
function goBack(event) {
  const field = event.target.closest("input, select, textarea");
  const back = document.querySelector('[data-key="esc"]');
  if (event.defaultPrevented || event.target.closest("dialog")) return;
  const isTyped = (each) => each.value !== each.defaultValue && each.matches("input:not([type=password]), textarea");
  if (field && (!back || [...(field.form?.elements ?? [])].some(isTyped))) field.blur();
  else if (back) back.click();
  else return;
  event.preventDefault();
}

// The link of each line of the lists: to its receipt, or the first one.
function linesOfPage() {
  const rows = [...document.querySelectorAll("main tbody tr")];
  return rows.map((row) => row.querySelector(".c-receipt a") ?? row.querySelector("a")).filter((link) => link?.checkVisibility());
}

function goToLine(step) {
  const lines = linesOfPage();
  const at = lines.findIndex((link) => link.closest("tr").contains(document.activeElement));
  lines[at < 0 ? 0 : at + step]?.focus();
}

function list(dialog) {
  const rows = dialog.querySelector("dl");
  rows.replaceChildren();
  const listed = new Set();
  for (const element of document.querySelectorAll("[data-key]")) {
    const name = element.dataset.key;
    if (listed.has(name) || (element.dataset.line && !linesOfPage().length)) continue;
    listed.add(name);
    const key = document.createElement("dt");
    const does = document.createElement("dd");
    const chip = document.createElement("kbd");
    chip.textContent = name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    key.append(chip);
    const words = element.cloneNode(true);
    for (const each of words.querySelectorAll("kbd")) each.remove();
    does.textContent = element.dataset.does || words.textContent.trim();
    rows.append(key, does);
  }
  dialog.querySelector("input").checked = localStorage.getItem(OFF) === null;
  dialog.showModal();
}

// A large amount and a count are not confirmed by habit: Enter leads to the next field or to the button, and Ctrl Enter
// or the button itself confirms.
document.addEventListener("keydown", (event) => {
  const form = document.querySelector("form[data-confirm]");
  if (!form || event.key !== "Enter" || event.isComposing || document.querySelector("dialog[open]")) return;
  const button = form.querySelector(":scope > button");
  if (event.ctrlKey) form.requestSubmit(button);
  else if (event.target.matches("input") && form.contains(event.target)) {
    const fields = [...form.querySelectorAll("input:not([type=hidden])"), button];
    fields[fields.indexOf(event.target) + 1].focus();
  } else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") goBack(event);
  if (isTyping(event.target)) return;
  const dialog = document.getElementById("keys");
  if (event.key === "?" && dialog) {
    event.preventDefault();
    list(dialog);
    return;
  }
  if (localStorage.getItem(OFF) !== null) return;
  const element = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!element) return;
  event.preventDefault();
  use(element);
});

// Typing replaces what a field holds that the page begins in.
function selectBegun(within) {
  const field = within.querySelector?.("input[autofocus]");
  field?.focus();
  field?.select();
}
document.addEventListener("htmx:afterSwap", (event) => selectBegun(event.target)); // the new content alone

document.addEventListener("DOMContentLoaded", () => {
  if (document.activeElement.matches("main input[autofocus]")) document.activeElement.select();
  const dialog = document.getElementById("keys");
  dialog?.querySelector("input").addEventListener("change", (event) => {
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  for (const button of document.querySelectorAll("[data-line]")) {
    button.addEventListener("click", () => goToLine(Number(button.dataset.line)));
  }
});
