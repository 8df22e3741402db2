// boot.js runs before the program does: it applies the theme, fetches and starts
// the WebAssembly, and offers the few things that Go cannot do by itself. It is
// the same file in every deployment; what differs is in <meta name="gatehouse-config">.
"use strict";

const config = JSON.parse(document.querySelector('meta[name="gatehouse-config"]').content);

// The theme is the only thing that is ever stored in the browser. This script is
// not deferred, so that the first paint has the right colours.
function gatehouseTheme(name) {
  if (name) {
    try {
      localStorage.setItem("theme", name);
    } catch {} // storage may be switched off; the theme then lasts for this page
    document.documentElement.dataset.theme = name;
  }
  return document.documentElement.dataset.theme;
}
try {
  const stored = localStorage.getItem("theme");
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
} catch {}

// What go-app asks of its page.
var goappNav = () => {}, goappOnUpdate = () => {}, goappOnAppInstallChange = () => {};
function goappGetenv(key) {
  return key === "GOAPP_VERSION" ? config.version : "";
}

// go-app navigates on every click on a link, even with Shift, target=_blank or a
// cancelled event. It listens on window, so what is the browser's stops here.
document.addEventListener("click", (e) => {
  const a = e.target.closest?.("a");
  if (!a) return;
  const native = a.target === "_blank" || a.hasAttribute("data-native") || a.origin !== location.origin;
  if (e.defaultPrevented || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey || native) e.stopPropagation();
});

// Between a key and the drawing of what it changed the next key may come. What
// the program then writes into the field is what was there before that key, and
// would take it away: it is not written.
const latelyTyped = new WeakMap(); // field → {texts, timer}
addEventListener("input", (e) => {
  const field = e.target;
  if (!("value" in field)) return;
  const typed = latelyTyped.get(field) ?? { texts: new Set() };
  typed.texts.add(field.value);
  clearTimeout(typed.timer);
  typed.timer = setTimeout(() => latelyTyped.delete(field), 500);
  latelyTyped.set(field, typed);
}, true);
for (const kind of [HTMLInputElement, HTMLTextAreaElement]) {
  const value = Object.getOwnPropertyDescriptor(kind.prototype, "value");
  Object.defineProperty(kind.prototype, "value", {
    ...value,
    set(text) {
      const stale = document.activeElement === this && latelyTyped.get(this)?.texts.has(text);
      if (!stale) value.set.call(this, text);
    },
  });
}

// Going back restores the scroll position; the program asks before it scrolls up.
let popped = false;
let guard = null; // {here, ask}: asked instead of going back or following a link
addEventListener("popstate", (e) => {
  if (!guard) {
    popped = true;
    return;
  }
  e.stopImmediatePropagation(); // this listener is older than go-app's
  history.pushState(null, "", guard.here);
  guard.ask();
});
addEventListener("click", (e) => {
  const link = guard && e.target.closest?.('a[href]:not([href^="#"], [target], [download])');
  if (!link || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  e.stopImmediatePropagation();
  guard.ask();
}, true);
function gatehouseGuardBack(ask) {
  guard = ask ? { here: location.href, ask } : null;
}
function gatehousePopped() {
  const was = popped;
  popped = false;
  return was;
}

// headerLines writes the headers of an answer, name:value. The program reads JSON slowly
// as long as it has not read any.
function headerLines(headers) {
  return Array.from(headers, ([name, value]) => name + ":" + value).join("\n");
}

// gatehouseFetch always resolves: with {status, headers, body}, or with status 0
// and error "network", "timeout" or "aborted". handle.abort() gives up.
async function gatehouseFetch(method, url, headers, body, timeout, handle) {
  if (method === "GET" && url === "/portal/v1/session" && early) {
    const answer = early;
    early = null;
    return answer;
  }
  const controller = new AbortController();
  let error = "network";
  const stop = (why) => { error = why; controller.abort(); };
  if (handle) handle.abort = () => stop("aborted");
  const timer = setTimeout(() => stop("timeout"), timeout || 30000);
  try {
    const r = await fetch(url, {
      method, headers, body: body ?? undefined,
      credentials: "same-origin", cache: "no-store", redirect: "error", signal: controller.signal,
    });
    return { status: r.status, headers: headerLines(r.headers), body: await r.text(), error: "" };
  } catch (e) {
    return { status: 0, headers: "", body: "", error };
  } finally {
    clearTimeout(timer);
  }
}

// gatehouseSave saves the answer to a GET as a file, which has lines of JSON, and
// says meanwhile how many lines and bytes have come. It always resolves as
// gatehouseFetch does, but without a body, and with error "cut" if not all of it
// came: nothing is saved then.
async function gatehouseSave(url, headers, handle, tell) {
  const controller = new AbortController();
  let error = "network", timer;
  handle.abort = () => { error = "aborted"; controller.abort(); };
  const stalled = (why) => {
    clearTimeout(timer);
    timer = setTimeout(() => { error = why; controller.abort(); }, 30000);
  };
  try {
    stalled("timeout");
    const r = await fetch(url, { headers, credentials: "same-origin", cache: "no-store", redirect: "error", signal: controller.signal });
    const answer = { status: r.status, headers: headerLines(r.headers), body: "", error: "" };
    if (!r.ok) return { ...answer, body: await r.text() };
    error = "cut";
    const parts = [], reader = r.body.getReader();
    let lines = 0, bytes = 0, told = 0;
    for (;;) {
      stalled("cut");
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      bytes += value.byteLength;
      for (let at = value.indexOf(10); at >= 0; at = value.indexOf(10, at + 1)) lines++;
      if (performance.now() - told > 200) {
        told = performance.now();
        tell(lines, bytes);
      }
    }
    const file = new Blob(parts, { type: r.headers.get("content-type") ?? "" });
    // A server that cannot go on says so in its last line.
    const last = await file.slice(-300).text();
    const broken = last.slice(last.lastIndexOf("\n", last.length - 2) + 1).startsWith('{"error":');
    tell(lines - (broken ? 1 : 0), bytes);
    if (broken || (bytes && !last.endsWith("\n"))) return { status: 0, headers: "", body: "", error: "cut" };
    const [, name] = /filename="([^"]+)"/.exec(r.headers.get("content-disposition") ?? "") ?? [];
    saveFile(name ?? "export.ndjson", file);
    return answer;
  } catch (e) {
    return { status: 0, headers: "", body: "", error };
  } finally {
    clearTimeout(timer);
  }
}

// Who is signed in is asked while the program is still on its way.
let early = null;
if (config.session) early = gatehouseFetch("GET", "/portal/v1/session", { Accept: "application/json" });

const loading = {};
function gatehouseLoad(name) {
  return (loading[name] ??= new Promise((resolve, reject) => {
    if (config[name + "_css"]) {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = config[name + "_css"];
      document.head.append(link);
    }
    const script = document.createElement("script");
    script.src = config[name + "_js"];
    script.onload = () => resolve(true);
    script.onerror = () => { delete loading[name]; script.remove(); reject(new Error(name)); };
    document.head.append(script);
  })).catch(() => false);
}

async function gatehouseCopy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https, or without permission, the old way.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function gatehouseDownload(name, type, text) {
  saveFile(name, new Blob([text], { type }));
}
function saveFile(name, blob) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  URL.revokeObjectURL(a.href);
}

// Dates in the reader's zone, numbers and dates in the reader's language.
const formats = {
  date: { year: "numeric", month: "short", day: "numeric" },
  long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  day: { month: "short", day: "numeric" },
  // Sums of a day are those of a day in UTC, wherever the reader is.
  "utc-date": { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" },
  "utc-day": { month: "short", day: "numeric", timeZone: "UTC" },
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  minute: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  stamp: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  second: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const formatters = {};
function gatehouseDate(ms, style) {
  return (formatters[style] ??= new Intl.DateTimeFormat(undefined, formats[style])).format(ms);
}
function gatehouseNumber(n, digits) {
  return (formatters["n" + digits] ??= new Intl.NumberFormat(undefined, { maximumFractionDigits: digits })).format(n);
}

function gatehousePercent(share) {
  return (formatters.percent ??= new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 })).format(share);
}

// prepareFormats makes what a page is likely to need of them, while the browser has
// nothing else to do: each takes it milliseconds, and a page needs several at once.
function prepareFormats() {
  const idle = globalThis.requestIdleCallback ?? setTimeout;
  const make = [...["second", "stamp", "day", "utc-day", "date"].map((style) => () => gatehouseDate(0, style)), () => gatehouseNumber(1000, 0), () => gatehousePercent(0)];
  const next = () => {
    make.shift()?.();
    if (make.length) idle(next);
  };
  idle(next);
}

// gatehouseNormalize saves the program a table of Unicode.
function gatehouseNormalize(text) {
  return text.normalize("NFKC");
}

// gatehouseFocus returns whether there was something to focus.
function gatehouseFocus(selector) {
  const el = document.querySelector(selector);
  el?.focus({ preventScroll: el.id === "main" });
  return el !== null && document.activeElement === el;
}

// A modal gives the focus back to what had it before.
const openers = new Map();
function gatehouseModal(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  openers.set(id, openers.get(id) ?? document.activeElement);
  dialog.showModal();
  (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input,select,textarea,button:not(.dialog-close)"))?.focus();
}
function gatehouseModalGone(id) {
  const opener = openers.get(id);
  openers.delete(id);
  if (opener?.isConnected) opener.focus();
}

// What the program writes before it ends: a panic, and where.
let said = "";
function listen(files) {
  const write = files.writeSync;
  const text = new TextDecoder();
  files.writeSync = (fd, bytes) => {
    if (said.length < 2000) said += text.decode(bytes, { stream: true });
    return write.call(files, fd, bytes);
  };
}

// reportCrash tells the server, which writes one line of its log. Whether it
// could is nobody's concern here.
function reportCrash(detail) {
  fetch("/portal/v1/crash-reports", {
    method: "POST", credentials: "same-origin", keepalive: true, headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ version: config.version ?? "", path: location.pathname.slice(0, 300), detail: (detail + "\n" + said).trim().slice(0, 1900) }),
  }).catch(() => {});
}

function gatehouseCrash(detail) {
  if (document.querySelector(".crash")) return;
  reportCrash(detail || "");
  const box = document.createElement("div");
  box.className = "crash";
  box.setAttribute("role", "alertdialog");
  box.setAttribute("aria-modal", "true");
  box.setAttribute("aria-labelledby", "crash-title");
  const card = document.createElement("div");
  card.className = "crash-card";
  const title = document.createElement("h2");
  title.id = "crash-title";
  title.textContent = "The page stopped working";
  const text = document.createElement("p");
  text.textContent = "What the server had confirmed is kept; what was being typed here is not. Reload to carry on.";
  const reload = document.createElement("button");
  reload.className = "button is-primary";
  reload.textContent = "Reload";
  reload.onclick = () => location.reload();
  card.append(title, text, reload);
  if (detail) {
    const more = document.createElement("pre");
    more.textContent = detail;
    card.append(more);
  }
  box.append(card);
  document.body.append(box);
  reload.focus();
}

// Download of the program, with real bytes.
async function progress(response) {
  const bar = document.getElementById("boot-progress");
  const reader = response.body.getReader();
  let got = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    got += value.byteLength;
    const share = Math.min(100, Math.round((100 * got) / config.wasm_bytes));
    bar.setAttribute("aria-valuenow", share);
    bar.firstElementChild.style.setProperty("inline-size", share + "%");
  }
}

// gatehousePause lets the browser draw, and do what else waits: what is done at
// once is felt by who types or scrolls meanwhile.
function gatehousePause() {
  return new Promise((resume) => setTimeout(resume));
}
function gatehouseConfig() {
  return config;
}

async function start() {
  try {
    const go = new Go();
    listen(globalThis.fs);
    go.exit = (code) => gatehouseCrash(code ? "The program ended with status " + code + "." : "");
    const response = await fetch(config.wasm, { credentials: "same-origin" });
    if (!response.ok) throw new Error("the program could not be fetched (status " + response.status + ")");
    progress(response.clone()).catch(() => {});
    if (config.session) prepareFormats();
    const program = await WebAssembly.instantiateStreaming(response, go.importObject);
    await gatehousePause();
    await go.run(program.instance);
  } catch (e) {
    gatehouseCrash(String(e.message ?? e));
  }
}
addEventListener("DOMContentLoaded", start);
