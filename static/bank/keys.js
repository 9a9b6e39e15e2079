// Single keys for what a page offers: an element with `data-key` is clicked, or its first field gets the focus.
// They work outside of fields only. "?" lists them, and the list has a switch that turns them off in this browser.
const OFF = "keys-off";

function isTyping(target) {
  const dialog = target.closest("dialog"); // a closed one may keep the focus for a moment
  return dialog ? dialog.open : target.closest("input, select, textarea, [contenteditable]") !== null;
}

function use(element) {
  const field = element.matches("a, button") ? null : element.querySelector("input:not([type=hidden]), select");
  if (field) {
    field.focus();
    field.scrollIntoView({ block: "nearest" });
  } else element.click();
}

function list(dialog) {
  const rows = dialog.querySelector("dl");
  rows.replaceChildren();
  for (const element of document.querySelectorAll("[data-key]")) {
    const key = document.createElement("dt");
    const does = document.createElement("dd");
    const chip = document.createElement("kbd");
    chip.textContent = element.dataset.key.toUpperCase();
    key.append(chip);
    does.textContent = element.dataset.does || element.textContent.trim();
    rows.append(key, does);
  }
  dialog.querySelector("input").checked = localStorage.getItem(OFF) === null;
  dialog.showModal();
}

// A large amount is not confirmed by habit: Enter leads to the button, and Ctrl Enter or the button itself confirms.
document.addEventListener("keydown", (event) => {
  const form = document.querySelector("form[data-confirm]");
  if (!form || event.key !== "Enter" || event.isComposing || document.querySelector("dialog[open]")) return;
  const button = form.querySelector(":scope > button");
  if (event.ctrlKey) form.requestSubmit(button);
  else if (event.target.closest("input") && form.contains(event.target)) button.focus();
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
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

document.addEventListener("DOMContentLoaded", () => {
  const dialog = document.getElementById("keys");
  dialog?.querySelector("input").addEventListener("change", (event) => {
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  // The page of one task begins in its first field, unless the page says otherwise.
  const tasks = document.querySelectorAll("form.task");
  if (tasks.length === 1 && document.activeElement === document.body && !document.querySelector("main [autofocus]")) {
    tasks[0].querySelector("input:not([type=hidden]):not([hidden]), select")?.focus();
  }
});
