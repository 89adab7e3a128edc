// Looking at people of one directory, a batch at a time, and putting on record whose tokens are ended.

import { err, ok, type Result } from '#core/result.ts';
import type { AskGraph } from '#ext-authz/graph/ask-graph.ts';
import type { ActivePeople } from '#ext-authz/revocation/active-people.ts';
import {
  type GraphSession,
  lookAtPeople,
  MAX_BATCH,
  type PersonFinding,
} from '#ext-authz/revocation/graph-people.ts';
import { judgeFinding, type PersonMark } from '#ext-authz/revocation/judge-finding.ts';

/** What did not come to be known, for the log. */
export type RoundFault = {
  readonly step: 'token' | 'sweep' | 'look' | 'report';
  readonly detail: string;
};

export type LookParts = {
  readonly ask: AskGraph;
  readonly people: ActivePeople;
  /** Puts a mark on record. False: it could not be, and is tried again with the next look. */
  readonly report: (oid: string, mark: PersonMark) => Promise<boolean>;
};

export const roundFault = (step: RoundFault['step'], detail: string): Result<never, RoundFault> =>
  err({ step, detail });

const chunksOf = (oids: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(oids.length / MAX_BATCH) }, (_, index) =>
    oids.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
  );

const settle = async (
  { people, report }: LookParts,
  oid: string,
  { finding, nowSeconds }: { readonly finding: PersonFinding; readonly nowSeconds: number },
): Promise<boolean> => {
  const person = people.find(oid, nowSeconds);
  const mark = person === undefined ? undefined : judgeFinding(finding, person, nowSeconds);
  if (mark === undefined) return true;
  const isOnRecord = await report(oid, mark);
  if (isOnRecord) people.ended(oid, mark.notBefore - 1);
  return isOnRecord;
};

const lookAtBatch = async (
  parts: LookParts,
  session: GraphSession,
  oids: readonly string[],
): Promise<Result<true, RoundFault>> => {
  const looked = await lookAtPeople(parts.ask, session, oids);
  if (!looked.ok) return roundFault('look', looked.error.detail);
  const { nowSeconds } = session;
  const findings = oids.map((oid) => [oid, looked.value.get(oid) ?? { kind: 'unknown' }] as const);
  const settled = await Promise.all(
    findings.map(([oid, finding]) => settle(parts, oid, { finding, nowSeconds })),
  );
  if (settled.includes(false)) return roundFault('report', 'a mark could not be put on record');
  const isWhole = findings.every(([, { kind }]) => kind !== 'unknown');
  return isWhole ? ok(true) : roundFault('look', 'nothing was learnt of some');
};

/**
 * Looks at everybody named, one batch after the other: a directory is asked politely. What failed does not keep the rest
 * from being looked at.
 * @returns ok where all of it is known and on record.
 */
export const lookAtAll = async (
  parts: LookParts,
  session: GraphSession,
  oids: readonly string[],
): Promise<Result<true, RoundFault>> => {
  let outcome: Result<true, RoundFault> = ok(true);
  for (const batch of chunksOf(oids)) {
    const looked = await lookAtBatch(parts, session, batch);
    if (!looked.ok) outcome = looked;
  }
  return outcome;
};
