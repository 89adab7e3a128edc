// `audit:export`: records as JSON lines, as they are stored; unfiltered, `audit:verify` takes the file. With
// `--personal open` it adds what is sealed, for those who may read it: such lines are for reading, not for verifying.

import type { KeyObject } from 'node:crypto';
import { type AuditKeys, pseudonymOf } from '#core/audit/audit-key.ts';
import { type AuditRecord, readRecord } from '#core/audit/record.ts';
import { openRecord } from '#core/audit/subject.ts';
import { auditKeys } from '#registry/audit-cli/audit-places.ts';
import { forEachLine, type SourceLine } from '#registry/audit-cli/source-lines.ts';
import { type Command, type Options, readArguments, stop } from '#registry/manifest-cli/command.ts';

const USAGE =
  'usage: npm run -s audit:export -- [--directory <audit directory>] [--database <SQLite file>] [--from <time>] [--to <time>] [--tenant <id>] [--subject <principal>] [--personal open]';

type Filter = (record: AuditRecord) => boolean;

const momentOf = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? stop(`--${option} is no time, e.g. 2026-01-31T12:00:00Z`) : ms;
};

const filterOf = (keys: AuditKeys, options: Options): Filter | undefined => {
  const { tenant, subject } = options;
  const from = momentOf('from', options['from']);
  const to = momentOf('to', options['to']);
  const names = subject === undefined ? undefined : keys.all.map((key) => pseudonymOf(key, subject));
  if (from === undefined && to === undefined && tenant === undefined && names === undefined) return undefined;
  return (record) => {
    const ms = Date.parse(record.at);
    const isInTime = (from === undefined || ms >= from) && (to === undefined || ms < to);
    const isOfTenant = tenant === undefined || record.body['tenant'] === tenant;
    return isInTime && isOfTenant && (names === undefined || names.includes(record.subject ?? ''));
  };
};

/** With what is sealed, for a person who may read it. */
const view = (record: AuditRecord, key: KeyObject | undefined): string => {
  const { sealed: _sealed, mac: _mac, previous: _previous, key: _key, ...open } = record;
  const personal = record.subject === undefined ? {} : { personal: openRecord(record, key) ?? 'erased' };
  return JSON.stringify({ ...open, ...personal });
};

const print = async (line: string): Promise<void> => {
  if (!process.stdout.write(`${line}\n`))
    await new Promise((resolve) => process.stdout.once('drain', resolve));
};

type Treatment = {
  readonly keys: AuditKeys;
  readonly filter: Filter | undefined;
  readonly isOpened: boolean;
};

/** The line to print; undefined if it is filtered out, false if it is not authentic and so cannot be judged. */
const treat = async (
  { keys, filter, isOpened }: Treatment,
  { line, findKey }: SourceLine,
): Promise<string | undefined | false> => {
  // Unfiltered, a line goes out as it stands, also one that is not right: the file is evidence.
  if (filter === undefined && !isOpened) return line;
  const read = readRecord(keys, line);
  if (!read.ok) return false;
  if (filter?.(read.value) === false) return undefined;
  if (!isOpened) return line;
  const { subject } = read.value;
  return view(read.value, subject === undefined ? undefined : await findKey(subject));
};

export const exportRecords: Command = async (args) => {
  const { options } = readArguments(args, {
    options: ['directory', 'database', 'from', 'to', 'tenant', 'subject', 'personal'],
    files: 0,
    usage: USAGE,
  });
  const { personal } = options;
  if (!['open', undefined].includes(personal)) return stop(USAGE);
  const keys = auditKeys();
  const treatment = { keys, filter: filterOf(keys, options), isOpened: personal === 'open' };
  let unreadable = 0;
  await forEachLine(keys, options, async (source) => {
    const treated = await treat(treatment, source);
    if (treated === false) unreadable += 1;
    else if (treated !== undefined) await print(treated);
  });
  return {
    output: '',
    notes: unreadable === 0 ? [] : [`${unreadable} lines left out: not authentic, see audit:verify`],
    failed: unreadable > 0,
  };
};
