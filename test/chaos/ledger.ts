// Writes to the registry all the time, each under a reason of its own, and knows of each whether it was acknowledged, refused
// or left without an answer. At the end the registry must say the same, once in its revisions and once in what is stored.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Answer, Operator } from '#test/chaos/operator.ts';
import type { Oracle } from '#test/chaos/oracle.ts';
import type { Random } from '#test/chaos/random.ts';
import { LEDGER_PATH, LEDGER_SERVER } from '#test/chaos/tenants.ts';

type Fate = 'acknowledged' | 'refused' | 'unknown';

type Entry = {
  /** Stands in X-Change-Reason, so that it is found again in the revisions. */
  readonly reason: string;
  readonly change: 'create' | 'delete' | 'create again' | 'nonsense';
  readonly grant: string;
  readonly fate: Fate;
};

export type Ledger = {
  /** Ends the writing; waits for the write that is out. */
  stop(): Promise<void>;
  /** Compares; what differs goes to the oracle. The registry must be there. @returns writes by fate */
  verify(): Promise<Readonly<Record<Fate, number>>>;
};

/** Between two writes, milliseconds: some are under way at every fault, and the registry does other things too. */
const PAUSE_MS = 150;

/** Grants that stay; beyond, every other write deletes one. */
const KEPT = 20;

const grantOf = (reason: string) => ({
  serverId: LEDGER_SERVER,
  subjects: [{ kind: 'user', id: reason }],
  tools: ['*'],
  prompts: [],
  resources: [],
});

/** What a write became, and whether its answer is one that must not be. */
const fateOf = (
  answer: Answer | 'lost',
  isMeant: boolean,
): { fate: Fate; outcome: string; isBad: boolean } => {
  if (answer === 'lost') return { fate: 'unknown', outcome: 'no answer', isBad: true };
  const { status } = answer;
  if (status < 300) return { fate: 'acknowledged', outcome: String(status), isBad: !isMeant };
  if (status >= 500) return { fate: 'unknown', outcome: String(status), isBad: true };
  return { fate: 'refused', outcome: String(status), isBad: isMeant };
};

const isProblem = ({ body }: Answer): boolean =>
  String((body as { readonly type?: unknown } | undefined)?.type).startsWith('urn:mcpgw:problem:');

type Listed = { readonly items: readonly Readonly<Record<string, unknown>>[] };

/** A list to its end. @throws if the registry does not answer */
const readAll = async (operator: Operator, path: string): Promise<Listed['items']> => {
  const items: Listed['items'][number][] = [];
  for (let next = path; next !== ''; ) {
    const answer = await operator('GET', next);
    if (answer === 'lost' || answer.status !== 200)
      throw new Error(`the registry does not say what it holds: ${JSON.stringify(answer)}`);
    items.push(...(answer.body as Listed).items);
    next = /<([^>]+)>; rel="next"/i.exec(answer.link)?.[1] ?? '';
    next = URL.canParse(next) ? new URL(next).pathname + new URL(next).search : next;
  }
  return items;
};

/** Grants that the writes in the revisions leave behind. */
const grantsAfter = (entries: readonly Entry[], found: ReadonlyMap<string, number>): readonly string[] => {
  const grants = new Set<string>();
  for (const { reason, change, grant } of entries) {
    if ((found.get(reason) ?? 0) === 0) continue;
    if (change === 'delete') grants.delete(grant);
    else grants.add(grant);
  }
  return [...grants].toSorted();
};

const WANTED: Readonly<Record<Fate, (count: number) => boolean>> = {
  acknowledged: (count) => count === 1,
  refused: (count) => count === 0,
  unknown: (count) => count <= 1,
};

/** How many revisions there are for each reason. */
const countRevisions = async (operator: Operator): Promise<ReadonlyMap<string, number>> => {
  const found = new Map<string, number>();
  for (const item of await readAll(operator, `${LEDGER_PATH}/revisions?limit=100`)) {
    const reason = String(item['reason']);
    found.set(reason, (found.get(reason) ?? 0) + 1);
  }
  return found;
};

/** Writes whose revisions are not as their answers said. */
const strayWrites = (entries: readonly Entry[], found: ReadonlyMap<string, number>): readonly string[] =>
  entries.flatMap(({ reason, change, fate }) => {
    const count = found.get(reason) ?? 0;
    return WANTED[fate](count)
      ? []
      : [`registry: a write (${change}) that was ${fate} has ${count} revisions`];
  });

/** True if a grant holds what it was written with. */
const isWhole = (stored: Listed['items'][number]): boolean =>
  Object.entries(grantOf(String(stored['id']))).every(([name, value]) =>
    isDeepStrictEqual(stored[name], value),
  );

/** Starts writing. */
export const startLedger = (operator: Operator, random: Random, oracle: Oracle): Ledger => {
  const entries: Entry[] = [];
  const there: string[] = [];
  let isStopping = false;

  const nextWrite = (): Omit<Entry, 'fate'> => {
    const reason = `write-${entries.length + 1}`;
    const old = there.length > 0 ? random.pick(there) : undefined;
    if (old !== undefined && random.next() < 0.1) return { reason, change: 'create again', grant: old };
    if (random.next() < 0.1) return { reason, change: 'nonsense', grant: reason };
    if (old !== undefined && there.length > KEPT && random.next() < 0.6)
      return { reason, change: 'delete', grant: old };
    return { reason, change: 'create', grant: reason };
  };

  const send = ({ reason, change, grant }: Omit<Entry, 'fate'>): Promise<Answer | 'lost'> => {
    const path = `${LEDGER_PATH}/grants/${grant}`;
    if (change === 'delete')
      return operator('DELETE', path, undefined, { 'x-change-reason': reason, 'if-match': '*' });
    const body = change === 'nonsense' ? { tools: 'all' } : grantOf(reason);
    return operator('PUT', path, body, { 'x-change-reason': reason, 'if-none-match': '*' });
  };

  const remember = (entry: Entry): void => {
    const { change, grant, fate } = entry;
    entries.push(entry);
    if (change === 'create' && fate === 'acknowledged') there.push(grant);
    if (change === 'delete' && fate !== 'refused') there.splice(there.indexOf(grant), 1);
  };

  const write = async (next: Omit<Entry, 'fate'>): Promise<void> => {
    const startedAt = Date.now();
    const answer = await send(next);
    const isMeant = next.change === 'create' || next.change === 'delete';
    const { fate, outcome, isBad } = fateOf(answer, isMeant);
    remember({ ...next, fate });
    oracle.wrote(startedAt, outcome, isBad);
    if (answer !== 'lost' && answer.status >= 400 && !isProblem(answer))
      oracle.violated(`registry: a refusal with ${answer.status} that is no problem document`);
  };

  const writing = (async () => {
    while (!isStopping) {
      await write(nextWrite());
      await sleep(PAUSE_MS);
    }
  })();

  return {
    stop: async () => {
      isStopping = true;
      await writing;
    },
    verify: async () => {
      const found = await countRevisions(operator);
      for (const what of strayWrites(entries, found)) oracle.violated(what);
      const grants = await readAll(operator, `${LEDGER_PATH}/grants`);
      const stored = grants.map(({ id }) => String(id)).toSorted();
      const told = grantsAfter(entries, found);
      if (JSON.stringify(stored) !== JSON.stringify(told))
        oracle.violated(`registry: ${stored.length} grants are stored, its revisions make ${told.length}`);
      for (const grant of grants.filter((each) => !isWhole(each)))
        oracle.violated('registry: a grant is stored otherwise than it was written', JSON.stringify(grant));
      const counts = { acknowledged: 0, refused: 0, unknown: 0 };
      for (const { fate } of entries) counts[fate] += 1;
      return counts;
    },
  };
};
