// The judges of `npm run chaos`, shown what they must not overlook: an oracle that sees nothing proves nothing.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { judge, type Verdict } from '#test/chaos/answers.ts';
import type { Arrival } from '#test/chaos/arrivals.ts';
import { type DecisionRecord, judgeRecords } from '#test/chaos/audit-check.ts';
import type { Call, Caller } from '#test/chaos/calls.ts';
import { combine } from '#test/chaos/combine.ts';
import type { Experiment } from '#test/chaos/experiment.ts';
import { changeAndRestore } from '#test/chaos/faults/registry-changes.ts';
import { startLedger } from '#test/chaos/ledger.ts';
import { createLoanBook, type LoanBook, startLoans } from '#test/chaos/loans.ts';
import type { Answer, Operator } from '#test/chaos/operator.ts';
import { createOracle } from '#test/chaos/oracle.ts';
import { peopleOf, SERVERS, TENANTS } from '#test/chaos/people.ts';
import { createRandom } from '#test/chaos/random.ts';
import { describeRepetition } from '#test/chaos/report.ts';
import { runExperiment } from '#test/chaos/runner.ts';
import { describeViolations } from '#test/chaos/violations.ts';
import type { World } from '#test/chaos/world.ts';
import type { Heard } from '#test/support/http-clients.ts';

const [tenant, stranger] = TENANTS as [(typeof TENANTS)[0], (typeof TENANTS)[0]];
const [server] = SERVERS as [(typeof SERVERS)[0]];
const [user, other] = peopleOf(tenant) as [Caller['user'], Caller['user']];

const caller: Caller = {
  user,
  tenant,
  server,
  era: 'stateless',
  version: '1.1',
  token: 'own',
  mayErase: true,
  borrows: true,
};

const call = (changes: Partial<Call> = {}): Call => ({
  id: 'call-1',
  caller,
  expect: 'allowed',
  kind: 'count',
  method: 'tools/call',
  tool: 'count',
  token: 'own',
  tenantId: tenant.id,
  serverId: server.id,
  events: 0,
  ...changes,
});

const facts = {
  kind: 'user' as const,
  sub: 's',
  oid: user.oid,
  tid: tenant.tid,
  app: server.gatewayApplication,
  aud: server.api,
  scopes: [],
  roles: [],
  digest: 'exchanged',
};

const arrival = (changes: Partial<Arrival> = {}): Arrival => ({
  at: Date.now(),
  tenant: tenant.id,
  server: server.id,
  http: 'POST',
  method: 'tools/call',
  tool: 'count',
  call: 'call-1',
  requestId: 'r-1',
  token: facts,
  ...changes,
});

const heard = (body: object, changes: Partial<Heard> = {}): Heard => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  text: JSON.stringify({ jsonrpc: '2.0', id: 'call-1', ...body }),
  end: 'whole',
  ...changes,
});

const resultOf = (oid: string, id = 'call-1') => ({
  result: { content: [{ type: 'text', text: JSON.stringify({ call: id, oid }) }] },
});

const refusal = (reason: string, code: number) => ({ error: { code, message: 'no', data: { reason } } });

describe('what a client heard', () => {
  it.each([
    ['the answer of the call', heard(resultOf(user.oid)), 'worked'],
    ['the answer of somebody else', heard(resultOf(other.oid)), 'wrong'],
    ['the answer of another call', heard(resultOf(user.oid, 'call-2')), 'wrong'],
    ['a refusal from the list', heard(refusal('tool_not_granted', -31302)), 'refused'],
    ['a reason that is not in the list', heard(refusal('because', -31302)), 'wrong'],
    ['a reason with the code of another', heard(refusal('tool_not_granted', -31301)), 'wrong'],
    ['a reason with the status of another', heard(refusal('policy_failed', -31304)), 'wrong'],
    ['a challenge without its header', heard(refusal('token_expired', -31207), { status: 401 }), 'wrong'],
    [
      'a refusal declared as a page',
      heard(refusal('tool_not_granted', -31302), { headers: { 'content-type': 'text/html' } }),
      'wrong',
    ],
    ['an empty 503', heard({}, { status: 503, text: '' }), 'wrong'],
    ['a page', heard({}, { status: 502, text: '<html>' }), 'wrong'],
    ['nothing', heard({}, { status: 0, text: '', end: 'ECONNREFUSED' }), 'broken'],
    ['half an answer', heard({}, { text: '{"jsonrpc":', end: 'cut' }), 'broken'],
  ])('%s', (_, answer, kind) => {
    expect(judge(call(), answer).kind).toBe(kind);
  });

  it('an answer to a call that is not allowed', () => {
    const forbidden = call({ expect: ['tool_not_granted'] });
    expect(judge(forbidden, heard(resultOf(user.oid))).kind).toBe('wrong');
  });

  it('a list that was not cut for its caller', () => {
    const list = call({ method: 'tools/list', tool: '', caller: { ...caller, mayErase: false } });
    const tools = ['read', 'count', 'watch', 'erase'].map((name) => ({ name }));
    expect(judge(list, heard({ result: { tools } })).kind).toBe('wrong');
    expect(judge(list, heard({ result: { tools: tools.slice(0, 3) } })).kind).toBe('worked');
  });

  it('an event of somebody else in a stream that broke later', () => {
    const event = (oid: string) =>
      `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'm', params: { data: { oid, call: 'call-1' } } })}\n\n`;
    const stream = (text: string) =>
      judge(
        call({ tool: 'watch', events: 5 }),
        heard({}, { text, end: 'cut', headers: { 'content-type': 'text/event-stream' } }),
      );
    expect(stream(event(user.oid)).kind).toBe('broken');
    expect(stream(event(user.oid) + event(other.oid)).kind).toBe('wrong');
  });
});

describe('a stream', () => {
  const event = (sent: number) =>
    `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'm', params: { data: { oid: user.oid, call: 'call-1', sent } } })}\n\n`;
  const result = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 'call-1', ...resultOf(user.oid) })}\n\n`;

  it.each<[string, string, string, Verdict['kind']]>([
    ['with all its events', event(1) + event(2) + result, 'whole', 'worked'],
    ['that broke after some', event(1), 'cut', 'broken'],
    ['without the first', event(2) + result, 'whole', 'wrong'],
    ['without one in the middle, broken later', event(1) + event(3), 'cut', 'wrong'],
    ['without the last', event(1) + result, 'whole', 'wrong'],
    ['with one twice', event(1) + event(1) + event(2) + result, 'whole', 'wrong'],
    ['that ends in silence', event(1) + event(2), 'whole', 'wrong'],
  ])('%s', (_, text, end, kind) => {
    const headers = { 'content-type': 'text/event-stream' };
    const verdict = judge(call({ tool: 'watch', events: 2 }), heard({}, { text, end, headers }));
    expect(verdict.kind).toBe(kind);
  });
});

describe('what reached a server', () => {
  const violationsOf = (sent: Call, ...arrived: Arrival[]): readonly string[] => {
    const oracle = createOracle((digest) => digest === 'own');
    oracle.sent(sent);
    oracle.arrived(arrived);
    return oracle.violations().map(({ what }) => what);
  };

  it('is nothing to speak of when it is the call with the token for its caller', () => {
    expect(violationsOf(call(), arrival())).toEqual([]);
    expect(violationsOf(call({ tool: 'read' }), arrival(), arrival())).toEqual([]);
  });

  it.each([
    ['a call that is not allowed', call({ expect: ['token_missing'] }), [arrival()]],
    ["another one's token", call(), [arrival({ token: { ...facts, oid: other.oid } })]],
    ['the token of another directory', call(), [arrival({ token: { ...facts, tid: stranger.tid } })]],
    ["the caller's own token", call(), [arrival({ token: { ...facts, digest: 'own' } })]],
    ['the token of another application', call(), [arrival({ token: { ...facts, app: 'other' } })]],
    ['a token that is no good', call(), [arrival({ token: 'a bearer token is required' })]],
    ['a call of nobody', call(), [arrival({ call: 'call-9' })]],
    ['a call at another place', call(), [arrival({ tenant: stranger.id })]],
    ['a call that is not to be repeated, twice', call(), [arrival(), arrival()]],
    ['a call without a request id, which no log knows', call(), [arrival({ requestId: '' })]],
    [
      "a session opened with another one's token",
      call(),
      [arrival({ call: 'call-1-open', token: { ...facts, oid: other.oid } })],
    ],
    ['a session opened at another place', call(), [arrival({ call: 'call-1-open', tenant: stranger.id })]],
  ])('%s', (_, sent, arrived) => {
    expect(violationsOf(sent, ...arrived)).toHaveLength(1);
  });

  it('an answered call that no server has seen', () => {
    const oracle = createOracle(() => false);
    oracle.sent(call());
    oracle.ended(call(), Date.now(), { kind: 'worked' });
    expect(oracle.unseen()).toEqual(['call-1']);
  });
});

describe('what is on record', () => {
  const forbidden = call({ id: 'call-2', tool: 'erase', expect: ['tool_not_granted'] });

  const findings = (...bodies: readonly DecisionRecord['body'][]): readonly string[] => {
    const oracle = createOracle(() => false);
    oracle.sent(call());
    oracle.arrived([arrival()]);
    oracle.ended(forbidden, Date.now(), { kind: 'refused', reason: 'tool_not_granted', requestId: 'r-2' });
    const records = bodies.map((body) => ({ kind: 'decision', body }));
    return judgeRecords(oracle.due(), records).map(({ what, evidence }) => `${what}: ${evidence}`);
  };

  const where = { tenant: tenant.id, server: server.id };
  const allowed = { ...where, requestId: 'r-1', tool: 'count', decision: 'allow' };
  const denied = { ...where, requestId: 'r-2', tool: 'erase', decision: 'deny' };

  it('is nothing to speak of when each call is there once, as what it was', () => {
    expect(findings(allowed, denied)).toEqual([]);
  });

  it.each<[string, readonly DecisionRecord['body'][], string]>([
    ['an allowed call that is missing', [denied], 'is not on record: call-1'],
    ['a refused call that is missing', [allowed], 'is not on record: call-2'],
    ['a call that is there twice', [allowed, allowed, denied], 'more than once: call-1'],
    ['an allowed call as refused', [{ ...allowed, decision: 'deny' }, denied], 'as deny: call-1'],
    ['a refused call as allowed', [allowed, { ...denied, decision: 'allow' }], 'as allow: call-2'],
    ['a call under another tool', [{ ...allowed, tool: 'read' }, denied], 'as another call: call-1'],
    ['a call of another tenant', [{ ...allowed, tenant: stranger.id }, denied], 'as another call: call-1'],
  ])('%s', (_, bodies, expected) => {
    expect(findings(...bodies)).toEqual([expect.stringContaining(expected)]);
  });
});

describe('a tool that is lent and taken back', () => {
  const place = { tenant: tenant.id, server: server.id };
  const borrow = call({ tool: 'borrow', expect: 'as lent' });
  const list = call({ method: 'tools/list', tool: '' });
  const refused: Verdict = { kind: 'refused', reason: 'tool_not_granted' };

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000, toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  type Step = Parameters<LoanBook['note']>[1] | 'call' | 'answer';

  /** What was found of a call, one step a second. */
  const judged = (steps: readonly Step[], verdict: Verdict, sent: Call = borrow) => {
    const book = createLoanBook();
    const oracle = createOracle(() => false, book);
    const end = (): void => {
      oracle.ended(sent, 1_000 * (steps.indexOf('call') + 1), verdict);
      if (verdict.kind === 'worked') oracle.arrived([arrival({ at: Date.now() })]);
    };
    for (const [index, step] of steps.entries()) {
      vi.setSystemTime(1_000 * (index + 1));
      if (step === 'call') oracle.sent(sent);
      else if (step === 'answer') end();
      else book.note(place, step);
    }
    return [oracle.violations().length, oracle.records()[0]?.isBad];
  };

  const worked: Verdict = { kind: 'worked' };
  const failed: Verdict = { kind: 'refused', reason: 'policy_failed' };

  it.each<[string, readonly Step[], Verdict, readonly [number, boolean]]>([
    ['works while it is lent', ['lent', 'call', 'answer'], worked, [0, false]],
    ['is not to be refused then', ['lent', 'call', 'answer'], refused, [0, true]],
    ['is refused once that is withdrawn', ['lent', 'withdrawn', 'call', 'answer'], refused, [0, false]],
    ['must not work then', ['lent', 'withdrawn', 'call', 'answer'], worked, [1, true]],
    ['must not work before anything was lent', ['call', 'answer'], worked, [1, true]],
    ['may work while it changes', ['lent', 'changing', 'call', 'answer'], worked, [0, false]],
    ['may be refused while it changes', ['lent', 'changing', 'call', 'answer'], refused, [0, false]],
    ['may work if a change came between', ['withdrawn', 'call', 'changing', 'answer'], worked, [0, false]],
    ['is not to fail', ['withdrawn', 'call', 'answer'], failed, [0, true]],
  ])('%s', (_, steps, verdict, expected) => {
    expect(judged(steps, verdict)).toEqual(expected);
  });

  it('is in no list once it is withdrawn, and in every list while it is lent', () => {
    const listed = (state: Step, lists: readonly string[]) =>
      judged([state, 'call', 'answer'], { kind: 'worked', lists }, list)[0];
    expect(listed('lent', ['borrow'])).toBe(0);
    expect(listed('lent', [])).toBe(1);
    expect(listed('withdrawn', ['borrow'])).toBe(1);
    expect(listed('changing', ['borrow'])).toBe(0);
  });

  it('counts as lent or withdrawn when the registry says that everybody has it, and not before', async () => {
    vi.useRealTimers();
    const states = async (rollout: string, consumers: readonly string[]): Promise<ReadonlySet<string>> => {
      const operator: Operator = async (method) => ({
        status: method === 'DELETE' ? 204 : 201,
        etag: '',
        link: '</rollout>; rel="status"',
        ...(method === 'GET' ? { status: 200 } : {}),
        rollout,
        body: { consumers: consumers.map((state) => ({ state })) },
      });
      const noted = new Set<string>();
      const book: LoanBook = { note: (_, state) => void noted.add(state), between: () => 'changing' };
      const oracle = createOracle(() => false);
      const loans = startLoans(operator, { random: createRandom(1), book, oracle });
      await expect.poll(() => oracle.records().length, { timeout: 10_000 }).toBe(1);
      await loans.stop();
      return noted;
    };
    const [everywhere, pending, absent] = await Promise.all([
      states('applied', ['applied', 'applied']),
      states('pending', ['applied', 'pending']),
      states('applied', ['applied', 'absent']),
    ]);
    expect(everywhere).toEqual(new Set(['changing', 'lent']));
    expect(pending).toEqual(new Set(['changing']));
    expect(absent).toEqual(new Set(['changing']));
  });
});

describe('writes to the registry', () => {
  type Stored = { readonly revisions: { reason: string }[]; readonly grants: Map<string, object> };

  const nameIn = (path: string): string => path.split('/').at(-1) ?? '';

  /** A registry that does as it is told, and `spoil` what it acknowledges. */
  const registry = (spoil: (stored: Stored, write: number) => void): Operator => {
    const stored: Stored = { revisions: [], grants: new Map() };
    let writes = 0;
    const answer = (status: number, body: object): Answer => ({
      status,
      etag: '',
      link: '',
      rollout: '',
      body,
    });
    const refuse = (status: number) => answer(status, { type: 'urn:mcpgw:problem:conflict' });
    const read = (path: string): Answer =>
      answer(200, {
        items: path.includes('/revisions')
          ? stored.revisions
          : [...stored.grants].map(([id, grant]) => ({ id, ...grant })),
      });
    const write = (path: string, body: object | undefined, reason: string): Answer => {
      if (body === undefined) stored.grants.delete(nameIn(path));
      else stored.grants.set(nameIn(path), body);
      stored.revisions.push({ reason });
      writes += 1;
      spoil(stored, writes);
      return answer(200, {});
    };
    const refusal = (path: string, body: object): Answer | undefined => {
      if (stored.grants.has(nameIn(path))) return refuse(412);
      return Object.hasOwn(body, 'serverId') ? undefined : refuse(400);
    };
    return async (method, path, body, headers = {}) => {
      if (method === 'GET') return read(path);
      const refused = method === 'PUT' ? refusal(path, body ?? {}) : undefined;
      return refused ?? write(path, body, headers['x-change-reason'] ?? '');
    };
  };

  const violationsWith = async (spoil: (stored: Stored, write: number) => void): Promise<number> => {
    const oracle = createOracle(() => false);
    const ledger = startLedger(registry(spoil), createRandom(1), oracle);
    await expect.poll(() => oracle.records().filter(({ isBad }) => !isBad).length).toBeGreaterThan(4);
    await ledger.stop();
    await ledger.verify();
    return oracle.violations().length;
  };

  it('are there when they were acknowledged', async () => {
    expect(await violationsWith(() => undefined)).toBe(0);
  });

  it('are missed when one is lost, half done, done twice or stored otherwise', async () => {
    const [lost, half, twice, other] = await Promise.all([
      violationsWith(({ revisions, grants }, write) => {
        if (write === 1) grants.delete(revisions.pop()?.reason ?? '');
      }),
      violationsWith(({ grants }, write) => {
        if (write === 1) grants.clear();
      }),
      violationsWith(({ revisions }, write) => {
        if (write === 1) revisions.push(...revisions.slice(-1));
      }),
      violationsWith(({ grants }, write) => {
        if (write !== 1) return;
        for (const [id, grant] of grants) grants.set(id, { ...grant, tools: ['read'] });
      }),
    ]);
    expect([lost, half, twice, other].map((count) => count > 0)).toEqual([true, true, true, true]);
  });
});

const experimentOf = (name: string, touches: readonly string[]): Experiment => ({
  name,
  touches,
  promise: '',
  costs: 'calls',
  begin: async () => undefined,
  end: async () => undefined,
});
describe('what is said of a violation', () => {
  it('is its kind once, how often, and the first call it was seen at, by the name that logs and audit know', () => {
    const oracle = createOracle(() => false);
    oracle.sent(call({ tool: 'read' }));
    const token = { ...facts, oid: other.oid };
    oracle.arrived([arrival({ token }), arrival({ token, requestId: 'r-2' })]);
    const at = oracle.violations()[0]?.at ?? 0;
    expect(describeViolations(oracle.violations())).toEqual([
      "    VIOLATION: count: reached a server with another one's token (2 times)",
      `      first at ${new Date(at).toISOString()}, call-1, tools/call read of ${user.name} (stateless, HTTP/1.1) ` +
        `at ${tenant.id}/${server.id}, x-request-id r-1`,
    ]);
  });

  it.each<[readonly string[], string]>([
    [['--only', 'kill redis', '--seconds', '3'], "--only 'kill redis' --seconds 3 --seed 7"],
    [['--seed', '7', '--short'], '--short --seed 7'],
    [['--short', '--seed=7'], '--short --seed 7'],
    [[], '--seed 7'],
  ])('ends with the command that repeats a run of %j', (given, expected) => {
    expect(describeRepetition(given, 7)).toBe(`to repeat: npm run chaos -- ${expected}`);
  });

  it('is told by a run that is broken off too, where calls fail though nothing is broken', async () => {
    vi.useFakeTimers({ now: 1_000 });
    const oracle = createOracle(() => false);
    const failing = setInterval(() => {
      oracle.sent(call());
      oracle.ended(call(), Date.now(), { kind: 'wrong', what: 'an answer of another' });
    }, 1_000);
    const running = {
      // It is not looked at before things are calm.
      world: {} as World,
      oracle,
      watched: { oldestMs: () => 0 },
      say: () => undefined,
    };
    const run = expect(runExperiment(experimentOf('kill a', ['a']), running)).rejects.toThrow(
      /^kill a: calls fail though nothing is broken: .*VIOLATION: count: an answer of another .*call-1/s,
    );
    await vi.advanceTimersByTimeAsync(120_000);
    await run;
    clearInterval(failing);
    vi.useRealTimers();
  });
});

describe('recovery', () => {
  it('is not there when a part says that it is ready, and fails calls once they come to it', {
    timeout: 20_000,
  }, async () => {
    const oracle = createOracle(() => false);
    let readyAt = Number.POSITIVE_INFINITY;
    const load = setInterval(() => {
      oracle.sent(call());
      const fails = Date.now() > readyAt + 300;
      oracle.ended(
        call(),
        Date.now(),
        fails ? { kind: 'refused', reason: 'policy_failed' } : { kind: 'worked' },
      );
    }, 100);
    const slow: Experiment = {
      ...experimentOf('kill a', ['a']),
      recoveryMs: 1_000,
      end: async () => {
        await sleep(2_600);
        readyAt = Date.now();
      },
    };
    const running = {
      world: {} as World,
      oracle,
      watched: { oldestMs: () => 0 },
      holdMs: 10,
      say: () => undefined,
    };
    const { violations } = await runExperiment(slow, running);
    clearInterval(load);
    expect(violations.map(({ what }) => what)).toEqual(['not back to normal 1 s after the fault ended']);
  });
});

describe('random combinations', () => {
  const all = ['a', 'b', 'c', 'd'].flatMap((part) => [
    experimentOf(`kill ${part}`, [part]),
    experimentOf(`hang ${part}`, [part]),
  ]);
  const drawn = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, () => combine(all, random));
  };

  it('are the same for the same seed, and never two faults of one part', () => {
    expect(drawn(7).map(({ name }) => name)).toEqual(drawn(7).map(({ name }) => name));
    expect(drawn(7).map(({ name }) => name)).not.toEqual(drawn(8).map(({ name }) => name));
    for (const { touches } of drawn(7)) expect(new Set(touches).size).toBe(touches.length);
  });
});

describe('a change that is taken back', () => {
  /** A tenant at revision 7, to which `others` write as often between the change and the next look. */
  const restoresWith = async (others: number): Promise<number> => {
    let [revision, restores] = [7, 0];
    const operator: Operator = async (method, path) => {
      if (method === 'PUT') revision += 1 + others;
      if (path.endsWith('/restore')) restores += 1;
      return { status: 200, etag: `"${revision}"`, link: '', rollout: '', body: {} };
    };
    await changeAndRestore(operator, 1);
    return restores;
  };

  it('is restored, unless another one wrote between: that would go with it', async () => {
    expect([await restoresWith(0), await restoresWith(1)]).toEqual([1, 0]);
  });
});
