// The network from top to bottom; what branches lies side by side, what skips layers bends around them.
(() => {
  const NODE = {width: 210, height: 40, gapX: 26, gapY: 26}, MARGIN = 60;
  const {nodes, edges} = DATA.graph;
  const lanes = Math.max(1, ...nodes.map(node => node.lane + 1)), levels = Math.max(...nodes.map(node => node.level)) + 1;
  const widest = lanes * (NODE.width + NODE.gapX) + 2 * MARGIN, tall = levels * (NODE.height + NODE.gapY);
  const count = new Map();
  nodes.forEach(node => count.set(node.level, (count.get(node.level) || 0) + 1));
  const left = node => widest / 2 + (node.lane - count.get(node.level) / 2) * (NODE.width + NODE.gapX) + NODE.gapX / 2;
  const top = node => node.level * (NODE.height + NODE.gapY) + 4;
  const space = "http://www.w3.org/2000/svg";
  function add(parent, kind, attributes, text) {
    const element = document.createElementNS(space, kind);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("width", widest); svg.setAttribute("height", tall); svg.setAttribute("viewBox", `0 0 ${widest} ${tall}`);
  const marker = add(add(svg, "defs", {}), "marker", {id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto"});
  add(marker, "path", {d: "M0 0 8 4 0 8z"});
  for (const [from, to] of edges) {
    const one = nodes[from], two = nodes[to];
    const x1 = left(one) + NODE.width / 2, y1 = top(one) + NODE.height, x2 = left(two) + NODE.width / 2, y2 = top(two);
    if (two.level - one.level === 1) {
      add(svg, "path", {d: `M${x1} ${y1}C${x1} ${y1 + NODE.gapY / 2} ${x2} ${y2 - NODE.gapY / 2} ${x2} ${y2}`, "marker-end": "url(#arrow)"});
    } else {  // around what lies between, on the right
      const side = Math.max(left(one), left(two)) + NODE.width + 22, ya = y1 - NODE.height / 2, yb = y2 + NODE.height / 2;
      add(svg, "path", {d: `M${left(one) + NODE.width} ${ya}C${side + 14} ${ya} ${side} ${ya + 20} ${side} ${ya + 40}L${side} ${yb - 40}` +
        `C${side} ${yb - 20} ${side + 14} ${yb} ${left(two) + NODE.width} ${yb}`, "marker-end": "url(#arrow)"});
    }
  }
  for (const node of nodes) {
    const group = add(svg, "g", {});
    add(group, "title", {}, `${node.name}\n${node.op}\n${shape(node.shape)}`);
    add(group, "rect", {x: left(node), y: top(node), width: NODE.width, height: NODE.height, rx: 6, class: node.op === "input" || node.output ? "end" : ""});
    const middle = left(node) + NODE.width / 2;
    const name = node.name.length > 32 ? "…" + node.name.slice(-31) : node.name;
    add(group, "text", {x: middle, y: top(node) + 17, "text-anchor": "middle"}, name);
    add(group, "text", {x: middle, y: top(node) + 32, "text-anchor": "middle", class: "soft"}, `${node.op} → ${shape(node.shape)}`);
  }
  byId("graph").append(svg);
  byId("graph").scrollLeft = (widest - byId("graph").clientWidth) / 2;
})();
