// `npm run bench`: how fast the product is beside its peers. Everything runs on this machine by itself; contenders take
// turns, and what is told are ratios inside a round. How to read it: docs/performance.md.

import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { RowResult } from '#test/bench/core/judge.ts';
import { type BenchOptions, chosenGroups, parseOptions } from '#test/bench/core/options.ts';
import { runGroups } from '#test/bench/core/run-groups.ts';
import { markdownTable, textTable, verdict } from '#test/bench/core/table.ts';
import { GROUPS } from '#test/bench/groups.ts';

const MIB = 2 ** 20;

/** In general terms: enough to judge absolute figures by, nothing that names the machine. */
const machine = () => ({
  cores: cpus().length,
  memoryMiB: Math.round(totalmem() / MIB),
  platform: `${process.platform} ${process.arch}`,
  node: process.versions.node,
});

const defaultFile = (startedAt: Date): string =>
  join('.local', 'bench', `${startedAt.toISOString().replaceAll(':', '-').slice(0, 19)}.json`);

const writeReport = async (
  { json, rounds, seconds }: BenchOptions,
  startedAt: Date,
  rows: readonly RowResult[],
): Promise<string> => {
  const file = json ?? defaultFile(startedAt);
  await mkdir(dirname(file), { recursive: true });
  const report = { startedAt, machine: machine(), rounds, seconds, rows };
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  return file;
};

const tell = async (options: BenchOptions, startedAt: Date, rows: readonly RowResult[]): Promise<void> => {
  if (rows.length === 0) return;
  const file = await writeReport(options, startedAt, rows);
  const { cores, memoryMiB, platform, node } = machine();
  console.log(`\n${options.isMarkdown ? markdownTable(rows) : textTable(rows)}\n`);
  console.log(`${verdict(rows)}`);
  console.log(
    `${options.rounds} rounds of ${options.seconds} s a turn; ${cores} cores, ${memoryMiB} MiB, ${platform}, Node ${node}; ${file}`,
  );
};

/** What was measured is told whatever comes after it. */
const run = async (options: BenchOptions): Promise<void> => {
  const startedAt = new Date();
  const rows: RowResult[] = [];
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const onRows = (more: readonly RowResult[]) => void rows.push(...more);
  try {
    await runGroups(chosenGroups(GROUPS, options.only), { ...options, say, onRows });
  } finally {
    await tell(options, startedAt, rows);
  }
};

const options = parseOptions(process.argv.slice(2), GROUPS);
if (!options.ok) {
  process.stderr.write(`${options.error}\n`);
  process.exit(2);
}
try {
  await run(options.value);
  process.exit(0);
} catch (thrown) {
  process.stderr.write(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exit(1);
}
