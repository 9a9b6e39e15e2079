// An open page asks every 2.3 seconds whether what it shows has changed, and takes the changes over in place: only in
// regions marked `data-live`, never in forms. Focus, scroll and what is typed stay. A hidden page does not ask.
const EVERY = 2300, PATIENCE = 8000, SILENCE = 30000; // milliseconds
const live = document.getElementById("live");
let asking, silence, tag, asOf, isPaused = false, isLeaving = false, failures = 0;

function askSoon(wait = EVERY * (0.9 + Math.random() / 10)) {
  clearTimeout(asking);
  if (!isPaused && document.visibilityState === "visible") asking = setTimeout(ask, wait);
}

// This request does not count as use of the session.
async function ask() {
  const here = window.location.href;
  const headers = { "Bank-Poll": "true", "HX-Request": "true", "HX-Current-URL": here, "If-None-Match": tag };
  try {
    const answer = await fetch(here, { headers, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    if (isLeaving) return;
    if (answer.headers.has("HX-Redirect")) window.location.assign(answer.headers.get("HX-Redirect")); // the session has ended
    else if (answer.status === 403) window.location.reload();
    else if (answer.status >= 500) throw new Error(answer.statusText);
    else if (answer.status === 304 || answer.ok) {
      const page = answer.ok ? await answer.text() : "";
      if (here === window.location.href) {
        tag = answer.headers.get("ETag") ?? tag;
        asOf = Date.parse(answer.headers.get("Date")) || Date.now();
        if (page) takeOver(new DOMParser().parseFromString(page, "text/html"));
      }
    }
    failures = 0;
  } catch {
    failures += 1;
  }
  show("[data-away]", failures > 1);
  askSoon();
}

function show(what, isShown) {
  const element = live.querySelector(what);
  if (element.hidden !== isShown) return;
  const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: live.querySelector("[data-zone]").dataset.zone };
  for (const time of element.querySelectorAll("time")) {
    time.dateTime = new Date(asOf).toISOString();
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, format).format(asOf);
  }
  element.hidden = !isShown;
}

function takeOver(page) {
  const focused = document.activeElement;
  const anchor = focused.closest("[data-live]") ? focused : document.elementFromPoint(window.innerWidth / 2, 1);
  const top = anchor?.getBoundingClientRect().top;
  const changed = [];
  for (const region of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(region.id);
    if (!now) continue;
    const before = changed.length;
    morph(region, now, changed);
    if (changed.length === before) continue;
    htmx.process(region);
    if (region.contains(focused) || focused.isConnected) continue;
    (region.querySelector("[tabindex]") ?? region).focus({ preventScroll: true });
  }
  if (!changed.length) return;
  if (anchor?.isConnected && (anchor === focused || window.scrollY)) window.scrollBy(0, anchor.getBoundingClientRect().top - top);
  document.dispatchEvent(new Event("bank:changed"));
  if (!window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    for (const each of changed) each.animate({ backgroundColor: ["var(--warn-wash)", "transparent"] }, 2000);
  }
  // Said once. What changes within the next half minute is shown and not said.
  live.querySelector("[data-changed] span").textContent = document.querySelector("[data-said]")?.textContent ?? "";
  show("[data-changed]", true);
  clearTimeout(silence);
  silence = setTimeout(() => show("[data-changed]", false), SILENCE);
}

// Makes an element equal to another one, and keeps the nodes that are equal already. Collects the changed elements.
function morph(old, now, changed) {
  if (old.isEqualNode(now) || old.matches("form, dialog")) return;
  for (const { name, value } of [...now.attributes]) if (name !== "autofocus" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  if ([...old.childNodes, ...now.childNodes].some((each) => each.nodeType === Node.TEXT_NODE && each.data.trim())) {
    if (old.textContent !== now.textContent || !old.isEqualNode(now)) {
      old.replaceChildren(...document.importNode(now, true).childNodes);
      changed.push(old);
    }
    return;
  }
  const wanted = [...now.children];
  let at = old.firstElementChild;
  wanted.forEach((each, number) => {
    const same = [...old.children].slice(at ? [...old.children].indexOf(at) : old.children.length).find((other) => other.isEqualNode(each));
    if (same) {
      while (at !== same) at = removed(at);
      at = at.nextElementSibling;
    } else if (at && at.nodeName === each.nodeName && !wanted.slice(number).some((later) => later.isEqualNode(at))) {
      morph(at, each, changed);
      at = at.nextElementSibling;
    } else {
      const added = document.importNode(each, true);
      old.insertBefore(added, at);
      changed.push(added);
    }
  });
  while (at) at = removed(at);
}

function removed(element) {
  const next = element.nextElementSibling;
  element.remove();
  return next;
}

if (live) {
  tag = live.dataset.tag;
  asOf = Number(live.dataset.at) * 1000;
  const button = live.querySelector("[data-pause]");
  button.hidden = false;
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", String(isPaused));
    show("[data-paused]", isPaused);
    askSoon(0);
  });
  // Whoever logs out goes to the page after it, even if an answer tells at that moment that the session has ended.
  document.addEventListener("submit", (event) => { isLeaving ||= event.target.matches(".who"); });
  document.addEventListener("visibilitychange", () => askSoon(0));
  window.addEventListener("online", () => askSoon(0));
  askSoon();
}
