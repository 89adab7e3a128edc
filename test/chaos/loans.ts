// Grants that come and go under the load: one tool of each server is lent to a few callers and taken back, again and again,
// through the registry's API. The book knows what a call of that tool must have become: once the registry says that a
// withdrawal is applied, nothing may reach a server until the tool is lent again.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Operator } from '#test/chaos/operator.ts';
import type { Oracle } from '#test/chaos/oracle.ts';
import {
  BORROWERS,
  LENT_TOOL,
  peopleOf,
  SERVERS,
  type Server,
  TENANTS,
  type Tenant,
} from '#test/chaos/people.ts';
import type { Random } from '#test/chaos/random.ts';

/** Of a tenant and one of its servers, by id. */
export type Place = { readonly tenant: string; readonly server: string };

/** `changing`: a write is under way, or nobody said that the last one is applied everywhere. */
type LoanState = 'lent' | 'withdrawn' | 'changing';

export type LoanBook = {
  note(place: Place, state: LoanState): void;
  /**
   * What held from `from` to `to`, both milliseconds since the epoch: `changing` where it did not hold throughout. The past
   * does not change by what is noted later.
   */
  between(place: Place, from: number, to: number): LoanState;
};

const keyOf = ({ tenant, server }: Place): string => `${tenant}/${server}`;

/** @param nowMs wall clock, which is that of the MCP servers too. */
export const createLoanBook = (nowMs: () => number = Date.now): LoanBook => {
  const notes = new Map<string, { readonly at: number; readonly state: LoanState }[]>();
  return {
    note: (place, state) => {
      const old = notes.get(keyOf(place)) ?? [];
      notes.set(keyOf(place), [...old, { at: nowMs(), state }]);
    },
    between: (place, from, to) => {
      const known = notes.get(keyOf(place)) ?? [];
      // Both moments count as inside: a millisecond holds many things.
      if (known.some(({ at }) => at >= from && at <= to)) return 'changing';
      return known.findLast(({ at }) => at < from)?.state ?? 'withdrawn';
    },
  };
};

/** Between two changes, milliseconds: each place rests for about two seconds, which is many calls. */
const PAUSE_MS = 500;

/** Less than an operator waits for an answer, seconds. */
const APPLIED_SECONDS = 5;

const grantOf = (tenant: Tenant, server: Server): object => ({
  serverId: server.id,
  subjects: BORROWERS.map((index) => ({ kind: 'user', id: peopleOf(tenant)[index]?.oid })),
  tools: [LENT_TOOL],
  prompts: [],
  resources: [],
});

const isDone = ({ status }: Answer): boolean => status < 300;

type Rollout = { readonly consumers: readonly { readonly state: string }[] };

/** True if everybody who decides has it. Who has been away for long is not waited for, and has it when he comes back. */
const isEverywhere = async (operator: Operator, answer: Answer): Promise<boolean> => {
  if (!isDone(answer) || answer.rollout !== 'applied') return false;
  const said = await operator('GET', /<([^>]+)>/.exec(answer.link)?.[1] ?? '');
  if (said === 'lost' || said.status !== 200) return false;
  return (said.body as Rollout).consumers.every(({ state }) => state === 'applied');
};

/** That it is there already, or gone already: an earlier write whose answer was lost. */
const WAS_DONE: readonly number[] = [404, 412];

/** Begins to lend. @returns what ends it */
export const startLoans = (
  operator: Operator,
  { random, book, oracle }: { readonly random: Random; readonly book: LoanBook; readonly oracle: Oracle },
): { stop(): Promise<void> } => {
  const lent = new Set<string>();
  let isStopping = false;

  const write = (tenant: Tenant, server: Server, lends: boolean): Promise<Answer | 'lost'> => {
    const path = `/v1/tenants/${tenant.id}/grants/lent-${server.id}?wait=applied&waitSeconds=${APPLIED_SECONDS}`;
    return lends
      ? operator('PUT', path, grantOf(tenant, server), { 'if-none-match': '*' })
      : operator('DELETE', path, undefined, { 'if-match': '*' });
  };

  /** @returns undefined where nobody knows whether it was carried out. */
  const tell = (startedAt: number, answer: Answer | 'lost'): Answer | undefined => {
    const isKnown = answer !== 'lost' && answer.status < 500;
    const isMeant = isKnown && (isDone(answer) || WAS_DONE.includes(answer.status));
    oracle.wrote(startedAt, answer === 'lost' ? 'no answer' : String(answer.status), !isMeant);
    return isKnown ? answer : undefined;
  };

  const change = async (tenant: Tenant, server: Server): Promise<void> => {
    const place = { tenant: tenant.id, server: server.id };
    const lends = !lent.has(keyOf(place));
    const startedAt = Date.now();
    book.note(place, 'changing');
    const answer = tell(startedAt, await write(tenant, server, lends));
    if (answer === undefined) return;
    if (lends) lent.add(keyOf(place));
    else lent.delete(keyOf(place));
    if (await isEverywhere(operator, answer)) book.note(place, lends ? 'lent' : 'withdrawn');
  };

  const lending = (async () => {
    while (!isStopping) {
      await change(random.pick(TENANTS), random.pick(SERVERS));
      await sleep(PAUSE_MS);
    }
  })();
  return {
    stop: async () => {
      isStopping = true;
      await lending;
    },
  };
};
