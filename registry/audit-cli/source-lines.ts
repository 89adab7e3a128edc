// Every record there is, the registry's first, then those of the processes, chain by chain; each with the place where the
// key of its subject would be.

import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { unwrapSubjectKey } from '#core/audit/subject-key.ts';
import { chainPlaces, subjectsDirectory } from '#registry/audit-cli/audit-places.ts';
import { withRegistry } from '#registry/audit-cli/registry-database.ts';
import type { Options } from '#registry/manifest-cli/command.ts';
import { auditRows } from '#registry/store/audit-verify.ts';
import type { Database } from '#registry/store/tables.ts';
import { chainsIn } from '#runtime/audit/chain-directory.ts';
import { linesOfChain } from '#runtime/audit/chain-lines.ts';
import { findSubjectKey } from '#runtime/audit/subject-ring.ts';

export type SourceLine = {
  readonly line: string;
  /** The key of a pseudonym; undefined once it was erased. */
  readonly findKey: (pseudonym: string) => Promise<KeyObject | undefined>;
};

type Give = (source: SourceLine) => Promise<void>;

const findRow = async (database: Database, keys: AuditKeys, pseudonym: string) => {
  const row = await database
    .selectFrom('audit_subjects')
    .selectAll()
    .where('pseudonym', '=', pseudonym)
    .executeTakeFirst();
  return row === undefined ? undefined : unwrapSubjectKey(keys, pseudonym, row);
};

const giveRegistry = (keys: AuditKeys, file: string | undefined, give: Give) =>
  withRegistry({ file, mode: 'read' }, async (database) => {
    const findKey = (pseudonym: string) => findRow(database, keys, pseudonym);
    for await (const { line } of auditRows(database)) await give({ line, findKey });
  });

const giveProcesses = async (keys: AuditKeys, directory: string | undefined, give: Give): Promise<void> => {
  const subjects = subjectsDirectory();
  const findKey = async (pseudonym: string) => findSubjectKey(keys, subjects, pseudonym);
  for (const place of chainPlaces(directory)) {
    for (const chain of chainsIn(place.directory)) {
      const lines = linesOfChain(join(place.directory, chain));
      for await (const { line, whole } of lines) if (whole) await give({ line, findKey });
    }
  }
};

/** Everything this machine has, or what the options name. */
export const forEachLine = async (
  keys: AuditKeys,
  { directory, database }: Options,
  give: Give,
): Promise<void> => {
  const isAll = directory === undefined && database === undefined;
  if (isAll || database !== undefined) await giveRegistry(keys, database, give);
  if (isAll || directory !== undefined) await giveProcesses(keys, directory, give);
};
