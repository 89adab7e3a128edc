// `npm run bench:sanitation`: 10 KB of text through all built-in detectors, and through each, on plain texts, on texts
// with findings and on texts made to be slow; beside them the plain loop of regular expressions that one would write
// first, in the same run. Prints microseconds (least, median, most) and ratios, and how time grows with the text.

import { BUILT_IN_DETECTORS } from '#ext-proc/sanitation/detectors/built-in.ts';
import { PLAIN_LOOP, runPlainLoop } from '#test/bench/sanitation-plain-loop.ts';
import { HOSTILE_TEXTS, PLAIN_TEXTS, TEXTS_WITH_FINDINGS } from '#test/bench/sanitation-texts.ts';
import { filled, SIZE, type Spread, scan, scanAll, timeOf } from '#test/bench/sanitation-times.ts';

const WARM_UP = 200;
const ROUNDS = 300;
/** The loop is quadratic on some texts: few rounds tell that as well. */
const LOOP_ROUNDS = 15;

const out = (line: string): void => void process.stdout.write(`${line}\n`);

const number = (value: number): string => value.toFixed(value < 100 ? 1 : 0).padStart(8);
const told = ({ least, median, most }: Spread): string =>
  `${number(least)}${number(median)}${number(most)} µs`;

const texts = [
  ...PLAIN_TEXTS.map(([name, piece]) => ({ group: 'plain', name, piece })),
  ...TEXTS_WITH_FINDINGS.map(([name, piece]) => ({ group: 'found', name, piece })),
  ...HOSTILE_TEXTS.map(([name, piece]) => ({ group: 'hostile', name, piece })),
];

for (let round = 0; round < WARM_UP; round += 1) for (const { piece } of texts) scanAll(filled(piece, 2_048));

out(
  `All detectors on ${SIZE} characters, ${ROUNDS} rounds; the plain loop of ${PLAIN_LOOP.length} expressions.`,
);
out(
  `${'text'.padEnd(34)}${'findings'.padStart(8)}${'least'.padStart(9)}  median    most      slowest detector          the loop, median  ratio`,
);
let clean = 0;
let worst = { name: '', median: 0 };
for (const { group, name, piece } of texts) {
  const time = timeOf(piece, scanAll, ROUNDS);
  const each = BUILT_IN_DETECTORS.map((detector) => ({
    name: detector.name,
    median: timeOf(piece, (text) => void scan(detector, text), Math.floor(ROUNDS / 3)).median,
  })).sort((a, b) => b.median - a.median);
  const loop = timeOf(piece, runPlainLoop, LOOP_ROUNDS).median;
  if (group === 'plain') clean = Math.max(clean, time.median);
  if (group === 'hostile' && time.median > worst.median) worst = { name, median: time.median };
  const slowest = `${each[0]?.name} ${number(each[0]?.median ?? 0).trim()}`;
  const label = `${group}: ${name}`.padEnd(34);
  const ratio = (loop / time.median).toFixed(1);
  out(
    `${label}${String(scanAll(filled(piece))).padStart(8)}${told(time)}   ${slowest.padEnd(26)}${number(loop)} µs${ratio.padStart(9)}`,
  );
}
out(
  `Slowest plain text ${number(clean).trim()} µs, slowest hostile one (${worst.name}) ${number(worst.median).trim()} µs: ${(worst.median / clean).toFixed(1)} times.`,
);

out(
  '\nFour times the text: how many times as long at the least, which other processes disturb the least (a rule that is quadratic would be near 16).',
);
for (const { group, name, piece } of texts) {
  if (group !== 'hostile') continue;
  const short = timeOf(piece, scanAll, ROUNDS / 3);
  const long = timeOf(piece, scanAll, ROUNDS / 3, 4 * SIZE);
  out(`${name.padEnd(34)}${(long.least / short.least).toFixed(1).padStart(8)}`);
}
