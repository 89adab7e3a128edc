// `npm run soak -- --minutes N [--every S] [--rate R] [--seed S]`: the whole product under constant load. Prints a line at
// intervals, then the slope of each figure per hour with its error; ends with 1 where one grows or a call went wrong.

import { parseArgs } from 'node:util';
import { describeViolations } from '#test/chaos/violations.ts';
import { runSoak, type Series } from '#test/soak/run-soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    every: { type: 'string', default: '5' },
    rate: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
  },
});

const numberOf = (name: keyof typeof values): number => {
  const value = Number(values[name]);
  if (!(value > 0)) throw new Error(`--${name} takes a number`);
  return value;
};

const SECONDS_AN_HOUR = 3_600;

const report = await runSoak({
  seconds: numberOf('minutes') * 60,
  everySeconds: numberOf('every'),
  rate: numberOf('rate'),
  seed: numberOf('seed'),
  say: console.log,
});

const anHour = (slope: number): string => (slope * SECONDS_AN_HOUR).toFixed(1);

const rowOf = ({ unit, verdict }: Series) =>
  verdict === undefined
    ? { median: 'too few samples' }
    : {
        median: `${verdict.median.toFixed(1)} ${unit}`,
        'an hour': anHour(verdict.slope),
        'with 95 %': `${anHour(verdict.low)} to ${anHour(verdict.high)}`,
        'surely grew by': verdict.sureGrowth.toFixed(1),
        allowed: verdict.allowed.toFixed(1),
        grows: verdict.grows ? 'GROWS' : '',
      };

console.table(Object.fromEntries(report.series.map((series) => [series.name, rowOf(series)])));

const faults = [
  ...report.series
    .filter(({ verdict }) => verdict?.grows === true)
    .map(({ name, unit, verdict }) => `${name} grew by ${verdict?.sureGrowth.toFixed(1)} ${unit} at least`),
  ...report.series
    .filter(({ verdict }) => verdict === undefined)
    .map(({ name }) => `${name}: too few samples`),
  ...Object.entries(report.bad).map(([what, count]) => `${count} × ${what}`),
  ...describeViolations(report.violations).map((line) => line.trim()),
];
console.log(`${report.calls} calls and writes, ${faults.length === 0 ? 'nothing grew' : 'faults:'}`);
for (const fault of faults) {
  console.log(`FAULT: ${fault}`);
  process.exitCode = 1;
}
