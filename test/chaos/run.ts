// `npm run chaos`: the running product under load while its parts are killed, hung, cut off and restarted. Ends with 1 if
// anything happened that must not happen under any fault.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ChaosReport, runChaos, violationsIn } from '#test/chaos/chaos.ts';
import { combine } from '#test/chaos/combine.ts';
import { EXPERIMENTS, type Group, groupsOf, SHORT } from '#test/chaos/experiments.ts';
import { createRandom } from '#test/chaos/random.ts';
import { describeOutcome, describeRepetition, describeReport } from '#test/chaos/report.ts';

const USAGE = `npm run chaos -- [options]
  --list              names of the experiments
  --only <text>       those whose name holds the text; may be given several times
  --short             the four that the suite runs
  --combinations <n>  so many random combinations after each group (default 6; 0 with --only and --short)
  --seconds <n>       how long each fault lasts
  --rate <n>          calls a second (default 40)
  --seed <n>          draws calls and combinations as that run did
  --json <file>       where the report goes as JSON
  --logs <directory>  where the logs of all parts are copied to`;

const OPTIONS = {
  list: { type: 'boolean' },
  only: { type: 'string', multiple: true },
  short: { type: 'boolean' },
  combinations: { type: 'string' },
  seconds: { type: 'string' },
  rate: { type: 'string', default: '40' },
  seed: { type: 'string' },
  json: { type: 'string' },
  logs: { type: 'string' },
} as const;

const stop = (text: string): never => {
  console.error(text);
  process.exit(2);
};

const read = () => {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (thrown) {
    return stop(`${thrown instanceof Error ? thrown.message : thrown}\n\n${USAGE}`);
  }
};

const numberOf = (name: string, text: string): number => {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 ? value : stop(`--${name} takes a number\n\n${USAGE}`);
};

const values = read();
const seed = numberOf('seed', values.seed ?? String(Math.floor(Math.random() * 1_000_000)));
const isPart = values.only !== undefined || values.short === true;
const combinations = numberOf('combinations', values.combinations ?? (isPart ? '0' : '6'));

const random = createRandom(seed);

/** What was asked for of a group, and as many combinations of it. */
const choose = ({ world, experiments }: Group): Group => {
  const chosen = experiments.filter(
    ({ name }) =>
      (values.short !== true || SHORT.includes(name)) &&
      (values.only === undefined || values.only.some((text) => name.includes(text))),
  );
  const drawn = Array.from({ length: combinations }, () => combine(experiments, random));
  return { world, experiments: [...chosen, ...drawn] };
};

const groups = groupsOf(seed)
  .map(choose)
  .filter(({ experiments }) => experiments.length > 0);
if (groups.length === 0) stop(`no experiment has that name; --list shows them`);

if (values.list === true) {
  for (const { name, promise } of EXPERIMENTS) console.log(`${name.padEnd(60)}  ${promise}`);
  process.exit(0);
}

const startedAt = Date.now();
const say = (line: string): void =>
  console.log(`${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(5)} s  ${line}`);

say(`${groups.flatMap(({ experiments }) => experiments).length} experiments, seed ${seed}`);
/** Whatever becomes of it: what a run that broke off has seen is as good as what one saw that did not. */
process.once('exit', (status) => {
  console.log(describeRepetition(process.argv.slice(2), seed));
  if (status !== 0 && values.logs === undefined)
    console.log('with --logs <directory> it keeps the logs of all parts');
});
const reports: ChaosReport[] = [];
for (const group of groups) {
  const report = await runChaos({
    seed,
    ...group,
    rate: numberOf('rate', values.rate),
    holdMs: values.seconds === undefined ? undefined : numberOf('seconds', values.seconds) * 1_000,
    logsTo: values.logs,
    say,
    onOutcome: (outcome) => console.log(describeOutcome(outcome)),
  });
  console.log(describeReport(report));
  reports.push(report);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, null, 2)}\n`);
process.exit(reports.flatMap(violationsIn).length === 0 ? 0 : 1);
