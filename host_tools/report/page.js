const bytes = n => n.toLocaleString("en");
const byId = name => document.getElementById(name);

function make(kind, attributes = {}, ...inside) {
  const element = document.createElement(kind);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...inside.map(part => part instanceof Node ? part : String(part)));
  return element;
}

function cell(text, kind = "td", look = "") { return make(kind, look ? {class: look} : {}, text); }
const number = (value, kind = "td") => cell(value, kind, "number");
const shape = list => list.length ? list.join(" × ") : "a number";

function header() {
  const told = DATA.told, arena = told.arena;
  document.querySelector("h1").textContent = document.title = DATA.title;
  const blobs = list => list.map(io => `${io.name}: ${shape(io.shape)} ${io.dtype}`).join(", ");
  byId("about").textContent = `takes ${blobs(told.inputs)}; gives ${blobs(told.outputs)}. By nnmicro ${DATA.version}.`;
  const card = (value, what) => byId("cards").append(make("div", {class: "card"}, make("b", {}, value), make("span", {}, what)));
  const proven = arena.size === arena.lower_bound ? "arena, the smallest there can be" : `arena; no smaller than ${bytes(arena.lower_bound)} is possible`;
  card(bytes(arena.size), "bytes of " + (told.streaming ? "arena, row by row" : proven));
  card((arena.lightmode_off / arena.live_peak).toFixed(2) + " ×", "the memory, if every blob were kept");
  card(bytes(told.file_bytes), "bytes of file, " + bytes(told.weights_bytes) + " of them weights");
  card(bytes(told.macs), "multiply-accumulates in " + told.layers + " layers");
  if (told.streaming) card(told.streaming.calls, "kernel calls" + (told.streaming.fed.length ? ", " + told.streaming.fed.join(", ") + " given by rows" : ""));
  card(told.golden || "none", "golden vectors for a self-test");
}

function sizes() {
  const most = Math.max(...DATA.panels.map(panel => panel.size));
  for (const panel of DATA.panels)
    byId("sizes").append(make("span", {}, panel.title), make("i", {style: `width:${100 * panel.size / most}%`}),
                         make("span", {class: "number"}, bytes(panel.size) + " bytes"));
}

function layers() {
  const cost = DATA.cost, noisy = DATA.layers.some(layer => "noise" in layer);
  const value = layer => cost ? layer.cost : layer.macs;
  const sum = Math.max(1, cost ? cost.total : DATA.layers.reduce((total, layer) => total + layer.macs, 0));
  const largest = Math.max(1, ...DATA.layers.map(value));
  byId("costs").textContent = cost
    ? `Measured on ${cost.device}, backend ${cost.backend}: ${bytes(cost.total)} ${cost.unit}` + (cost.per_mac ? `, ${cost.per_mac.toFixed(2)} for each multiply-accumulate.` : ".") +
      (cost.unit === "instructions" ? " Instructions are not cycles." : "")
    : "Cost is in multiply-accumulates; measured on no device. nnmicro bench --json measures, --bench shows it here.";
  byId("noises").textContent = "Quantisation error: " + DATA.noise;
  const head = [number("", "th"), cell("layer", "th"), cell("kind", "th"), cell("gives", "th"), number("MACs", "th")];
  if (cost) head.push(number(cost.unit, "th"), number("per MAC", "th"));
  head.push(cell("share", "th"), number("", "th"));
  if (noisy) head.push(number("signal / noise", "th"));
  byId("layers").append(make("thead", {}, make("tr", {}, ...head)));
  const rows = DATA.layers.map((layer, index) => {
    const name = cell(layer.name, "td", "name");
    name.title = layer.name;
    const row = [number(index + 1), name, cell(layer.op), cell(shape(layer.shape)), number(layer.macs ? bytes(layer.macs) : "")];
    if (cost) row.push(number(bytes(layer.cost)), number(layer.macs ? (layer.cost / layer.macs).toFixed(2) : ""));
    row.push(make("td", {class: "share"}, make("i", {style: `width:${100 * value(layer) / largest}%`})), number(value(layer) ? (100 * value(layer) / sum).toFixed(1) + " %" : ""));
    if (noisy) {
      const db = layer.noise;
      row.push(db === undefined ? number("") : db === null ? number("exact")
        : cell(db.toFixed(1) + " dB", "td", "number " + (db >= 30 ? "good" : db >= 20 ? "fair" : "bad")));
    }
    return make("tr", {}, ...row);
  });
  byId("layers").append(make("tbody", {}, ...rows));
}

function fitting() {
  const head = ["board", "core", "nnmicro's firmware", "needs", "free", "about", "stock firmware", "needs", "free", "about"];
  byId("boards").append(make("thead", {}, make("tr", {}, ...head.map((text, i) => cell(text, "th", [3, 4, 5, 7, 8, 9].includes(i) ? "number" : "")))));
  const cells = verdict => {
    if (!verdict) return [cell("–", "td", "soft"), number(""), number(""), number("")];
    const fits = cell(verdict.fits ? "fits" : "does not fit", "td", verdict.fits ? "good" : "bad");
    fits.title = verdict.fits ? "kernels: " + verdict.backend : verdict.reasons.join("; ");
    const about = verdict.has.estimated.includes("free_heap") ? "~" : "";
    const time = verdict.estimated_ms === null ? "" : "~" + (verdict.estimated_ms >= 10 ? bytes(Math.round(verdict.estimated_ms)) : verdict.estimated_ms.toPrecision(2)) + " ms";
    return [fits, number(bytes(verdict.needs.total)), number(about + bytes(verdict.has.free_heap)), number(time)];
  };
  const rank = told => (told.board === DATA.board ? 0 : told.emulated || told.core === "host" ? 2 : 1);
  const known = DATA.boards.slice().sort((a, b) => rank(a) - rank(b));
  byId("boards").append(make("tbody", {}, ...known.map(told => {
    const row = make("tr", {}, cell(told.name + (told.emulated ? " (emulated)" : "")), cell(told.core), ...cells(told.ours), ...cells(told.stock));
    if (told.board === DATA.board) row.className = "chosen";
    return row;
  })));
}

header();
sizes();
layers();
fitting();
