// A page that the browser restores from memory contains a form with a used command id, so reload it.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

const isPost = (event) => event.detail.requestConfig.verb === "post";

// Without an answer htmx swaps nothing, so show a notice. The form keeps its command id, so it counts once.
function tellNoAnswer(event) {
  const offline = document.getElementById("offline");
  offline.hidden = false;
  if (isPost(event)) offline.querySelector("[data-sent]").hidden = false;
  offline.scrollIntoView({ block: "nearest" });
}
document.addEventListener("htmx:sendError", tellNoAnswer);
document.addEventListener("htmx:timeout", tellNoAnswer);
document.addEventListener("htmx:afterOnLoad", (event) => {
  const offline = document.getElementById("offline");
  const sent = offline?.querySelector("[data-sent]");
  if (!sent || !(sent.hidden || isPost(event))) return; // whether a task was carried out is known from its own answer only
  offline.hidden = true;
  sent.hidden = true;
});

// A task that takes longer than a moment says that it is under way.
let underWay;
document.addEventListener("htmx:beforeRequest", (event) => {
  const words = event.target.querySelector(".under-way > span");
  if (words) underWay = setTimeout(() => { words.hidden = false; }, 400);
});
document.addEventListener("htmx:afterRequest", (event) => {
  const words = event.target.querySelector(".under-way > span");
  if (!words) return;
  clearTimeout(underWay);
  words.hidden = true;
});

// Buttons that print a page are shown where they work.
function showPrint() {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
}
document.addEventListener("DOMContentLoaded", showPrint);
document.addEventListener("htmx:afterSettle", showPrint);
document.addEventListener("bank:changed", showPrint);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
