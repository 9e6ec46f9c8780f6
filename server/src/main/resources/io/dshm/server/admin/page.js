'use strict';

// What the page shows comes every two seconds from /events; what a limit does, and keys, when somebody asks, from /why and /hot. Nothing is
// changed from here. What plots.js has is used here, and the other way round.

const RATE_SECONDS = 10;
const SILENT_MILLIS = 8000;
const RETRY_MILLIS = 5000;

/** Points {millis, counters, times}, oldest first: what rates are computed from. */
let history = [];
let lastEvent = 0;
let source = null;

const byId = id => document.getElementById(id);

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text; // a screen reader says what changes, and only that
}

function count(value) {
  return value === undefined || value === null ? '–' : value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function bytes(value) {
  if (value === undefined || value < 0) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit++; }
  return count(value) + ' ' + units[unit];
}

function seconds(value) {
  if (value === undefined || value < 0) return 'not known';
  if (value < 120) return Math.round(value) + ' s';
  if (value < 7200) return Math.round(value / 60) + ' min';
  return value < 172800 ? Math.round(value / 3600) + ' h' : Math.round(value / 86400) + ' days';
}

/** Rows of cells: text, {text, type}, or a button {text, label, action}; the first cell is the row's head. */
function fill(id, rows, empty) {
  const body = byId(id);
  const columns = body.parentElement.tHead.rows[0].cells;
  const shown = rows.length ? rows : [[{ text: empty || 'none', span: columns.length }]];
  const key = JSON.stringify(shown);
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  body.replaceChildren(...shown.map(cells => {
    const row = document.createElement('tr');
    cells.forEach((cell, i) => {
      const node = document.createElement(i === 0 && rows.length ? 'th' : 'td');
      const rich = typeof cell === 'object' ? cell : { text: cell };
      if (node.tagName === 'TH') node.scope = 'row';
      if (rich.span) node.colSpan = rich.span;
      node.className = [rich.type || '', !rich.span && columns[i].className || ''].join(' ').trim();
      if (rich.action) {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = rich.text;
        button.setAttribute('aria-label', rich.label);
        button.addEventListener('click', rich.action);
        node.append(button);
      } else {
        node.textContent = rich.text;
      }
      row.append(node);
    });
    return row;
  }));
}

function samples(event, name) {
  return event.metrics.filter(sample => sample.name === name);
}

function total(list) {
  return list.reduce((sum, sample) => sum + sample.value, 0);
}

/** Everything here only grows, until the node starts again. */
function counters(event) {
  const commands = samples(event, 'dshm_commands');
  const found = {
    commands: total(commands),
    errors: total(commands.filter(sample => sample.labels.outcome !== 'ok')),
    reads: total(samples(event, 'dshm_reads')),
    received: total(samples(event, 'dshm_received_bytes')),
    sent: total(samples(event, 'dshm_sent_bytes')),
    admitted: 0,
    refused: 0,
    evicted: total(samples(event, 'dshm_evicted_entries')),
  };
  for (const take of samples(event, 'dshm_takes')) {
    found[take.labels.decision] += take.value;
    if (take.labels.decision === 'refused') found['refused ' + take.labels.policy] = take.value;
  }
  return found;
}

function rate(from, to, name) {
  const gone = (to.millis - from.millis) / 1000;
  return gone <= 0 ? undefined : Math.max(0, ((to.counters[name] || 0) - (from.counters[name] || 0)) / gone);
}

function remember(event) {
  const now = { millis: event.millis, counters: counters(event), times: times(event) };
  const before = history[history.length - 1];
  if (before && (now.counters.commands < before.counters.commands || now.millis <= before.millis)) history = []; // started again
  history.push(now);
  while (history[0].millis < now.millis - PLOT_SECONDS * 1000) history.shift();
}

/** The oldest point within the last seconds. */
function recent() {
  const now = history[history.length - 1];
  return history.find(point => point.millis >= now.millis - RATE_SECONDS * 1000 - 500) || now;
}

function showRates() {
  const now = history[history.length - 1];
  const from = recent();
  const row = (text, name, format) => {
    const value = rate(from, now, name);
    return [text, value === undefined ? '–' : format(value)];
  };
  fill('rates', [
    row('Commands answered', 'commands', count),
    row('of them with an error', 'errors', count),
    row('Reads', 'reads', count),
    row('Limits: admitted', 'admitted', count),
    row('Limits: refused', 'refused', count),
    row('Entries evicted', 'evicted', count),
    row('Received', 'received', bytes),
    row('Sent', 'sent', bytes),
  ]);
  showRatePlot();
}

function showNodes(event) {
  const status = event.status;
  const silent = (status.silentMembers || '').split(',');
  fill('nodes', event.members.map(member => {
    let state = { text: status.leads ? 'answers' : 'the leader knows' };
    if (member.node === status.node) {
      state = event.problems.length ? { text: 'this node, not ready', type: 'bad' } : { text: 'this node, ready', type: 'good' };
    } else if (silent.includes(member.node)) {
      state = { text: 'does not answer', type: 'bad' };
    } else if (!status.leader) {
      state = { text: 'not known', type: 'warn' };
    } else if (member.node === status.leader) {
      state = { text: 'leads', type: 'good' };
    } else if (status.leads) {
      state.type = 'good';
    }
    return [member.node, member.address, member.role, state];
  }), 'not known: this node does not run yet');
  setText(byId('nodes-caption'), status.leads
    ? 'Members and their roles; this node leads, so it knows who answers'
    : 'Members and their roles; only the leader' + (status.leader ? ' (' + status.leader + ')' : '') + ' knows who answers: see its page');
}

function showNode(status) {
  const lag = status.lagMillis;
  fill('node', [
    ['Leader', status.leader ? { text: status.leader + (status.leads ? ' (this node)' : '') } : { text: 'none known', type: 'bad' }],
    ['Leader for', seconds(status.leaderSeconds)],
    ['Term', count(status.term)],
    ['Applied index', count(status.appliedIndex)],
    ['Local reads are at most this old', lag === undefined || lag < 0 ? 'not known' : { text: count(lag) + ' ms', type: lag > 2000 ? 'bad' : '' }],
    ['Up to date since its start', status.upToDate ? 'yes' : { text: 'no', type: 'warn' }],
    ['Clients', count(status.connections) + (status.sharedanceConnections === undefined ? '' : ' and ' + count(status.sharedanceConnections) + ' of Sharedance')],
    ['Entries', count(status.entries)],
    ['State in memory', bytes(status.stateBytes) + ' of ' + bytes(status.stateBytesMax)],
    ['Log on disk', bytes(status.logBytes)],
    ['Free on disk', status.diskFull ? { text: bytes(status.diskFreeBytes) + ': full', type: 'bad' } : bytes(status.diskFreeBytes)],
    ['Format, and what this version reads', status.format + ', ' + status.formatReads],
    ['Version', status.version],
  ]);
}

function showRegions(event) {
  const found = new Map();
  const of = name => found.get(name) || found.set(name, {}).get(name);
  samples(event, 'dshm_region_bytes').forEach(sample => { of(sample.labels.region).bytes = sample.value; });
  samples(event, 'dshm_region_entries').forEach(sample => { of(sample.labels.region).entries = sample.value; });
  event.regions.forEach(region => Object.assign(of(region.region), {
    limit: region.bytes, policy: region.policy, bytes: region.usedBytes, entries: region.entries,
  }));
  fill('regions', [...found].sort((a, b) => (b[1].bytes || 0) - (a[1].bytes || 0)).map(([name, region]) => [
    name === ':' ? ': (the default region)' : name,
    count(region.entries),
    bytes(region.bytes),
    region.limit ? { text: bytes(region.limit), type: region.bytes > 0.9 * region.limit ? 'warn' : '' } : '–',
    region.policy ? region.policy + 's' : '–',
  ]), 'nothing is stored');
}

function showLimits(event) {
  const policies = new Map();
  for (const take of samples(event, 'dshm_takes')) {
    const sums = policies.get(take.labels.policy) || { admitted: 0, refused: 0 };
    sums[take.labels.decision] += take.value;
    policies.set(take.labels.policy, sums);
  }
  const now = history[history.length - 1];
  fill('limits', [...policies].sort((a, b) => b[1].refused - a[1].refused).slice(0, 15).map(([policy, sums]) => [
    policy, count(sums.refused), count(sums.admitted), count(rate(recent(), now, 'refused ' + policy)),
  ]), 'no limit was asked');
}

function showBackups(status) {
  const rows = [['Age of the newest snapshot', seconds(status.snapshotAgeSeconds)]];
  if (status.backupAgeSeconds === undefined) {
    rows.push(['Regular backups', 'off: see “Backups in regular intervals”']);
  } else {
    rows.push(['Age of the newest backup', status.backupAgeSeconds < 0 ? { text: 'none yet', type: 'warn' } : seconds(status.backupAgeSeconds)]);
    rows.push(['Its size', bytes(status.backupBytes)]);
    rows.push(['Backups that failed', { text: count(status.backupFailures), type: status.backupFailures > 0 ? 'bad' : '' }]);
  }
  fill('backups', rows);
}

function showEvents(events) {
  fill('events', events.map(line => [
    { text: new Date(line.millis).toLocaleTimeString('en-GB'), type: 'time' },
    { text: line.level.toLowerCase(), type: line.level === 'ERROR' ? 'bad' : line.level === 'WARN' ? 'warn' : '' },
    line.text,
  ]), 'none since this node started');
}

/** What is wrong, and the section of deploy/README.md that says what to do. */
function advice(event) {
  const status = event.status;
  const all = event.problems.map(problem => [problem, problem.startsWith('no leader') ? 'When a node, or its data, is lost' : 'Looking at a node']);
  if (status.silentMembers) all.push([status.silentMembers + ' not answering. Start it again, or look for what cuts it off', 'When a node, or its data, is lost']);
  if (status.votes === false) all.push(['this node does not vote: it is a learner, or gets lost data back', 'When a node, or its data, is lost']);
  if (status.diskFull) all.push(['the disk of this node is full', 'When a disk is full']);
  else if (status.refusesWrites) all.push(['a disk is full: writes are refused', 'When a disk is full']);
  if (status.stateBytes > 0.9 * status.stateBytesMax) all.push(['the state takes over 90 % of what it may', 'Memory and the JVM']);
  if (!event.problems.length && status.lagMillis > 2000) all.push(['local reads here are over 2 s old', 'Looking at a node']);
  if (status.backupFailures > 0) all.push(['backups have failed', 'Backups in regular intervals']);
  if (status.tlsProblem) all.push(['certificates: ' + status.tlsProblem, 'The log']);
  return all;
}

function showState(event) {
  const wrong = advice(event);
  const state = byId('state');
  state.className = event.problems.length ? 'bad' : wrong.length ? 'warn' : 'good';
  const leads = event.status.leads ? 'it leads' : 'led by ' + event.status.leader;
  setText(state, event.problems.length ? 'not ready: ' + event.problems[0]
    : 'ready, ' + leads + (wrong.length ? '; something needs attention' : ''));
  byId('wrong').hidden = wrong.length === 0;
  const key = JSON.stringify(wrong);
  const list = byId('problems');
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...wrong.map(([text, section]) => {
      const item = document.createElement('li');
      item.textContent = text + '. See “' + section + '” in deploy/README.md.';
      return item;
    }));
  }
}

/** What a limit is, in a sentence. */
function limitText(limit) {
  switch (limit.kind) {
    case 'unused': return 'Nothing is used of it now.';
    case 'no limit': return 'This key holds no limit.';
    case 'permits': return count(limit.limit) + ' permits, ' + count(limit.remaining) + ' left.';
    default: return limit.kind + ': ' + count(limit.limit) + ' in ' + seconds(limit.periodMillis / 1000)
      + (limit.burst === undefined ? '' : ' with a burst of ' + count(limit.burst)) + ', ' + count(limit.remaining)
      + ' left, unused again in ' + seconds(limit.unusedInMillis / 1000) + '.';
  }
}

function showWhy(limit) {
  setText(byId('why-limit'), limitText(limit) + ' This node has refused it ' + count(limit.refused) + ' times.');
  const time = millis => ({ text: new Date(millis).toLocaleTimeString('en-GB'), type: 'time' });
  fill('why', limit.refusals.map(refusal => [
    time(refusal.millis), refusal.client, refusal.command, count(refusal.cost), refusal.policy || '–', refusal.reply,
  ]));
  const held = (list, what) => (list || []).map(hold => [
    what + ' ' + hold.holder, 'for ' + seconds(hold.endsInMillis / 1000), hold.tokens === undefined ? '1' : count(hold.tokens),
  ]);
  fill('why-uses', [
    ...(limit.uses || []).map(use => ['used', time(use.millis), count(use.cost)]),
    ...held(limit.holders, 'held by'), ...held(limit.reserved, 'reserved as'), ...held(limit.shares, 'share of'),
  ], 'none, or this kind of limit keeps sums only');
}

async function askWhy() {
  const key = byId('why-key').value;
  if (!key) return;
  try {
    const answer = await fetch('why?key=' + encodeURIComponent(key));
    if (!answer.ok) throw new Error(await answer.text());
    showWhy(await answer.json());
  } catch (failure) {
    setText(byId('why-limit'), 'No answer: ' + failure.message);
  }
}

function show(event) {
  lastEvent = Date.now();
  remember(event);
  const name = event.status.node + ' of cluster ' + event.status.cluster;
  setText(byId('title'), name);
  document.title = (event.problems.length ? '(!) ' : '') + name + ' – DSHM';
  showState(event);
  showNodes(event);
  showRates();
  showTimes();
  showNode(event.status);
  showRegions(event);
  showLimits(event);
  showBackups(event.status);
  showEvents(event.events);
  showKeys();
  showAge();
}

function showAge() {
  const silent = Date.now() - lastEvent;
  if (lastEvent && silent < SILENT_MILLIS) {
    setText(byId('age'), 'live');
    return;
  }
  setText(byId('age'), lastEvent ? 'What is below is ' + seconds(silent / 1000) + ' old.' : '');
  if (lastEvent) {
    const state = byId('state');
    state.className = 'bad';
    setText(state, 'this node does not answer; trying again');
  }
}

function listen() {
  source = new EventSource('events');
  source.onmessage = message => show(JSON.parse(message.data));
  source.onerror = () => {
    // The browser tries again by itself, but not after a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MILLIS);
    if (!lastEvent) setText(byId('state'), 'no answer: it may have just started, or have too many such pages; trying again');
  };
}

byId('keys-show').addEventListener('click', toggleKeys);
byId('why-ask').addEventListener('click', askWhy);
byId('why-key').addEventListener('keydown', event => { if (event.key === 'Enter') askWhy(); });
setInterval(showAge, 1000);
listen();
