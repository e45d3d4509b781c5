// The cluster as a picture: nodes on an ellipse, half a line from each node to each other one (so that a link that is cut one
// way shows which way), and a dot for every child that moves.
const SVG = 'http://www.w3.org/2000/svg';
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;

function draw(tag, attributes, ...inside) {
  const out = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, value);
  out.append(...inside);
  return out;
}

class ClusterMap {
  constructor(svg, onNode) {
    this.svg = svg;
    this.onNode = onNode;
    this.links = draw('g', {});
    this.nodes = draw('g', {});
    this.movers = draw('g', {});
    new ResizeObserver(() => { if (this.last) this.show(...this.last); }).observe(svg);
    svg.append(this.links, this.nodes, this.movers);
    this.places = new Map();
    this.shown = new Map();
  }

  show(look, colorOf, chosen) {
    this.last = [look, colorOf, chosen];
    const rows = look.nodes.filter((row) => row.state !== 'left');
    this.place(rows);
    this.showLinks(look.links);
    const most = Math.max(1, ...rows.map((row) => row.children || 0));
    const seen = new Set();
    for (const row of rows) {
      seen.add(row.node);
      this.showNode(row, most, colorOf(row.node), row.node === chosen);
    }
    for (const [name, group] of this.shown) {
      if (seen.has(name)) continue;
      group.remove();
      this.shown.delete(name);
    }
  }

  /// In units of about a pixel: text is as large on a phone.
  place(rows) {
    const slim = this.svg.clientWidth < 480;
    const [width, height] = slim ? [360, 340] : [620, 400];
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.small = rows.length > (slim ? 8 : 14);
    const wide = width / 2 - (this.small ? 44 : slim ? 56 : 74);
    const high = height / 2 - (this.small ? 40 : slim ? 58 : 58);
    rows.forEach((row, i) => {
      const angle = -Math.PI / 2 + (2 * Math.PI * i) / rows.length;
      const alone = rows.length === 1;
      const middle = {x: width / 2, y: height / 2 - 10};
      this.places.set(row.node, alone ? middle : {x: middle.x + wide * Math.cos(angle), y: middle.y + high * Math.sin(angle)});
    });
  }

  showLinks(links) {
    const lines = [];
    for (const link of links) {
      const a = this.places.get(link.from);
      const b = this.places.get(link.to);
      if (!a || !b) continue;
      const line = draw('line', {x1: a.x, y1: a.y, x2: (a.x + b.x) / 2, y2: (a.y + b.y) / 2, class: `link ${link.state}`});
      line.append(draw('title', {}, `${link.from} to ${link.to}: ${link.state}, ${link.queued} bytes unconfirmed`));
      lines.push(line);
    }
    this.links.replaceChildren(...lines);
  }

  showNode(row, most, color, chosen) {
    let group = this.shown.get(row.node);
    if (!group) {
      group = draw('g', {class: 'node', tabindex: 0, role: 'button'}, draw('circle', {class: 'body'}), draw('circle', {class: 'fill'}),
        draw('text', {class: 'count'}), draw('text', {class: 'name'}), draw('text', {class: 'note'}));
      group.addEventListener('click', () => this.onNode(row.node));
      group.addEventListener('keydown', (e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); this.onNode(row.node); } });
      this.shown.set(row.node, group);
      this.nodes.append(group);
    }
    const {x, y} = this.places.get(row.node);
    const gone = row.state === 'down';
    const radius = (this.small ? 14 : 24) + (this.small ? 8 : 16) * Math.sqrt((row.children || 0) / most);
    const [body, fill, count, name, note] = group.children;
    for (const circle of [body, fill]) { circle.setAttribute('cx', x); circle.setAttribute('cy', y); circle.setAttribute('r', radius); }
    body.style.stroke = gone || row.error ? '' : color;
    fill.style.fill = gone ? 'none' : color;
    set(count, x, y + 5, gone ? '' : row.error ? '?' : compact(row.children || 0));
    const below = y + radius + 16;
    set(name, x, below, row.node);
    set(note, x, below + 14, this.small ? '' : gone ? 'down' : row.error ? 'does not answer' : noteOf(row));
    group.setAttribute('class', `node${gone ? ' gone' : row.error || row.partitioned ? ' ill' : ''}${chosen ? ' chosen' : ''}`);
    group.setAttribute('aria-label', `${row.node}, ${row.state}, ${row.children || 0} children`);
  }

  /// A child on its way; several of one moment are one dot.
  move(from, to, label, many) {
    const a = this.places.get(from);
    const b = this.places.get(to);
    if (!a || !b || this.movers.childElementCount > 40) return;
    const dot = draw('circle', {class: 'mover', r: many > 1 ? 9 : 6});
    const text = draw('text', {class: 'label'}, label);
    const group = draw('g', {}, dot, text);
    this.movers.append(group);
    const began = performance.now();
    const lasts = calm ? 900 : 1400;
    const step = (now) => {
      const part = Math.min(1, (now - began) / lasts);
      const at = calm ? 0.5 : part < 0.5 ? 2 * part * part : 1 - (-2 * part + 2) ** 2 / 2;
      group.setAttribute('transform', `translate(${a.x + (b.x - a.x) * at} ${a.y + (b.y - a.y) * at})`);
      if (part < 1) requestAnimationFrame(step); else group.remove();
    };
    text.setAttribute('y', -13);
    step(began);
  }
}

function set(text, x, y, what) {
  text.setAttribute('x', x);
  text.setAttribute('y', y);
  text.textContent = what;
}

function noteOf(row) {
  const words = [];
  if (row.state !== 'up') words.push(row.state);
  if (row.partitioned) words.push('no quorum');
  if (row.drained) words.push('drained');
  if (row.frozen) words.push('frozen');
  if (row.locked_by) words.push(`locked: ${row.locked_by}`);
  return words.length ? words.join(', ') : row.in_per_s === null ? '' : `${compact(row.in_per_s + row.out_per_s)} msg/s`;
}

function compact(value) {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(size >= 1e7 ? 0 : 1)}M`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(size >= 1e5 ? 0 : 1)}k`;
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 1 : 2);
}
