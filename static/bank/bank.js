// A page that the browser restores from memory contains a form with a used command id, so reload it.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// Without an answer htmx swaps nothing, so show a notice.
document.addEventListener("htmx:sendError", () => {
  document.getElementById("offline").hidden = false;
});
document.addEventListener("htmx:afterOnLoad", () => {
  const offline = document.getElementById("offline");
  if (offline) offline.hidden = true;
});

// When the session ends, leave the page for the log-in page, so that nobody can read it.
// The request does not count as use of the session.
function leaveWhenOver(seconds) {
  setTimeout(async () => {
    const logIn = document.body.dataset.login;
    const answer = await fetch(logIn, { headers: { "Bank-Poll": "true" }, redirect: "manual" }).catch(() => null);
    if (answer && answer.ok) {
      window.location.replace(logIn + "?ended=idle&next=" + encodeURIComponent(window.location.pathname));
    } else {
      leaveWhenOver(Math.min(seconds, 60));
    }
  }, seconds * 1000);
}
if (document.body.dataset.idle) leaveWhenOver(Number(document.body.dataset.idle));

// Buttons that print a page are shown where they work.
function showPrint() {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
}
document.addEventListener("DOMContentLoaded", showPrint);
document.addEventListener("htmx:afterSettle", showPrint);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
