// What a person sees and points at, for the browser tests.
window.eyes = (() => {
  const visible = (e) => {
    if (!e.isConnected) return false;
    const r = e.getBoundingClientRect();
    if (r.width === 0 || r.height === 0) return false;
    return e.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  };
  const squeeze = (s) => (s || "").replace(/\s+/g, " ").trim();
  const name = (e) => {
    const by = e.getAttribute("aria-labelledby");
    return squeeze(e.getAttribute("aria-label") || (by && by.split(" ").map((i) => (document.getElementById(i) || {}).textContent).join(" ")) ||
      e.innerText || e.textContent || e.getAttribute("title"));
  };
  // The topmost open dialog is all that a person can reach.
  const world = () => {
    const open = [...document.querySelectorAll("dialog[open]")].filter(visible);
    return open.length ? open[open.length - 1] : document.body;
  };
  const pressable = "button, a[href], [role=tab], [role=menuitem], [role=menuitemradio], [role=option], summary, [role=button], [role=radio]";
  const find = (root, wanted) => {
    const all = [...root.querySelectorAll(pressable)].filter((e) => visible(e) && !e.disabled && e.getAttribute("aria-disabled") !== "true");
    return all.find((e) => name(e) === wanted) || all.find((e) => name(e).startsWith(wanted + " "));
  };
  const place = (e) => {
    if (!e) return false;
    e.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const r = e.getBoundingClientRect();
    const x = r.x + r.width / 2, y = r.y + r.height / 2;
    const top = document.elementFromPoint(x, y);
    if (!top || !(e === top || e.contains(top) || top.contains(e))) return false;
    return x + "," + y;
  };
  const field = (label) => {
    for (const l of world().querySelectorAll("label, legend")) {
      const text = squeeze(l.innerText);
      if (text !== label && !text.startsWith(label + " ") && !text.startsWith(label + "\n")) continue;
      const f = l.htmlFor ? document.getElementById(l.htmlFor) : l.querySelector("input, textarea, select");
      if (f) return f;
    }
    return [...world().querySelectorAll("input, textarea, select")].find((f) => name(f) === label || f.placeholder === label);
  };
  const set = (f, property, value) => {
    const proto = Object.getPrototypeOf(f);
    Object.getOwnPropertyDescriptor(proto, property).set.call(f, value);
    f.dispatchEvent(new Event("input", { bubbles: true }));
    f.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const shown = () => squeeze(document.body.innerText);
  return {
    see: (text) => shown().includes(text),
    // What is under way hides its words, so it is not gone yet.
    gone: (text) => !document.querySelector(".is-busy") && !shown().includes(text),
    place: (wanted) => place(find(world(), wanted)),
    focus: (label) => {
      const f = field(label);
      if (!f || !visible(f) || f.disabled || f.readOnly) return false;
      f.scrollIntoView({ block: "center", behavior: "instant" });
      f.focus();
      if (f.select) f.select();
      return document.activeElement === f;
    },
    focused: (label) => document.activeElement === field(label),
    dialog: () => world() !== document.body,
    choose: (label, option) => {
      const f = field(label);
      if (!f) return false;
      const o = [...f.options].find((o) => squeeze(o.text) === option || o.value === option);
      if (!o) return false;
      set(f, "value", o.value);
      return true;
    },
    tick: (label, on) => {
      const f = field(label);
      if (!f || f.disabled) return false;
      if (f.checked !== on) f.click();
      return f.checked === on;
    },
    at: (path) => location.pathname === path || new RegExp("^" + path + "$").test(location.pathname),
    text: (selector) => { const e = document.querySelector(selector); return e && visible(e) ? squeeze(e.innerText) : false; },
    value: (label) => { const f = field(label); return f ? f.value : null; },
    heading: () => { const h = document.querySelector("h1"); return h && visible(h) ? squeeze(h.innerText) : false; },
    secret: () => {
      const m = world().innerText.match(/gtk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}/);
      if (m) return m[0];
      for (const f of world().querySelectorAll("input, textarea, code")) {
        const v = (f.value || f.textContent || "").match(/gtk_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}/);
        if (v) return v[0];
      }
      return false;
    },
    everything: () => [
      document.documentElement.outerHTML,
      ...[...document.querySelectorAll("input, textarea")].map((f) => f.value),
      location.href, JSON.stringify(history.state), JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie,
    ].join("\n"),
    settled: () => document.getAnimations().filter((a) => a.playState === "running").length === 0 && document.querySelectorAll(".skeleton, [aria-busy=true]").length === 0 && document.fonts.status === "loaded",
    overflow: () => document.documentElement.scrollWidth > window.innerWidth ? "wide: " + document.documentElement.scrollWidth : "fits",
  };
})();
document.addEventListener("securitypolicyviolation", (e) => console.error("content security policy: " + e.violatedDirective + " " + e.blockedURI));
