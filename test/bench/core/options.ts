// The options of `npm run bench`. Pure.

import { parseArgs } from 'node:util';
import { err, ok, type Result } from '#core/result.ts';
import type { BenchGroup } from '#test/bench/core/row.ts';

export type BenchOptions = {
  readonly rounds: number;
  readonly seconds: number;
  /** Ids of rows or groups; empty: all. */
  readonly only: readonly string[];
  /** Absent: a file of the day's name in `.local/bench`. */
  readonly json?: string;
  readonly isShort: boolean;
  readonly isMarkdown: boolean;
};

export const USAGE =
  'usage: npm run bench -- [--rounds N] [--seconds N] [--only row,group,…] [--json FILE] [--short] [--markdown]';

/** Fewer than five rounds say nothing of a median's spread; short ones only show that all of it works. */
const USUAL = { rounds: 5, seconds: 2 };
const SHORT = { rounds: 2, seconds: 0.5 };

const FLAGS = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  only: { type: 'string' },
  json: { type: 'string' },
  short: { type: 'boolean' },
  markdown: { type: 'boolean' },
} as const;

const positive = (text: string | undefined, usual: number): number => {
  const value = text === undefined ? usual : Number(text);
  return Number.isFinite(value) && value > 0 ? value : Number.NaN;
};

const parseFlags = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: FLAGS }).values;
  } catch {
    return undefined;
  }
};

/** @returns the options, or a line that says what was not understood. */
export const parseOptions = (
  argv: readonly string[],
  groups: readonly BenchGroup[],
): Result<BenchOptions, string> => {
  const flags = parseFlags(argv);
  if (flags === undefined) return err(USAGE);
  const isShort = flags.short === true;
  const usual = isShort ? SHORT : USUAL;
  const rounds = positive(flags.rounds, usual.rounds);
  const seconds = positive(flags.seconds, usual.seconds);
  if (!Number.isInteger(rounds) || Number.isNaN(seconds)) return err(USAGE);
  const only = (flags.only ?? '').split(',').filter((id) => id !== '');
  const known = new Set(groups.flatMap(({ id, rows }) => [id, ...rows.map((row) => row.id)]));
  const unknown = only.filter((id) => !known.has(id));
  if (unknown.length > 0) return err(`no row ${unknown.join(', ')}; there are: ${[...known].join(', ')}`);
  const { json, markdown } = flags;
  return ok({
    rounds,
    seconds,
    only,
    isShort,
    isMarkdown: markdown === true,
    ...(json === undefined ? {} : { json }),
  });
};

/** The groups with the rows that are wanted, those without any left out. */
export const chosenGroups = (
  groups: readonly BenchGroup[],
  only: readonly string[],
): readonly BenchGroup[] => {
  if (only.length === 0) return groups;
  return groups
    .map((group) => ({
      ...group,
      rows: only.includes(group.id) ? group.rows : group.rows.filter(({ id }) => only.includes(id)),
    }))
    .filter(({ rows }) => rows.length > 0);
};
