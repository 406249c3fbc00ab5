// The memory map: a canvas, for a streamed network has thousands of boxes.
const canvas = byId("map"), pen = canvas.getContext("2d"), tip = byId("tip");
const EDGE = {left: 66, bottom: 24, top: 14, right: 10};
let panel = DATA.panels[0], view, pointed = null, at = null, pointers = new Map(), pinch = 0;

const columns = () => panel.layers.length + 1;
const top_ = () => Math.max(panel.size, panel.bound) * 1.02;
const width = () => canvas.clientWidth - EDGE.left - EDGE.right, height = () => canvas.clientHeight - EDGE.top - EDGE.bottom;
const x = column => EDGE.left + (column - view.x0) / (view.x1 - view.x0) * width();
const y = address => EDGE.top + (view.y1 - address) / (view.y1 - view.y0) * height();
const columnAt = px => view.x0 + (px - EDGE.left) / width() * (view.x1 - view.x0);
const addressAt = py => view.y1 - (py - EDGE.top) / height() * (view.y1 - view.y0);
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const hue = index => DATA.colours[index % DATA.colours.length];

function whole() { view = {x0: 0, x1: columns(), y0: 0, y1: top_()}; }

function steps(most, count) {  // 1, 2 or 5 times a power of ten
  const raw = most / count, power = 10 ** Math.floor(Math.log10(raw));
  return Math.max(1, [1, 2, 5, 10].find(m => m * power >= raw) * power);
}

function shortened(text, room) { return text.length <= room ? text : "…" + text.slice(text.length - room + 1); }
const columnName = column => column < 1 ? "before the first layer" : column + ": " + panel.layers[column - 1];

// The colour goes with the blob, so that its rows and its place in the other maps are alike.
const hues = new Map();
function hueOf(box) {
  const name = box.names[0].split(", row")[0];
  if (!hues.has(name)) hues.set(name, hues.size);
  return hue(hues.get(name));
}
for (const each of DATA.panels) each.boxes.forEach(hueOf);

function draw() {
  const scale = devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale; canvas.height = canvas.clientHeight * scale;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = colour("--soft"); pen.strokeStyle = colour("--line"); pen.lineWidth = 1; pen.textBaseline = "middle"; pen.textAlign = "right";
  const every = steps(view.y1 - view.y0, 6);
  for (let a = Math.ceil(view.y0 / every) * every; a <= view.y1; a += every) {
    pen.beginPath(); pen.moveTo(EDGE.left, y(a)); pen.lineTo(EDGE.left + width(), y(a)); pen.stroke();
    pen.fillText(bytes(a), EDGE.left - 6, y(a));
  }
  pen.textAlign = "center";
  const apart = steps(view.x1 - view.x0, Math.max(1, width() / 45));
  for (let c = Math.ceil(view.x0 / apart) * apart; c < view.x1; c += apart) {
    const where = x(c + .5);
    if (where < EDGE.left || where > EDGE.left + width()) continue;
    pen.fillText(c < 1 ? "start" : c, where, EDGE.top + height() + 13);
  }
  pen.save();
  pen.beginPath(); pen.rect(EDGE.left, EDGE.top, width(), height()); pen.clip();
  const many = panel.boxes.length > 300;
  for (const box of panel.boxes) {
    const left = x(box.first + 1), right = x(box.last + 2), high = y(box.offset + box.nbytes), low = y(box.offset);
    if (right < EDGE.left || left > EDGE.left + width() || low < EDGE.top || high > EDGE.top + height()) continue;
    pen.globalAlpha = pointed && pointed.names[0] !== box.names[0] ? .35 : 1;
    pen.fillStyle = hueOf(box);
    pen.fillRect(left, high, Math.max(1, right - left), Math.max(1, low - high));
    pen.strokeStyle = pointed === box ? colour("--ink") : colour("--back");
    pen.lineWidth = pointed === box ? 2 : many ? .4 : 1;
    pen.strokeRect(left, high, Math.max(1, right - left), Math.max(1, low - high));
    const inside = Math.min(right, EDGE.left + width()) - Math.max(left, EDGE.left), room = Math.floor((inside - 6) / 6.2);
    if (low - high > 13 && room > 2) {
      pen.fillStyle = "#22303c";
      pen.fillText(shortened(box.label, room), Math.max(left, EDGE.left) + inside / 2, (Math.max(high, EDGE.top) + Math.min(low, EDGE.top + height())) / 2);
    }
  }
  pen.globalAlpha = 1;
  pen.strokeStyle = pen.fillStyle = colour("--bad"); pen.lineWidth = 1.5; pen.setLineDash([6, 4]);
  pen.beginPath(); pen.moveTo(EDGE.left, y(panel.bound)); pen.lineTo(EDGE.left + width(), y(panel.bound)); pen.stroke(); pen.setLineDash([]);
  const label = panel.bound_name + " " + bytes(panel.bound), wide = pen.measureText(label).width;
  pen.globalAlpha = .85; pen.fillStyle = colour("--back"); pen.fillRect(EDGE.left + 4, y(panel.bound) + 3, wide + 6, 15);
  pen.globalAlpha = 1; pen.fillStyle = colour("--bad"); pen.textAlign = "left"; pen.fillText(label, EDGE.left + 7, y(panel.bound) + 11);
  if (at !== null) {
    pen.strokeStyle = colour("--ink"); pen.globalAlpha = .5; pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(x(at + .5), EDGE.top); pen.lineTo(x(at + .5), EDGE.top + height()); pen.stroke(); pen.globalAlpha = 1;
  }
  pen.restore();
}

function point(px, py, clientX, clientY) {
  const column = Math.floor(columnAt(px)), address = addressAt(py);
  const inside = px > EDGE.left && column >= 0 && column < columns() && py > EDGE.top && py < EDGE.top + height();
  at = inside ? column : null;
  pointed = inside ? panel.boxes.find(b => b.first + 1 <= column && column <= b.last + 1 && b.offset <= address && address < b.offset + b.nbytes) || null : null;
  tip.style.visibility = inside ? "visible" : "hidden";
  if (inside) {
    const used = panel.boxes.filter(b => b.first + 1 <= column && column <= b.last + 1).reduce((sum, b) => sum + b.nbytes, 0);
    tip.textContent = (pointed ? pointed.names.join(" → ") + "\n" + bytes(pointed.nbytes) + " bytes at " + bytes(pointed.offset) +
      "\nfrom " + columnName(pointed.first + 1) + "\nto " + columnName(pointed.last + 1) + "\n\n" : "") +
      columnName(column) + "\n" + bytes(used) + " of " + bytes(panel.size) + " bytes in use";
    const right = clientX > innerWidth / 2;
    tip.style.left = right ? "auto" : clientX + 14 + "px";
    tip.style.right = right ? innerWidth - clientX + 14 + "px" : "auto";
    tip.style.top = Math.max(8, Math.min(clientY + 14, innerHeight - tip.offsetHeight - 8)) + "px";
  }
  draw();
}

function zoom(factor, px, py) {
  const cx = columnAt(px), cy = addressAt(py);
  const wide = Math.min(columns(), Math.max(2, (view.x1 - view.x0) * factor)), tall = Math.min(top_(), Math.max(64, (view.y1 - view.y0) * factor));
  const fx = (cx - view.x0) / (view.x1 - view.x0), fy = (cy - view.y0) / (view.y1 - view.y0);
  move(cx - fx * wide, wide, cy - fy * tall, tall);
}

function move(x0, wide, y0, tall) {
  x0 = Math.max(0, Math.min(x0, columns() - wide)); y0 = Math.max(0, Math.min(y0, top_() - tall));
  view = {x0, x1: x0 + wide, y0, y1: y0 + tall};
  draw();
}

const place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener("wheel", event => {
  const zoomed = view.x1 - view.x0 < columns();
  if (!zoomed && event.deltaY > 0) return;  // the page scrolls on
  event.preventDefault();
  zoom(event.deltaY < 0 ? .8 : 1.25, ...place(event));
}, {passive: false});
canvas.addEventListener("pointerdown", event => {
  pointers.set(event.pointerId, place(event));
  canvas.setPointerCapture(event.pointerId);
  if (event.pointerType !== "mouse") point(...place(event), event.clientX, event.clientY);
});
canvas.addEventListener("pointermove", event => {
  const [px, py] = place(event), before = pointers.get(event.pointerId);
  if (!before) { point(px, py, event.clientX, event.clientY); return; }
  pointers.set(event.pointerId, [px, py]);
  const [one, two] = [...pointers.values()];
  if (two) {
    const apart = Math.hypot(one[0] - two[0], one[1] - two[1]);
    if (pinch && apart) zoom(pinch / apart, (one[0] + two[0]) / 2, (one[1] + two[1]) / 2);
    pinch = apart;
    return;
  }
  const wide = view.x1 - view.x0, tall = view.y1 - view.y0;
  move(view.x0 - (px - before[0]) / width() * wide, wide, view.y0 + (py - before[1]) / height() * tall, tall);
});
for (const kind of ["pointerup", "pointercancel"])
  canvas.addEventListener(kind, event => { pointers.delete(event.pointerId); pinch = 0; });
canvas.addEventListener("pointerleave", () => { tip.style.visibility = "hidden"; pointed = at = null; draw(); });
canvas.addEventListener("dblclick", () => { whole(); draw(); });
byId("in").onclick = () => zoom(.6, EDGE.left + width() / 2, EDGE.top + height() / 2);
byId("out").onclick = () => zoom(1 / .6, EDGE.left + width() / 2, EDGE.top + height() / 2);
byId("all").onclick = () => { whole(); draw(); };

function show(index) {
  panel = DATA.panels[index]; pointed = at = null; tip.style.visibility = "hidden";
  [...byId("tabs").children].forEach((tab, i) => tab.setAttribute("aria-selected", i === index));
  const runs = panel.title === DATA.runs;
  byId("note").textContent = [runs ? "This is how the file runs." : "", DATA.streamed_note].filter(Boolean).join(" ");
  whole();
  draw();
}

DATA.panels.forEach((each, index) => {
  const tab = make("button", {role: "tab"}, each.title);
  tab.onclick = () => show(index);
  byId("tabs").append(tab);
});
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
// report.html#2 opens the second map.
const asked = Number(location.hash.slice(1)) - 1;
show(DATA.panels[asked] ? asked : Math.max(0, DATA.panels.findIndex(each => each.title === DATA.runs)));
