// `audit:export`: records as JSON lines, as they are stored; unfiltered, `audit:verify` takes the file. With
// `--personal open` it adds what is sealed, for those who may read it: such lines are for reading, not for verifying.

import { join } from 'node:path';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { pseudonymOf } from '#core/audit/audit-key.ts';
import { type AuditRecord, readRecord } from '#core/audit/record.ts';
import { openRecord } from '#core/audit/subject.ts';
import { auditKeys, chainPlaces, subjectsDirectory } from '#registry/audit-cli/audit-places.ts';
import { type Command, type Options, readArguments, stop } from '#registry/manifest-cli/command.ts';
import { chainsIn } from '#runtime/audit/chain-directory.ts';
import { linesOfChain } from '#runtime/audit/chain-lines.ts';
import { findSubjectKey } from '#runtime/audit/subject-ring.ts';

const USAGE =
  'usage: npm run -s audit:export -- [--directory <audit directory>] [--from <time>] [--to <time>] [--tenant <id>] [--subject <principal>] [--personal open]';

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

const createView = (keys: AuditKeys) => {
  const directory = subjectsDirectory();
  return (record: AuditRecord): string => {
    const { subject } = record;
    const key = subject === undefined ? undefined : findSubjectKey(keys, directory, subject);
    const personal = subject === undefined ? {} : { personal: openRecord(record, key) ?? 'erased' };
    const { sealed: _sealed, mac: _mac, previous: _previous, key: _key, ...open } = record;
    return JSON.stringify({ ...open, ...personal });
  };
};

const print = async (line: string): Promise<void> => {
  if (!process.stdout.write(`${line}\n`))
    await new Promise((resolve) => process.stdout.once('drain', resolve));
};

type Treatment = {
  readonly keys: AuditKeys;
  readonly filter: Filter | undefined;
  readonly view: ((record: AuditRecord) => string) | undefined;
};

/** The line to print; undefined if it is filtered out, false if it is not authentic and so cannot be judged. */
const treat = ({ keys, filter, view }: Treatment, line: string): string | undefined | false => {
  // Unfiltered, a line goes out as it stands, also one that is not right: the file is evidence.
  if (filter === undefined && view === undefined) return line;
  const read = readRecord(keys, line);
  if (!read.ok) return false;
  if (filter?.(read.value) === false) return undefined;
  return view?.(read.value) ?? line;
};

async function* linesOfAll(directory: string | undefined): AsyncGenerator<string> {
  for (const place of chainPlaces(directory)) {
    for (const chain of chainsIn(place.directory)) {
      for await (const { line, whole } of linesOfChain(join(place.directory, chain))) if (whole) yield line;
    }
  }
}

export const exportRecords: Command = async (args) => {
  const { options } = readArguments(args, {
    options: ['directory', 'from', 'to', 'tenant', 'subject', 'personal'],
    files: 0,
    usage: USAGE,
  });
  if (!['open', undefined].includes(options['personal'])) return stop(USAGE);
  const keys = auditKeys();
  const view = options['personal'] === 'open' ? createView(keys) : undefined;
  const treatment = { keys, filter: filterOf(keys, options), view };
  let unreadable = 0;
  for await (const line of linesOfAll(options['directory'])) {
    const treated = treat(treatment, line);
    if (treated === false) unreadable += 1;
    else if (treated !== undefined) await print(treated);
  }
  return {
    output: '',
    notes: unreadable === 0 ? [] : [`${unreadable} lines left out: not authentic, see audit:verify`],
    failed: unreadable > 0,
  };
};
