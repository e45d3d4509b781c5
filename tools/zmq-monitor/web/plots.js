// Plots of the last five minutes, one line a node.
const SPAN_MS = 300_000;

class Plot {
  constructor(into, {title, unit, of, total}) {
    this.of = of;
    this.unit = unit;
    this.total = total;
    this.series = new Map();
    this.now = h('span', {className: 'now'});
    this.canvas = h('canvas', {role: 'img'});
    this.title = title;
    this.tip = h('div', {className: 'tip', hidden: true});
    const paper = h('div', {className: 'paper'}, this.canvas, this.tip);
    into.append(h('section', {className: 'card plot'}, h('div', {className: 'head'}, h('h2', {}, title), this.now), paper));
    paper.addEventListener('pointermove', (e) => this.point(e.offsetX));
    paper.addEventListener('pointerleave', () => this.point(null));
    new ResizeObserver(() => this.paint()).observe(paper);
  }

  take(time, rows, colorOf) {
    this.colorOf = colorOf;
    const values = [];
    for (const row of rows) {
      const value = this.of(row);
      const line = this.series.get(row.node) || this.series.set(row.node, []).get(row.node);
      line.push({time, value: value === undefined ? null : value});
      if (value !== null && value !== undefined) values.push(value);
    }
    for (const [name, line] of this.series) {
      while (line.length && line[0].time < time - SPAN_MS) line.shift();
      if (!line.length) this.series.delete(name);
    }
    const now = values.length ? this.total(values) : null;
    this.now.replaceChildren(now === null ? '–' : compact(now), h('small', {}, this.unit));
    this.canvas.setAttribute('aria-label', `${this.title}: ${now === null ? 'nothing' : compact(now)} ${this.unit} now`);
    this.newest = time;
    this.paint();
  }

  point(x) {
    this.at = x;
    this.paint();
  }

  paint() {
    const {canvas} = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width || !this.newest) return;
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const top = niceTop(this.highest());
    const left = 34;
    const oldest = Math.min(...[...this.series.values()].map((line) => line[0].time));
    const span = Math.max(60_000, Math.min(SPAN_MS, this.newest - oldest));  // a young page shows its minute large
    const box = {x: (time) => left + (width - left - 4) * (1 - (this.newest - time) / span), y: (value) => height - 18 - (height - 28) * (value / top)};
    this.paintGrid(pen, box, {width, height, left, top, span, edge: color('--edge'), dim: color('--dim'), font: style.fontFamily});
    for (const [name, line] of this.series) this.paintLine(pen, box, line, color(this.colorOf(name).slice(4, -1)));
    this.paintTip(pen, box, {width, height, left, edge: color('--dim'), color});
  }

  highest() {
    let out = 0;
    for (const line of this.series.values()) for (const {value} of line) if (value > out) out = value;
    return out;
  }

  paintGrid(pen, box, {width, height, left, top, span, edge, dim}) {
    pen.strokeStyle = edge;
    pen.fillStyle = dim;
    pen.lineWidth = 1;
    pen.font = '11px system-ui, "Liberation Sans", sans-serif';
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(box.y(top * share)) + 0.5;
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(width, y);
      pen.stroke();
      pen.textAlign = 'right';
      pen.fillText(compact(top * share), left - 6, y + 4);
    }
    pen.textAlign = 'left';
    pen.fillText(span < 120_000 ? `${Math.round(span / 1000)} s ago` : `${Math.round(span / 60_000)} min ago`, left, height - 3);
    pen.textAlign = 'right';
    pen.fillText('now', width - 2, height - 3);
  }

  paintLine(pen, box, line, color) {
    pen.strokeStyle = color;
    pen.fillStyle = color;
    pen.lineWidth = 1.8;
    pen.lineJoin = 'round';
    pen.beginPath();
    let down = false;
    line.forEach(({time, value}, i) => {
      if (value === null) { down = false; return; }
      const alone = !down && (i + 1 === line.length || line[i + 1].value === null);
      if (alone) pen.fillRect(box.x(time) - 1, box.y(value) - 1, 2, 2);
      if (down) pen.lineTo(box.x(time), box.y(value)); else pen.moveTo(box.x(time), box.y(value));
      down = true;
    });
    pen.stroke();
  }

  paintTip(pen, box, {width, height, left, edge, color}) {
    this.tip.hidden = this.at === null || this.at === undefined || this.at < left;
    if (this.tip.hidden) return;
    let best = null;
    for (const line of this.series.values())
      for (const {time} of line) if (best === null || Math.abs(box.x(time) - this.at) < Math.abs(box.x(best) - this.at)) best = time;
    if (best === null) return;
    const x = Math.round(box.x(best)) + 0.5;
    pen.strokeStyle = edge;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, 6);
    pen.lineTo(x, height - 18);
    pen.stroke();
    const rows = [h('div', {className: 'when'}, new Date(best).toLocaleTimeString([], {hour12: false}))];
    for (const [name, line] of this.series) {
      const point = line.find((p) => p.time === best);
      if (point) rows.push(h('div', {}, chip(name), h('span', {}, `${compact(point.value)} ${this.unit}`)));
    }
    this.tip.replaceChildren(...rows);
    this.tip.style.left = x > width / 2 ? 'auto' : `${x + 10}px`;
    this.tip.style.right = x > width / 2 ? `${width - x + 10}px` : 'auto';
  }
}

/// The next of 1, 2, 5, 10, … above.
function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5, 10]) if (value <= step * power) return step * power;
  return 10 * power;
}
