'use strict';

// How long commands take, the plots, and the keys that are used most: what page.js shows among the rest.

const PLOT_SECONDS = 300;
const READS = ['get', 'fetch', 'stat', 'keys', 'region_info'];

/** Neither reads nor writes: not in the plot. */
const OTHERS = ['ping', 'info', 'auth', 'quit', 'read_mode', 'flush_expired', 'rejected'];

/** The boundaries of the node's histograms: four for each doubling. */
const BUCKETS_A_DOUBLING = 4;

/** How often what took how long, until now: {name: {bucket: count}}. Names are those of commands, and "log". */
function times(event) {
  const found = {};
  for (const sample of samples(event, 'dshm_command_duration_seconds')) {
    found[(sample.labels.protocol === 'dshm' ? '' : sample.labels.protocol + ' ') + sample.labels.verb] = sample.buckets || {};
  }
  samples(event, 'dshm_raft_append_duration_seconds').forEach(sample => { found.log = sample.buckets || {}; });
  return found;
}

/** What came between two points, of all that are named: {bucket: count}. */
function timesBetween(from, to, names) {
  const sum = {};
  for (const name of names) {
    const before = from.times[name] || {};
    for (const [bucket, count] of Object.entries(to.times[name] || {})) {
      sum[bucket] = (sum[bucket] || 0) + count - (before[bucket] || 0);
    }
  }
  return sum;
}

function countIn(buckets) {
  return Object.values(buckets).reduce((sum, count) => sum + count, 0);
}

/** Within how many seconds that part of them was done; undefined if there were none. */
function quantile(buckets, part) {
  let left = part * countIn(buckets);
  const filled = Object.keys(buckets).map(Number).filter(bucket => buckets[bucket] > 0).sort((a, b) => a - b);
  for (const bucket of filled) {
    left -= buckets[bucket];
    if (left <= 0) return Math.pow(2, bucket / BUCKETS_A_DOUBLING);
  }
  return undefined;
}

function duration(value) {
  if (value === undefined) return '–';
  const [number, unit] = value < 1e-3 ? [value * 1e6, 'µs'] : value < 1 ? [value * 1e3, 'ms'] : [value, 's'];
  return (number < 9.95 ? number.toFixed(1) : number.toFixed(0)) + ' ' + unit;
}

function isWrite(name) {
  const verb = name.slice(name.indexOf(' ') + 1);
  return verb !== 'log' && !READS.includes(verb) && !OTHERS.includes(verb);
}

function showTimes() {
  const now = history[history.length - 1];
  const from = recent();
  const gone = (now.millis - from.millis) / 1000;
  const rows = Object.keys(now.times).map(name => ({ name, buckets: timesBetween(from, now, [name]) }))
    .filter(row => countIn(row.buckets) > 0)
    .sort((a, b) => (a.name === 'log') - (b.name === 'log') || countIn(b.buckets) - countIn(a.buckets));
  fill('times', rows.map(({ name, buckets }) => [
    name === 'log' ? 'log to the disk' : name.replace('_', ' '), count(countIn(buckets) / gone),
    duration(quantile(buckets, 0.5)), duration(quantile(buckets, 0.99)), duration(quantile(buckets, 1)),
  ]), 'no command came');
  showTimePlot();
}

/** 1, 2 or 5 and zeros: a top that does not change all the time. */
function niceTop(most) {
  const unit = Math.pow(10, Math.floor(Math.log10(most)));
  return [1, 2, 5, 10].map(step => step * unit).find(top => top >= most * 0.999);
}

/**
 * Draws one line for each value that a step of the history has; where there is none, the line has a gap.
 *
 * @param values (from, to) => [number or undefined, ...]
 * @param least what the top is at least
 * @return the last values, and the top
 */
function plot(id, values, least, format) {
  const steps = history.slice(1).map((to, i) => ({ millis: to.millis, values: values(history[i], to) }));
  const top = niceTop(Math.max(least, ...steps.flatMap(step => step.values.filter(value => value !== undefined))));
  const end = history[history.length - 1].millis;
  byId(id + '-plot').querySelectorAll('path').forEach((path, line) => {
    let draws = false;
    path.setAttribute('d', steps.map(step => {
      const value = step.values[line];
      const pen = draws ? 'L' : 'M';
      draws = value !== undefined;
      const x = 600 - 600 * (end - step.millis) / (PLOT_SECONDS * 1000);
      return draws ? pen + x.toFixed(1) + ' ' + (138 - 136 * value / top).toFixed(1) : '';
    }).join(''));
  });
  setText(byId(id + '-top'), format(top));
  return steps.length ? steps[steps.length - 1].values : [];
}

function showRatePlot() {
  const [now] = plot('rate', (from, to) => [rate(from, to, 'commands')], 1, count);
  setText(byId('rate-text'), 'Commands a second, now ' + count(now) + '.');
}

function showTimePlot() {
  const names = Object.keys(history[history.length - 1].times);
  const reads = names.filter(name => READS.includes(name.slice(name.indexOf(' ') + 1)));
  const writes = names.filter(isWrite);
  const [read, write] = plot('time', (from, to) => [
    quantile(timesBetween(from, to, reads), 0.99), quantile(timesBetween(from, to, writes), 0.99),
  ], 1e-3, duration);
  setText(byId('time-text'), 'Within this time 99 % were done: of the reads (solid line), now ' + duration(read)
    + ', and of the writes (dashed line), now ' + duration(write) + '.');
}

async function showKeys() {
  if (byId('keys-shown').hidden) return;
  try {
    const answer = await fetch('hot');
    if (!answer.ok) throw new Error(await answer.text());
    const use = await answer.json();
    setText(byId('keys-problem'), '');
    fill('keys', use.keys.map(hot => [hot.key, count(hot.perSecond), (100 * hot.share).toFixed(1) + ' %']), 'none stands out');
    fill('refused', use.refused.map(limit => [limit.key, count(limit.refused), limit.key.includes('\\') ? '–' : {
      text: 'Why', label: 'Why ' + limit.key + ' is refused', action: () => askWhyOf(limit.key),
    }]), 'nothing was refused');
  } catch (failure) {
    setText(byId('keys-problem'), 'No answer: ' + failure.message);
  }
}

function toggleKeys() {
  const shown = byId('keys-shown');
  shown.hidden = !shown.hidden;
  byId('keys-show').setAttribute('aria-expanded', String(!shown.hidden));
  setText(byId('keys-show'), shown.hidden ? 'Show keys' : 'Hide keys');
  showKeys();
}

function askWhyOf(key) {
  const field = byId('why-key');
  field.value = key;
  field.focus();
  askWhy();
}
