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

// A page that is left on the screen must not stay to be read: when the session is over, go to the log-in.
// Asking does not keep the session alive.
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
