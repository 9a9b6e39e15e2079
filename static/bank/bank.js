// A page that comes back out of the browser's memory carries a form that was sent already: get it afresh.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// Without an answer nothing is swapped, so say so.
document.addEventListener("htmx:sendError", () => {
  document.getElementById("offline").hidden = false;
});
document.addEventListener("htmx:afterOnLoad", () => {
  const offline = document.getElementById("offline");
  if (offline) offline.hidden = true;
});
