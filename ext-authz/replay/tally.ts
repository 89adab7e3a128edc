// What a replay has found so far: how many decisions of which kind change, for which tenants, tools and callers. Counts
// are kept for so many names and no more, whatever the log holds.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { CHANGES, type Change, type Difference } from '#ext-authz/replay/compare.ts';
import type { RecordedDecision } from '#ext-authz/replay/read-event.ts';

/** Names counted one by one for each kind of change; all further ones are counted together. */
const MAX_NAMES = 10_000;
const OTHERS = '(others)';
const MAX_EXAMPLES = 20;

export type Example = Difference & {
  readonly decisionId: string;
  readonly requestId?: string;
  readonly tenant: string;
  readonly caller: string;
  readonly target: string;
};

export type Found = {
  readonly count: number;
  /** Of those, decisions whose record lacks what the call was made with: whether they change cannot be known. */
  readonly uncertain: number;
  readonly tenants: Readonly<Record<string, number>>;
  readonly targets: Readonly<Record<string, number>>;
  readonly callers: Readonly<Record<string, number>>;
  readonly examples: readonly Example[];
};

type Counting = {
  count: number;
  uncertain: number;
  tenants: Map<string, number>;
  targets: Map<string, number>;
  callers: Map<string, number>;
  examples: Example[];
};

const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

const callerOf = (input: JsonObject): string => {
  const { issuerId, oid, subject, kind, app } = object(input['identity']);
  return `${String(issuerId)}:${String(kind === 'app' ? app : (oid ?? subject))}`;
};

const targetOf = (input: JsonObject): string => {
  const { method, kind, targets } = object(input['call']);
  const [first] = Array.isArray(targets) ? targets : [];
  const name = isJsonObject(first) ? String(first['name']) : String(method ?? kind);
  return `${String(object(input['server'])['id'])}/${name}`;
};

const add = (counts: Map<string, number>, name: string): void => {
  const known = counts.has(name) || counts.size < MAX_NAMES ? name : OTHERS;
  counts.set(known, (counts.get(known) ?? 0) + 1);
};

const exampleOf = ({ decisionId, input }: RecordedDecision, difference: Difference): Example => {
  const { id } = object(input['request']);
  return {
    decisionId,
    ...(typeof id === 'string' ? { requestId: id } : {}),
    tenant: String(input['tenant']),
    caller: callerOf(input),
    target: targetOf(input),
    ...difference,
  };
};

/** The most frequent first. */
const sorted = (counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> =>
  Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));

export type Tally = {
  same(): void;
  unreadable(): void;
  changed(recorded: RecordedDecision, difference: Difference, uncertain: boolean): void;
  /** What the record lacked. */
  lacked(pointers: readonly string[]): void;
  answeredBy(revision: string): void;
  summary(): Summary;
};

export type Summary = {
  readonly decisions: number;
  readonly same: number;
  readonly unreadable: number;
  readonly changes: Readonly<Partial<Record<Change, Found>>>;
  readonly lacking: Readonly<Record<string, number>>;
  readonly recordedBy: Readonly<Record<string, number>>;
};

export const createTally = (): Tally => {
  const changes = new Map<Change, Counting>();
  const lacking = new Map<string, number>();
  const recordedBy = new Map<string, number>();
  let [same, changed, unreadable] = [0, 0, 0];
  const countingOf = (change: Change): Counting => {
    const known = changes.get(change);
    if (known !== undefined) return known;
    const begun = {
      count: 0,
      uncertain: 0,
      tenants: new Map(),
      targets: new Map(),
      callers: new Map(),
      examples: [],
    };
    changes.set(change, begun);
    return begun;
  };
  return {
    same: () => {
      same += 1;
    },
    unreadable: () => {
      unreadable += 1;
    },
    changed: (recorded, difference, uncertain) => {
      changed += 1;
      const counting = countingOf(difference.change);
      const example = exampleOf(recorded, difference);
      counting.count += 1;
      if (uncertain) counting.uncertain += 1;
      add(counting.tenants, example.tenant);
      add(counting.targets, example.target);
      add(counting.callers, example.caller);
      if (counting.examples.length < MAX_EXAMPLES) counting.examples.push(example);
    },
    lacked: (pointers) => {
      for (const pointer of pointers) add(lacking, pointer);
    },
    answeredBy: (revision) => add(recordedBy, revision),
    summary: () => ({
      decisions: same + changed,
      same,
      unreadable,
      changes: Object.fromEntries(
        CHANGES.flatMap((change) => {
          const found = changes.get(change);
          if (found === undefined) return [];
          const [tenants, targets, callers] = [found.tenants, found.targets, found.callers].map(sorted);
          return [[change, { ...found, tenants, targets, callers }]];
        }),
      ),
      lacking: sorted(lacking),
      recordedBy: sorted(recordedBy),
    }),
  };
};
