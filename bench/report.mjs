import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './race.mjs';

/** @typedef {import('./race.mjs').Sample} Sample */
/** @typedef {import('./rows.mjs').Row} Row */
/** @typedef {import('./rows.mjs').Target} Target */

/**
 * @typedef {object} Result
 * @property {Row} row
 * @property {Map<string, Sample[]>} samples
 * @property {string} [failed]
 */

/**
 * The median over the rounds: of a value, or of the ratio of two that were measured one after the other.
 *
 * @param {Target} target @param {Map<string, Sample[]>} samples
 */
function judge({ text, of, to, what = 'perSecond', times = 1, least, most }, samples) {
  const others = to === undefined ? null : samples.get(to);
  const values = (samples.get(of) ?? []).map((sample, round) => {
    const value = Number(sample[what] ?? NaN) * times;
    return others === null ? value : value / Number(others?.[round]?.[what] ?? NaN);
  });
  const value = median(values);
  // By the cost of one request, database included: other load on the machine hardly affects it.
  const byCpu = median(
    what !== 'perSecond' || others === null
      ? []
      : (samples.get(of) ?? []).map((sample, round) => (cpuOf(others?.[round]) / cpuOf(sample)) * times),
  );
  const met = Number.isNaN(value)
    ? null
    : (least === undefined || value >= least) && (most === undefined || value <= most);
  return {
    text,
    value,
    byCpu,
    least,
    most,
    met: least === undefined && most === undefined ? null : met,
    rounds: values,
  };
}

/** @param {Sample | undefined} sample */
const cpuOf = (sample) => Number(sample?.cpuMicros ?? NaN) + Number(sample?.databaseCpuMicros ?? 0);

/** @param {Sample[]} samples @param {keyof Sample} member */
const middle = (samples, member) => median(samples.map((sample) => Number(sample[member] ?? NaN)));

/** @param {number} value @param {number} [digits] */
const formatNumber = (value, digits = 0) =>
  Number.isNaN(value)
    ? ''
    : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** @param {boolean | null} met */
const verdict = (met) => (met === null ? '' : met ? 'met' : '**not met**');

/** @param {Result[]} results @param {Record<string, unknown>} run */
export function summarise(results, run) {
  return {
    ...run,
    machine: {
      processors: availableParallelism(),
      model: cpus()[0]?.model ?? '',
      memoryGb: Math.round(totalmem() / 1024 ** 3),
    },
    node: process.version,
    rows: results.map(({ row, samples, failed }) => ({
      id: row.id,
      title: row.title,
      connections: row.connections ?? 64,
      note: row.note,
      failed,
      contestants: [...samples].map(([name, all]) => ({
        name,
        perSecond: middle(all, 'perSecond'),
        p50: middle(all, 'p50'),
        p99: middle(all, 'p99'),
        cpuMicros: middle(all, 'cpuMicros'),
        databaseCpuMicros: middle(all, 'databaseCpuMicros'),
        residentMb: middle(all, 'residentMb'),
        othersP99: middle(all, 'othersP99'),
        rounds: all,
      })),
      targets: row.targets.map((target) => judge(target, samples)),
    })),
  };
}

/** @typedef {ReturnType<typeof summarise>} Summary */

/** @param {Summary} summary */
export function tableOf({ rows, ...run }) {
  const { machine } = run;
  const busy = /** @type {any} */ (run).busy
    ? ' **The machine was busy with other work**: trust the ratios, not the numbers.'
    : '';
  const lines = [
    `Run of ${/** @type {any} */ (run).at}: ${/** @type {any} */ (run).users} users, ${/** @type {any} */ (run).rounds} rounds of ` +
      `${/** @type {any} */ (run).seconds} s, ${machine.processors} × ${machine.model}, ${machine.memoryGb} GB, Node ${run.node}.${busy}`,
    '',
    '| Call | Program | c | per second | p50 ms | p99 ms | CPU µs (+ database) | memory MB |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const row of rows)
    for (const [index, one] of row.contestants.entries()) {
      const database = one.databaseCpuMicros > 0 ? ` (+ ${formatNumber(one.databaseCpuMicros)})` : '';
      lines.push(
        `| ${index === 0 ? row.title : ''} | ${one.name} | ${Number.isNaN(one.p99) ? '' : row.connections} | ${formatNumber(one.perSecond, one.perSecond < 10 ? 1 : 0)} | ` +
          `${formatNumber(one.p50, 2)} | ${formatNumber(one.p99, 2)} | ${formatNumber(one.cpuMicros)}${database} | ${formatNumber(one.residentMb)} |`,
      );
    }
  lines.push('', '| Call | Must reach | Reached | by processor time | |', '| --- | --- | --- | --- | --- |');
  for (const row of rows) {
    for (const target of row.targets)
      lines.push(
        `| ${row.title} | ${target.text} | ${formatNumber(target.value, 2)} | ${formatNumber(target.byCpu, 2)} | ${verdict(target.met)} |`,
      );
    if (row.failed !== undefined) lines.push(`| ${row.title} | | | | **failed**: ${row.failed.split('\n')[0]} |`);
  }
  const notes = [...new Set(rows.flatMap(({ note }) => note ?? []))];
  if (notes.length > 0) lines.push('', ...notes.map((note) => `- ${note}`));
  return `${lines.join('\n')}\n`;
}

/** For a terminal: columns instead of bars. @param {string} table */
export function plain(table) {
  const lines = table
    .replaceAll('**', '')
    .split('\n')
    .filter((line) => !/^\| ---/.test(line));
  /** @type {string[][]} */
  let block = [];
  /** @type {string[]} */
  const out = [];
  const flush = () => {
    const widths = block[0]?.map((_, column) => Math.max(...block.map((cells) => cells[column]?.length ?? 0))) ?? [];
    for (const cells of block)
      out.push(
        cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    block = [];
  };
  for (const line of lines) {
    if (line.startsWith('|')) {
      block.push(
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
      continue;
    }
    flush();
    out.push(line);
  }
  flush();
  return out.join('\n');
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Each target as a bar: the share that was reached, 1 being just enough. @param {Summary} summary */
export function chartOf({ rows }) {
  const bars = rows.flatMap((row) =>
    row.targets.flatMap(({ text, value, least, most, met }) => {
      const share = least !== undefined ? value / least : most !== undefined ? most / value : NaN;
      return Number.isNaN(share) ? [] : [{ label: `${row.title}: ${text}`, value, share, met }];
    }),
  );
  const [height, left, unit, width] = [22, 620, 130, 1_100];
  const lines = bars.map(({ label, value, share, met }, index) => {
    const y = 30 + index * height;
    const length = Math.min(share * unit, width - left - 60);
    return (
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escaped(label)}</text>` +
      `<rect x="${left}" y="${y + 3}" width="${length.toFixed(1)}" height="${height - 8}" fill="${met ? '#2b8a3e' : '#c92a2a'}"/>` +
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + 14}">${formatNumber(value, 2)}</text>`
    );
  });
  const bottom = 36 + bars.length * height;
  const mark = `<line x1="${left + unit}" y1="24" x2="${left + unit}" y2="${bottom}" stroke="#000" stroke-dasharray="3 3"/>`;
  return svg(
    width,
    bottom + 8,
    `<text x="${left + unit}" y="16" text-anchor="middle">the target</text>${lines.join('\n')}${mark}`,
  );
}

/**
 * Curves over a logarithmic axis, as small charts side by side.
 *
 * @param {{ title: string, axis: string, curves: { name: string, points: [number, number][] }[] }[]} charts
 */
export function curvesOf(charts) {
  const [wide, high, colours] = [460, 260, ['#1864ab', '#c92a2a', '#2b8a3e', '#e67700', '#5f3dc4']];
  const drawn = charts.map(({ title, axis, curves }, chart) => {
    const points = curves.flatMap((curve) => curve.points);
    const xs = points.map(([x]) => Math.log(x));
    const [first, last, most] = [Math.min(...xs), Math.max(...xs), Math.max(...points.map(([, y]) => y))];
    const x = (/** @type {number} */ value) => 60 + ((Math.log(value) - first) / (last - first || 1)) * (wide - 190);
    const y = (/** @type {number} */ value) => high - 40 - (value / most) * (high - 80);
    const lines = curves.map(({ name, points: of }, index) => {
      const colour = colours[index % colours.length];
      const [endX, endY] = of.at(-1) ?? [1, 0];
      return (
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${of.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ')}"/>` +
        `<text x="${(x(endX) + 6).toFixed(1)}" y="${(y(endY) + 4).toFixed(1)}" fill="${colour}">${escaped(name)} ${formatNumber(endY)}</text>`
      );
    });
    const ticks = [...new Set(points.map(([px]) => px))].map(
      (px) => `<text x="${x(px).toFixed(1)}" y="${high - 22}" text-anchor="middle">${formatNumber(px)}</text>`,
    );
    return (
      `<g transform="translate(${(chart % 2) * wide} ${Math.floor(chart / 2) * high})"><text x="60" y="22" font-weight="bold">${escaped(title)}</text>` +
      `<line x1="60" y1="${high - 40}" x2="${wide - 130}" y2="${high - 40}" stroke="#888"/>${ticks.join('')}` +
      `<text x="60" y="${high - 6}">${escaped(axis)}</text>${lines.join('\n')}</g>`
    );
  });
  return svg(2 * wide, Math.ceil(charts.length / 2) * high, drawn.join('\n'));
}

/** @param {number} width @param {number} height @param {string} content */
const svg = (width, height, content) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">` +
  `<rect width="100%" height="100%" fill="#fff"/>\n${content}\n</svg>\n`;

/** @param {string} folder @param {Record<string, string>} files */
export async function writeAll(folder, files) {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}
