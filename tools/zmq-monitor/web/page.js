// What the page does with what it is told. All text comes from a cluster and is never read as HTML.
function h(tag, properties, ...inside) {
  const out = Object.assign(document.createElement(tag), properties);
  out.append(...inside);
  return out;
}

const $ = (id) => document.getElementById(id);
const colors = new Map();

/// Each name keeps its colour for as long as the page is open.
function colorOf(name) {
  if (!colors.has(name)) colors.set(name, `var(--n${colors.size % 8})`);
  return colors.get(name);
}

function chip(name) {
  const out = h('span', {className: 'chip'}, h('span', {}, name));
  out.style.setProperty('--mine', colorOf(name));
  return out;
}

const sum = (values) => values.reduce((a, b) => a + b, 0);
const most = (values) => Math.max(...values);
const state = {look: null, chosen: '', paused: false, events: [], waiting: [], drops: new Map(), search: 0, lookAt: 0, movesShown: []};

// ---------------------------------------------------------------------------------------------- light and dark

function applyTheme() {
  const wanted = new URLSearchParams(location.search).get('theme') || localStorage.getItem('theme') ||
    (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = wanted;
}
$('theme').addEventListener('click', () => {
  localStorage.setItem('theme', document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  applyTheme();
  repaint();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { applyTheme(); repaint(); });
applyTheme();

// ------------------------------------------------------------------------------------------------ map and plots

const map = new ClusterMap($('map'), choose);
const plots = [
  new Plot($('plots'), {title: 'Messages in and out', unit: '/s', of: (r) => r.error || r.in_per_s === null ? null : r.in_per_s + r.out_per_s, total: sum}),
  new Plot($('plots'), {title: 'Handled by workers', unit: '/s', of: (r) => r.handled_per_s, total: sum}),
  new Plot($('plots'), {title: 'Loop lag, p99', unit: 'ms', of: (r) => r.lag_ms, total: most}),
  new Plot($('plots'), {title: 'Call latency, p99', unit: 'ms', of: (r) => r.call_p99_ms, total: most}),
];

function repaint() {
  for (const plot of plots) plot.paint();
}

/// A node is chosen with a click, and let go with another one.
function choose(name) {
  state.chosen = state.chosen === name ? '' : name;
  if (state.look) showLook();
  search();
  filterEvents();
}

// ----------------------------------------------------------------------------------------------------- a look

function showLook() {
  const {look} = state;
  document.title = `${look.hub || 'cluster'} – zmq-monitor`;
  $('hub').textContent = look.hub || 'zmq-monitor';
  const alive = look.nodes.filter((row) => row.state !== 'left' && row.state !== 'down');
  for (const row of look.nodes) colorOf(row.node);
  showTotals(alive);
  showFindings(look.findings);
  map.show(look, colorOf, state.chosen);
  $('rows').replaceChildren(...look.nodes.filter((row) => row.state !== 'left').map(rowOf));
  for (const row of look.nodes) if (!row.error) state.drops.set(row.node, row.drops);
}

function showTotals(alive) {
  const answering = alive.filter((row) => !row.error);
  const of = (name) => sum(answering.map((row) => row[name] || 0));
  const total = (label, value) => h('div', {}, h('dt', {}, label), h('dd', {}, value));
  $('totals').replaceChildren(total(alive.length === 1 ? 'node' : 'nodes', String(alive.length)),
    total('children', compact(most([0, ...answering.map((row) => row.children_total || 0)]))),
    total('messages/s', compact(of('in_per_s') + of('out_per_s'))), total('calls/s', compact(of('calls_per_s'))),
    total('moving', String(state.look.moves.length)));
}

function showFindings(findings) {
  const pill = $('health');
  const worst = findings.length ? findings[0].severity : 'ok';
  const count = (severity, word) => {
    const n = findings.filter((one) => one.severity === severity).length;
    return n ? [`${n} ${word}${severity === 'warning' && n > 1 ? 's' : ''}`] : [];
  };
  pill.className = `pill ${worst}`;
  pill.textContent = [...count('critical', 'critical'), ...count('warning', 'warning')].join(', ') || 'All is well';
  $('findings-card').hidden = findings.length === 0;
  // What several nodes have in common is told once.
  const groups = new Map();
  for (const one of findings) {
    const key = `${one.check} ${one.text.replace(/[0-9]+/g, '#')}`;
    if (!groups.has(key)) groups.set(key, {...one, nodes: []});
    if (one.node) groups.get(key).nodes.push(one.node);
  }
  $('findings').replaceChildren(...[...groups.values()].map((one) => h('li', {}, h('span', {className: `pill ${one.severity}`}, one.check),
    h('span', {}, ...one.nodes.map(chip), one.text), h('span', {className: 'advice'}, one.advice))));
}

function rowOf(row) {
  const cell = (text, wide, bad) => h('td', {className: `n${wide ? ' wide' : ''}${bad ? ' bad-text' : ''}`}, text);
  const ms = (value) => value === null || value === undefined ? '–' : `${compact(value)} ms`;
  const troubled = row.state !== 'up' || Boolean(row.error);
  const sub = h('span', {className: `sub${troubled ? ' bad' : ''}`}, row.error && row.state === 'up' ? 'does not answer' : noteOfState(row));
  const out = h('tr', {className: row.node === state.chosen ? 'chosen' : '', tabIndex: 0}, h('td', {}, chip(row.node), sub),
    ...(row.error ? [cell('–'), cell('–'), cell('–'), cell('–', true), cell('–'), cell('–'), cell('–', true), cell('–', true)] :
      [cell(compact(row.children)), cell(compact(row.in_per_s)), cell(compact(row.out_per_s)), cell(compact(row.handled_per_s), true),
        cell(ms(row.lag_ms)), cell(ms(row.call_p99_ms)), cell(compact(row.mailbox), true), cell(compact(row.drops), true, row.drops > (state.drops.get(row.node) ?? row.drops))]));
  out.addEventListener('click', () => choose(row.node));
  out.addEventListener('keydown', (e) => { if (e.key === 'Enter') choose(row.node); });
  return out;
}

function noteOfState(row) {
  const words = [row.up_ms && row.state === 'up' ? `up for ${span(row.up_ms)}` : row.state];
  for (const word of ['drained', 'frozen', 'partitioned']) if (row[word]) words.push(word);
  if (row.locked_by) words.push(`locked by ${row.locked_by}`);
  return words.join(' · ');
}

function span(ms) {
  const minutes = ms / 60_000;
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${Math.floor(minutes)} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

// ------------------------------------------------------------------------------------------------------ events

function clock(us) {
  const at = new Date(us / 1000);
  return `${at.toLocaleTimeString([], {hour12: false})}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function eventRow(event) {
  // The ids at the end of the text follow as links.
  const text = event.children.length ? event.text.replace(/ \([^()]*\)$/, '') : event.text;
  const what = h('span', {className: 'what'}, h('span', {className: 'part'}, event.part), text);
  const ids = event.children.slice(0, 4);
  ids.forEach((id) => {
    const link = h('a', {href: '#'}, id);
    link.addEventListener('click', (e) => { e.preventDefault(); explain(id); });
    what.append(' ', link);
  });
  if (event.children.length > ids.length) what.append(` and ${event.children.length - ids.length} more`);
  return h('li', {className: event.level}, h('time', {}, clock(event.time_us)), chip(event.node), what);
}

function wanted(event) {
  const text = $('filter').value.toLowerCase();
  if (state.chosen && event.node !== state.chosen) return false;
  return !text || `${event.node} ${event.part} ${event.text} ${event.children.join(' ')}`.toLowerCase().includes(text);
}

function filterEvents() {
  $('stream').replaceChildren(...state.events.filter(wanted).slice(-300).reverse().map(eventRow));
  if (!$('stream').childElementCount) $('stream').append(h('li', {className: 'empty'}, 'Nothing yet.'));
}

/// Many may come at once: they are shown together, the newest above.
function takeEvents() {
  const fresh = state.waiting;
  state.waiting = [];
  state.events.push(...fresh);
  if (state.events.length > 1000) state.events.splice(0, state.events.length - 1000);
  const stream = $('stream');
  if (stream.firstElementChild && stream.firstElementChild.className === 'empty') stream.replaceChildren();
  stream.prepend(...fresh.filter(wanted).reverse().map(eventRow));
  while (stream.childElementCount > 300) stream.lastElementChild.remove();
  showMoves(fresh);
}

/// "moved here with its state from b/17…" and the like, told by the node a child came to.
function moveOf(event) {
  if (event.part !== 'moves') return null;
  const from = /(?:moved here.*|taken over) from ([^/]+)\//.exec(event.text);
  return from && {from: from[1], to: event.node, ids: event.children, time: event.time_us};
}

function showMoves(events) {
  const grouped = new Map();
  for (const move of events.map(moveOf)) {
    if (!move) continue;
    const key = `${move.from} ${move.to}`;
    if (!grouped.has(key)) grouped.set(key, {...move, ids: []});
    grouped.get(key).ids.push(...move.ids);
  }
  for (const move of grouped.values()) {
    const label = move.ids.length === 1 ? move.ids[0] : `${move.ids.length} children`;
    if (move.time / 1000 > Date.now() - 10_000) map.move(move.from, move.to, label, move.ids.length);
    state.movesShown.unshift(h('li', {}, h('b', {}, label), ` ${move.from} → ${move.to} `, clock(move.time).slice(0, 8)));
  }
  state.movesShown.splice(5);
  $('moves').replaceChildren(...(state.movesShown.length ? state.movesShown : [h('li', {}, 'No moves lately')]));
}

$('filter').addEventListener('input', filterEvents);
$('pause').addEventListener('click', () => {
  state.paused = !state.paused;
  $('pause').setAttribute('aria-pressed', state.paused);
  $('pause').textContent = state.paused ? 'Go on' : 'Pause';
  if (!state.paused) schedule();
});

function schedule() {
  if (state.paused || state.scheduled || !state.waiting.length) return;
  state.scheduled = true;
  setTimeout(() => { state.scheduled = false; if (!state.paused) takeEvents(); }, 60);
}

// ---------------------------------------------------------------------------------------------------- children

async function ask(what, query) {
  const answer = await fetch(`/api/${what}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error((await answer.text()).trim() || `status ${answer.status}`);
  return answer.json();
}

async function search() {
  const turn = ++state.search;
  const node = $('of-node');
  node.replaceChildren();
  if (state.chosen) {
    const all = h('button', {type: 'button'}, 'show all');
    all.addEventListener('click', () => choose(state.chosen));
    node.append(chip(state.chosen), all);
  }
  let rows;
  try {
    const children = await ask('children', {q: $('search').value.trim(), node: state.chosen});
    rows = children.map(childRow);
    if (!rows.length) rows = [h('li', {className: 'empty'}, $('search').value ? 'No id has this text.' : 'No children run here.')];
    if (children.length >= 200) rows.push(h('li', {className: 'empty'}, 'The first 200. Search to see others.'));
  } catch (error) {
    rows = [h('li', {className: 'empty'}, `Not found out: ${error.message}`)];
  }
  if (turn === state.search) $('found').replaceChildren(...rows);
}

function childRow(child) {
  const places = child.instances.map((i) => {
    const out = chip(i.node);
    if (i.state !== 'running' || i.role === 'passive') out.append(h('span', {className: i.state === 'failed' ? 'bad-text' : 'warn-text'}, i.state === 'running' ? i.role : i.state));
    return out;
  });
  const button = h('button', {type: 'button'}, h('span', {className: 'id'}, child.id),
    h('span', {className: 'kind'}, child.type + (child.tag ? ` · ${child.tag}` : '')),
    h('span', {className: 'where'}, ...(places.length ? places : [h('span', {className: 'bad-text'}, 'nowhere')])));
  button.addEventListener('click', () => explain(child.id));
  return h('li', {}, button);
}

let typing = 0;
$('search').addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(search, 200); });

/// Why a child is where it is.
async function explain(id) {
  const body = $('explain-body');
  $('explain-id').textContent = id;
  body.replaceChildren(h('p', {className: 'aside'}, 'Asking all nodes …'));
  if (!$('explain').open) $('explain').showModal();
  try {
    const child = await ask('explain', {id});
    if ($('explain-id').textContent === id) body.replaceChildren(...explanation(child));
  } catch (error) {
    body.replaceChildren(h('p', {className: 'aside'}, `Not found out: ${error.message}`));
  }
}

function explanation(child) {
  if (!child.known) return [h('p', {className: 'aside'}, 'No node knows this child.')];
  const facts = h('dl', {className: 'facts'});
  const fact = (name, ...what) => { if (what.length && what[0] !== '') facts.append(h('dt', {}, name), h('dd', {}, ...what)); };
  fact('Runs on', ...(child.instances.length ? child.instances.map((i) => h('div', {}, chip(i.node), h('span', {className: 'aside'}, ` ${i.state}, ${i.role}, generation ${i.generation}`))) : ['nowhere']));
  const says = Object.entries(child.owners_by_node || {});
  const same = says.every(([, owners]) => owners.join() === says[0][1].join());
  if (says.length && same) fact('Belongs to', ...says[0][1].map(chip));
  else for (const [node, owners] of says) fact(`Belongs to, says ${node}`, owners.join(', ') || 'nobody');
  for (const [node, why] of Object.entries(child.waits || {})) fact(`Waits, says ${node}`, why);
  fact('Failure', child.failure || '');
  fact('Asked for on', child.origin || '');
  fact('Chosen first', (child.first || []).join(', '));
  fact('Wished to', child.wish || '');
  fact(`Scores of ${child.distribution}`, ...(child.candidates || []).map((c) => h('div', {}, chip(c.node), h('span', {className: 'aside'},
    c.unable ? ` cannot: ${c.unable}` : c.score === undefined ? ` ${c.why}` : ` ${Number(c.score.toPrecision(4))} (${c.why})`))));
  fact('Type', child.type + (child.tag ? `, tag ${child.tag}` : ''));
  if (child.spec) fact('Restart', `${child.spec.restart}, executor ${child.spec.executor}`);
  const events = (child.events || []).slice(-60).reverse();
  return [facts, h('h3', {}, 'What happened to it'), h('ol', {className: 'stream'}, ...(events.length ? events.map((e) => eventRow({...e, children: []})) :
    [h('li', {className: 'empty'}, 'Nothing that the nodes still remember.')])),
    h('details', {}, h('summary', {}, 'As JSON'), h('pre', {}, JSON.stringify({...child, events: undefined}, null, 2)))];
}

$('close').addEventListener('click', () => $('explain').close());
$('explain').addEventListener('click', (e) => { if (e.target === $('explain')) $('explain').close(); });

// ------------------------------------------------------------------------------------------------------ stream

function live(text, kind) {
  $('live').textContent = text;
  $('live').className = `live ${kind}`;
}

function takeLook(look) {
  state.lookAt = Date.now();
  if (look.error) return live(look.error, 'off');
  live('live', 'on');
  const known = state.look && state.look.nodes.map((n) => `${n.node}/${n.children}`).join();
  state.look = look;
  showLook();
  for (const plot of plots) plot.take(look.time_us / 1000, look.nodes.filter((n) => n.state !== 'left' && n.state !== 'down'), colorOf);
  // The list follows when children come, go or move.
  if (known !== look.nodes.map((n) => `${n.node}/${n.children}`).join()) search();
}

function listen() {
  const source = new EventSource('/events');
  source.addEventListener('look', (e) => takeLook(JSON.parse(e.data)));
  source.addEventListener('happened', (e) => { state.waiting.push(JSON.parse(e.data)); schedule(); });
  source.addEventListener('missed', (e) => {
    state.waiting.push({time_us: Date.now() * 1000, node: 'here', part: 'page', level: 'warn', text: `${e.data} events were missed`, children: []});
    schedule();
  });
  source.addEventListener('error', () => {
    live('not connected, trying again', 'off');
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

// What stands here for too long is said to be old.
setInterval(() => {
  if (state.lookAt && Date.now() - state.lookAt > 5000) live(`last look ${span(Date.now() - state.lookAt)} ago`, 'off');
}, 1000);

showMoves([]);
filterEvents();
listen();
