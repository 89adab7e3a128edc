// Verifies the audit of a database from its rows alone: the keyed chain against its head and checkpoints, the columns
// that are searched against the records they were taken from, and the chain without a key against the record binding it.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { type PublicCheckpointKey, readCheckpoint } from '#core/audit/checkpoint.ts';
import { readHead } from '#core/audit/head.ts';
import type { AuditRecord } from '#core/audit/record.ts';
import type { ChainVerdict, Found } from '#core/audit/verdict.ts';
import { type ChainVerifier, createChainVerifier, type Witness } from '#core/audit/verify-chain.ts';
import { isJsonObject } from '#core/json.ts';
import { HEAD_KEY } from '#registry/store/audit-append.ts';
import { CHAIN_START, findBrokenLink } from '#registry/store/audit-chain.ts';
import type { Database, Tables } from '#registry/store/tables.ts';

type VerifierKeys = { readonly keys: AuditKeys; readonly signers: readonly PublicCheckpointKey[] };

/** Records read at once. */
const PAGE = 1_000;

/** Rows of the keyed chain in their order. */
export async function* auditRows(database: Database): AsyncGenerator<Tables['audit_records']> {
  for (let from = 0; ; ) {
    const rows = await database
      .selectFrom('audit_records')
      .selectAll()
      .where('number', '>', from)
      .orderBy('number')
      .limit(PAGE)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows;
    from = last.number;
  }
}

/** Signed checkpoints, oldest first. */
export const checkpointRows = async (database: Database): Promise<readonly string[]> => {
  const rows = await database.selectFrom('audit_checkpoints').select('jws').orderBy('number').execute();
  return rows.map(({ jws }) => jws);
};

const headOf = async (database: Database): Promise<string> => {
  const row = await database
    .selectFrom('meta')
    .select('value')
    .where('key', '=', HEAD_KEY)
    .executeTakeFirst();
  return row?.value ?? '';
};

const isTrueTo = (row: Tables['audit_records'], record: AuditRecord): boolean => {
  const { tenant = '', action = '', sequence = null } = record.body;
  return (
    row.number === record.sequence &&
    row.kind === record.kind &&
    row.at === record.at &&
    row.subject === (record.subject ?? null) &&
    row.tenant === tenant &&
    row.action === action &&
    row.sequence === sequence
  );
};

type Walked = { readonly columns: Found | undefined; readonly opening: AuditRecord | undefined };

const walk = async (database: Database, verifier: ChainVerifier): Promise<Walked> => {
  let columns: Found | undefined;
  let opening: AuditRecord | undefined;
  for await (const row of auditRows(database)) {
    const record = verifier.take(row.line);
    if (record === undefined) break;
    opening ??= record;
    if (!isTrueTo(row, record)) columns ??= { fault: 'edited', sequence: record.sequence };
  }
  return { columns, opening };
};

/** The first record of the chain without a key that is not as it was; its end must be the one that was bound. */
const findUnkeyedFault = async (
  database: Database,
  opening: AuditRecord | undefined,
): Promise<Found | undefined> => {
  let previous = CHAIN_START;
  let last = 0;
  for (;;) {
    const rows = await database
      .selectFrom('audit')
      .selectAll()
      .where('sequence', '>', last)
      .orderBy('sequence')
      .limit(PAGE)
      .execute();
    const fault = findBrokenLink(
      rows.map(({ tenant, ...row }) => ({ ...row, tenantId: tenant })),
      previous,
    );
    if (fault !== undefined) return { fault: 'edited', sequence: fault, by: 'the chain without a key' };
    const end = rows.at(-1);
    if (end === undefined) break;
    [previous, last] = [end.digest, end.sequence];
  }
  const bound = opening?.body['unkeyed'];
  if (opening === undefined || (!isJsonObject(bound) && last === 0)) return undefined;
  const isBound = isJsonObject(bound) && bound['sequence'] === last && bound['digest'] === previous;
  return isBound ? undefined : { fault: 'tail_missing', sequence: last + 1, by: 'the chain without a key' };
};

const ownWitnesses = async (database: Database, { keys, signers }: VerifierKeys) => {
  const text = await headOf(database);
  const head = readHead(keys, text);
  const checkpoints = (await checkpointRows(database)).map((jws) => readCheckpoint(signers, jws));
  const known = checkpoints.filter((checkpoint) => checkpoint !== undefined);
  const witnesses: Witness[] = [
    ...known.map((checkpoint) => ({ ...checkpoint, by: 'its checkpoint' })),
    ...(head === undefined ? [] : [{ ...head, by: 'its head' }]),
  ];
  const isHeadFault = head === undefined && text !== '';
  const fault: Found | undefined =
    known.length < checkpoints.length
      ? { fault: 'checkpoint_invalid', sequence: 0 }
      : isHeadFault
        ? { fault: 'head_invalid', sequence: 0 }
        : undefined;
  return { witnesses, fault };
};

/** Name of the chain: what its first line says, if that is authentic, or else what knows of it. */
const chainOf = async (database: Database, witnesses: readonly Witness[]): Promise<string> => {
  const [named] = witnesses;
  if (named !== undefined) return named.chain;
  for await (const { line } of auditRows(database)) {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? String(value['chain']) : 'registry';
  }
  return 'registry';
};

/** The verdict on the audit of a database; undefined if nothing was ever written to it. */
export const verifyDatabase = async (
  database: Database,
  verifierKeys: VerifierKeys,
  anchored: readonly Witness[] = [],
): Promise<ChainVerdict | undefined> => {
  const own = await ownWitnesses(database, verifierKeys);
  const chain = await chainOf(database, own.witnesses);
  const witnesses = [...anchored, ...own.witnesses].filter((witness) => witness.chain === chain);
  const verifier = createChainVerifier(verifierKeys.keys, { chain, witnesses });
  const { columns, opening } = await walk(database, verifier);
  const verdict = verifier.finish();
  const unkeyed = await findUnkeyedFault(database, opening);
  const isMissing = unkeyed?.fault === 'tail_missing';
  if (verdict.records === 0 && own.witnesses.length === 0 && unkeyed === undefined) {
    if (verdict.integrity === undefined) return undefined;
  }
  return {
    ...verdict,
    integrity: verdict.integrity ?? columns ?? own.fault ?? (isMissing ? undefined : unkeyed),
    completeness: verdict.completeness ?? (isMissing ? unkeyed : undefined),
  };
};
