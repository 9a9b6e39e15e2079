// The end of a session: a warning before it, the log-in page after it, and what was typed comes back, PINs aside.
const DRAFT = "draft";
const WARNING = 120; // seconds
const USED_EVERY = 60; // seconds
const SHIFT = "shift"; // what says that the end of the shift was announced
const LATEST = 2 ** 31 - 1; // the longest time of a browser's timer, in milliseconds
const body = document.body;
let endTimer, warnTimer, usedAt = Date.now();

function watch(seconds) {
  clearTimeout(warnTimer);
  clearTimeout(endTimer);
  warnTimer = setTimeout(() => document.getElementById("ending")?.showModal(), Math.max(seconds - WARNING, seconds / 2) * 1000);
  endTimer = setTimeout(leaveIfOver, seconds * 1000);
}

// Nobody may read a page after the end of its session. This request does not count as use of the session.
async function leaveIfOver() {
  const logIn = body.dataset.login;
  const answer = await fetch(logIn, { headers: { "Bank-Poll": "true" }, redirect: "manual" }).catch(() => null);
  if (answer && answer.ok) {
    window.location.replace(logIn + "?ended=idle&next=" + encodeURIComponent(window.location.pathname));
  } else {
    endTimer = setTimeout(leaveIfOver, 60 * 1000);
  }
}

// The end of a shift cannot be put off. It is announced once, some minutes before.
function watchShift(seconds) {
  if (!seconds || sessionStorage.getItem(SHIFT) === body.dataset.user) return;
  setTimeout(() => {
    sessionStorage.setItem(SHIFT, body.dataset.user);
    document.getElementById("shift").showModal();
  }, Math.min(Math.max(seconds - 2 * WARNING, 0) * 1000, LATEST));
}

// This request counts as use of the session.
function stay() {
  usedAt = Date.now();
  fetch(body.dataset.stay, { headers: { "HX-Request": "true" }, redirect: "manual" }).catch(() => null);
  watch(Number(body.dataset.idle));
}

// Drafts. They live in this tab, until the task is carried out or somebody logs out.
function readDraft() {
  return JSON.parse(sessionStorage.getItem(DRAFT) || "null");
}

function keep(form, isSent) {
  const fields = [...form.elements].filter((each) => each.name && !["password", "hidden", "submit"].includes(each.type));
  const typed = Object.fromEntries(fields.map((each) => [each.name, each.value]));
  const draft = { user: body.dataset.user, action: form.action, typed, command: form.elements.command_id?.value, isSent };
  sessionStorage.setItem(DRAFT, JSON.stringify(draft));
}

async function bringBack(draft) {
  const form = [...document.querySelectorAll("form.task")].find((each) => each.action === draft.action);
  if (!form) return;
  sessionStorage.removeItem(DRAFT);
  for (const [name, value] of Object.entries(draft.typed)) {
    if (form.elements[name] && !form.elements[name].value) form.elements[name].value = value;
  }
  [...form.querySelectorAll("input:not([type=hidden])")].find((each) => !each.value)?.focus();
  const notice = document.getElementById("draft");
  if (draft.isSent && draft.command) {
    const receipt = "/receipts/" + draft.command + "/";
    const answer = await fetch(body.dataset.receipts.replace("/receipts/", receipt)).catch(() => null);
    notice.querySelector(answer && answer.ok ? "[data-done]" : "[data-not-done]").hidden = false;
  }
  notice.hidden = false;
}

document.addEventListener("DOMContentLoaded", () => {
  if (!body.dataset.user) {
    sessionStorage.removeItem(SHIFT);
    const draft = readDraft();
    if (draft) sessionStorage.setItem(DRAFT, JSON.stringify({ ...draft, isOver: true }));
    return;
  }
  watch(Number(body.dataset.idle));
  watchShift(Number(body.dataset.shift));
  const draft = readDraft();
  if (draft && draft.user !== body.dataset.user) sessionStorage.removeItem(DRAFT);
  else if (draft?.isOver) bringBack(draft);
  else sessionStorage.removeItem(DRAFT);

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form.task");
    if (form) keep(form, false);
    if (Date.now() - usedAt > USED_EVERY * 1000) stay();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form.task")) keep(event.target, true);
    else if (event.target.matches(".who")) sessionStorage.removeItem(DRAFT);
  }, true);
  document.addEventListener("htmx:afterRequest", () => watch(Number(body.dataset.idle)));
  document.getElementById("ending").addEventListener("close", stay);
});
