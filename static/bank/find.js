// The find box: a list of hits while one types. Arrow keys choose, Enter goes there, Escape empties the box.
// Enter uses a hit only if the list answers what the box says now. Otherwise the form goes to the server, which decides.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-find]");
  if (!box) return;
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "hits"]]) box.setAttribute(name, value);

  const options = () => [...document.querySelectorAll("#hits [role=option]")];
  const isAnswered = () => document.getElementById("hits").dataset.for === box.value;
  const chosen = () => options().find((option) => option.getAttribute("aria-selected") === "true");

  function choose(option) {
    for (const each of options()) each.setAttribute("aria-selected", String(each === option));
    box.setAttribute("aria-expanded", String(options().length > 0));
    if (option) {
      box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      box.removeAttribute("aria-activedescendant");
    }
  }
  choose(chosen());
  document.addEventListener("htmx:afterSwap", () => choose(chosen()));

  box.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" && all.length) choose(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp" && all.length) choose(all[(at - 1 + all.length) % all.length]);
    else if (event.key === "Enter" && isAnswered() && chosen()) window.location.assign(chosen().dataset.go);
    else if (event.key === "Escape" && box.value) {
      box.value = "";
      box.dispatchEvent(new Event("input", { bubbles: true }));
    } else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const option = event.target.closest("#hits [role=option]");
    if (option) window.location.assign(option.dataset.go);
  });
});
