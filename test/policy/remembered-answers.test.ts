// What a caller is answered out of memory is what the policy would say if it were asked: whatever grants, callers, servers,
// versions and policies replace each other in between, come back, or are the same facts in other objects.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SUBJECT_KINDS } from '#core/grant.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import {
  ALICE,
  grant,
  NOW_MS,
  PRIORITY,
  SERVER,
  tenant,
  tool,
  toolCall,
  VERSION,
} from '#test/support/policy-world.ts';

const module = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
  data: {},
  entrypoints: ENTRYPOINTS,
});
const compiled = createWasmEngine({ module, revision: 'a', readsArguments: false, rulesAreKnown: true });

let evaluations = 0;
const ruling: PolicyEngine = {
  ...compiled,
  evaluate: (input) => {
    evaluations += 1;
    return compiled.evaluate(input);
  },
};

/** The second says the same under another name, the third refuses whatever the others allow. */
const ENGINES: readonly PolicyEngine[] = [
  ruling,
  { ...ruling, revision: 'b' },
  { ...ruling, revision: 'c', evaluate: (input) => ruling.evaluate({ ...input, grants: [] }) },
];

const NAMES = ['create_issue', 'list_issues', 'purge'];

const of = <const T>(...values: readonly T[]) => fc.constantFrom<T>(...values);
/** Any of them, and as often all: what nobody is allowed shows little. */
const some = (...values: readonly string[]): fc.Arbitrary<readonly string[]> =>
  fc.oneof(fc.constant(values), fc.subarray([...values]));

/** So many of each stand by, to be put in each other's place; few, so that what was asked is asked again. */
const SPARES = 3;
const spare = fc.nat(SPARES - 1);
const spares = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.array(one, { minLength: SPARES, maxLength: SPARES });

const facts = {
  kind: of('user', 'user', 'user', 'app'),
  issuerId: of('contoso', 'contoso', 'contoso', 'fabrikam'),
  groups: some('engineering', 'on-call'),
  roles: some('auditor'),
  scopes: some('tools.use', 'issues.write', 'partner.use'),
  guest: of(false, false, false, true),
};
const subject = fc.record(
  {
    kind: of(...SUBJECT_KINDS),
    id: of('engineering', 'auditor', 'oid-alice', 'app-cli'),
    issuerId: of('contoso', 'fabrikam'),
  },
  { requiredKeys: ['kind', 'id'] },
);
const names = fc.oneof(some(...NAMES), fc.constant(['*']));
const subjects = fc.array(subject, { minLength: 2, maxLength: 4 });
const grants = fc.array(fc.record({ subjects, tools: names, prompts: names, resources: names }), {
  maxLength: 3,
});
const tools = fc.record({ pinned: some(...NAMES), requiredScopes: some('tools.use', 'issues.write') });
const kind = of('tool', 'tool', 'prompt', 'resource');
const target = fc.record({ kind, name: of(...NAMES) });
const calls = fc.record({
  method: of('tools/call', 'prompts/get', 'ping'),
  targets: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(target) },
    { weight: 1, arbitrary: fc.tuple(target, target) },
    { weight: 1, arbitrary: fc.constant([]) },
  ),
});
const argument = of({}, { priority: 'low' }, { priority: 'critical' });

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ asks: spare, call: spare, arguments: argument }) },
  // Without any of its facts it is another token that says what the one before said.
  { weight: 2, arbitrary: fc.record({ renews: spare, facts: fc.record(facts, { requiredKeys: [] }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ puts: of('grants', 'servers', 'versions', 'engines'), inPlace: spare }),
  },
);

const history = fc.record({
  callers: spares(fc.record(facts).map((said) => ({ ...ALICE, ...said }))),
  calls: spares(calls.map((said) => ({ ...toolCall('create_issue'), ...said }))),
  grants: spares(grants.map((all) => all.map((said, index) => grant(`g${index}`, said)))),
  servers: spares(
    fc
      .record({
        id: of(SERVER.id, SERVER.id, SERVER.id, 'another'),
        constraints: of([], [PRIORITY]),
        bindings: of([], SERVER.bindings),
      })
      .map((said) => ({ ...SERVER, ...said })),
  ),
  versions: spares(
    tools.map(({ pinned, requiredScopes }) => ({
      ...VERSION,
      tools: pinned.map((name) => tool(name, { requiredScopes })),
    })),
  ),
  steps: fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
});

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

const nth = <T>(list: readonly T[], index: number): T => list[index] ?? expect.fail('no such spare');

/** The questions of a history, each with the policy that serves when it is asked. */
function* play(told: History): Generator<{ engine: PolicyEngine; question: PolicyQuestion }> {
  // Memory hangs on objects: a history that is tried again, to make it smaller, must have others.
  const { steps, ...world } = structuredClone(told);
  const callers = [...world.callers];
  const at = { grants: 0, servers: 0, versions: 0, engines: 0 };
  for (const taken of steps) {
    if ('puts' in taken) at[taken.puts] = taken.inPlace;
    else if ('renews' in taken) callers[taken.renews] = { ...nth(callers, taken.renews), ...taken.facts };
    else {
      const server = nth(world.servers, at.servers);
      const question = {
        tenant: tenant(nth(world.grants, at.grants), server),
        server,
        version: nth(world.versions, at.versions),
        identity: nth(callers, taken.asks),
        call: { ...nth(world.calls, taken.call), arguments: taken.arguments },
        request: { nowMs: NOW_MS },
      };
      yield { engine: nth(ENGINES, at.engines), question };
    }
  }
}

it('are those the policy gives when it is asked', { timeout: 120_000 }, () => {
  const judgeBy = (engine: PolicyEngine, question: PolicyQuestion) =>
    createPolicy({ holder: { current: () => engine } }).judge(question);
  const counts = { asked: 0, remembered: 0, allowed: 0 };
  fc.assert(
    fc.property(history, (told) => {
      for (const { engine, question } of play(told)) {
        const before = evaluations;
        const answer = judgeBy(engine, question);
        counts.asked += 1;
        if (evaluations === before) counts.remembered += 1;
        if (answer.ok) counts.allowed += 1;
        // Of copies nothing is known, and to rules that nobody knows every name of the grants is told.
        expect(answer).toEqual(judgeBy({ ...engine, rulesAreKnown: false }, structuredClone(question)));
      }
    }),
    { numRuns: 1_000 },
  );
  // Else nothing was compared that could differ.
  expect(counts.remembered).toBeGreaterThan(counts.asked / 10);
  expect(counts.allowed).toBeGreaterThan(counts.asked / 20);
});
