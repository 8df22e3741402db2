// chart.js draws a series with uPlot; the build joins it to uPlot, and both are
// fetched when the first chart is shown. Numbers come ready from the server.
"use strict";

// gatehouseChart draws spec into el and returns {set(spec), destroy()}. The spec
// is JSON: {kind: "bars"|"lines", step: seconds, unit, times: [seconds],
// series: [{label, color: "--chart-1", values: [number|null]}]}. Bars are stacked.
function gatehouseChart(el, json) {
  let spec = JSON.parse(json);
  let plot;
  const probe = document.createElement("span");
  probe.hidden = true;
  el.append(probe);
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.hidden = true;

  const color = (name) => {
    probe.style.setProperty("color", "var(" + name + ")");
    return getComputedStyle(probe).color;
  };
  const stacked = () => spec.kind === "bars";

  // Stacked bars are drawn from the highest sum down, each over the last.
  function data() {
    if (!stacked()) return [spec.times, ...spec.series.map((s) => s.values)];
    const sums = [];
    let below = spec.times.map(() => 0);
    for (const s of spec.series) {
      below = below.map((v, i) => v + (s.values[i] ?? 0));
      sums.push(below);
    }
    return [spec.times, ...sums.reverse()];
  }

  // What is shown depends on the times alone: uPlot asks again with its own last
  // answer when it draws anew, as after a change of the theme.
  const range = () => {
    const margin = stacked() ? spec.step / 2 : 0;
    return [spec.times[0] - margin, spec.times.at(-1) + margin];
  };

  function options() {
    const order = stacked() ? [...spec.series].reverse() : spec.series;
    const axis = { stroke: () => color("--text-muted"), font: "12px Inter, sans-serif", ticks: { show: false }, border: { show: false } };
    return {
      ...(spec.step < 86400 ? {} : { tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "UTC") }),
      width: el.clientWidth, height: el.clientHeight, legend: { show: false },
      padding: [8, 28, 0, 0], // half of the last time, which stands under the very edge
      cursor: { y: false, points: { show: !stacked() }, drag: { x: false, y: false } },
      scales: { x: { time: true, range }, y: { range: (_, lo, hi) => [0, hi > 0 ? hi * 1.1 : 1] } },
      axes: [
        {
          ...axis, grid: { show: false }, space: 64, size: 28,
          // No finer than the steps, so that no day stands there twice.
          incrs: [3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 345600, 604800, 1209600, 2592000].filter((n) => n >= spec.step),
          values: (_, splits) => splits.map((t) => (t < spec.times[0] || t > spec.times.at(-1) ? "" : spec.step < 86400 ? new Date(t * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : gatehouseDate(t * 1000, "utc-day"))),
        },
        {
          ...axis, grid: { stroke: () => color("--border"), width: 1 }, size: spec.unit ? 64 : 52,
          incrs: spec.unit === "ms" ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8],
          values: (_, splits) => splits.map((v) => new Intl.NumberFormat(undefined, { notation: "compact" }).format(v) + (spec.unit ? " " + spec.unit : "")),
        },
      ],
      series: [{}, ...order.map((s) => ({
        label: s.label, width: stacked() ? 0 : 1.5, spanGaps: false, points: { show: false },
        stroke: () => color(s.color), fill: stacked() ? () => color(s.color) : undefined,
        paths: stacked() ? uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 }) : undefined,
      }))],
      hooks: {
        ready: [(u) => u.over.append(tip)],
        setCursor: [(u) => {
          const i = u.cursor.idx;
          tip.hidden = i == null || u.cursor.left < 0;
          if (tip.hidden) return;
          const head = document.createElement("b");
          head.textContent = gatehouseDate(spec.times[i] * 1000, spec.step < 86400 ? "minute" : "utc-date");
          tip.replaceChildren(head);
          for (const s of spec.series) {
            const line = document.createElement("span");
            line.textContent = s.label + ": " + (s.values[i] == null ? "–" : gatehouseNumber(s.values[i], 1) + (spec.unit ? " " + spec.unit : ""));
            tip.append(line);
          }
          const right = u.cursor.left > u.over.clientWidth / 2;
          tip.style.setProperty("inset-inline-start", right ? "auto" : u.cursor.left + 12 + "px");
          tip.style.setProperty("inset-inline-end", right ? u.over.clientWidth - u.cursor.left + 12 + "px" : "auto");
        }],
      },
    };
  }

  function draw() {
    plot?.destroy();
    plot = new uPlot(options(), data(), el);
  }
  draw();
  const sizes = new ResizeObserver(() => plot.setSize({ width: el.clientWidth, height: el.clientHeight }));
  sizes.observe(el);
  const redraw = () => plot.redraw();
  const themes = new MutationObserver(redraw);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  return {
    set(next) { spec = JSON.parse(next); draw(); },
    destroy() {
      sizes.disconnect();
      themes.disconnect();
      dark.removeEventListener("change", redraw);
      plot.destroy();
      el.replaceChildren();
    },
  };
}
