// Every answer of an engine becomes an event of OPA's decision log, and stays the answer it was.

import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok } from '#core/result.ts';
import { createDecisionLog, loggedEngine, loggedHolder } from '#ext-authz/decision-log/decision-log.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';

const ALLOW = { allow: true, obligations: {}, explain: ['grant/g'] } as const;

const engine = (changes: Partial<PolicyEngine> = {}): PolicyEngine => ({
  revision: 'mine@sha256:abc',
  readsArguments: false,
  evaluate: () => ok(ALLOW),
  visible: () => err(deny('policy_failed', { log: { fault: 'threw: oh' } })),
  ...changes,
});

const logTo = (lines: string[]) =>
  createDecisionLog({
    file: { append: (line) => lines.push(line) },
    masks: [{ op: 'remove', path: '/input/call/arguments' }],
    key: Buffer.alloc(32),
    labels: { app: 'a' },
    nowMs: () => 0,
    newId: () => 'id-1',
  });

const INPUT: JsonObject = { tenant: 't', call: { arguments: { x: 'secret' } } };

describe('loggedEngine', () => {
  it('writes a decision as OPA would', () => {
    const lines: string[] = [];
    expect(loggedEngine(engine(), logTo(lines)).evaluate(INPUT)).toEqual(ok(ALLOW));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        labels: { app: 'a' },
        decision_id: 'id-1',
        bundles: { mine: { revision: 'sha256:abc' } },
        path: 'mcp/authz/decision',
        input: { tenant: 't', call: {} },
        result: ALLOW,
        erased: ['/input/call/arguments'],
        timestamp: '1970-01-01T00:00:00.000Z',
        metrics: { timer_rego_query_eval_ns: expect.any(Number) },
      },
    ]);
  });

  it('writes that a policy failed, and with what', () => {
    const lines: string[] = [];
    const answer = loggedEngine(engine(), logTo(lines)).visible(INPUT);
    expect(answer).toMatchObject({ error: { reason: 'policy_failed' } });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      path: 'mcp/authz/visible',
      error: { code: 'policy_failed', message: 'threw: oh' },
    });
  });

  it('has the whole input sent: another policy may be asked about what was recorded', () => {
    expect(loggedEngine(engine({ rulesAreKnown: true }), logTo([])).rulesAreKnown).toBe(false);
  });

  it('answers whatever becomes of the log', () => {
    const log = createDecisionLog({
      file: {
        append: () => {
          throw new Error('no');
        },
      },
      masks: [],
      key: Buffer.alloc(32),
      labels: {},
      nowMs: () => 0,
      newId: () => 'id',
    });
    expect(loggedEngine(engine(), log).evaluate(INPUT)).toEqual(ok(ALLOW));
  });
});

describe('loggedHolder', () => {
  it('logs the engine in service, whichever that is, without making one for each call', () => {
    const lines: string[] = [];
    let current = engine();
    const holder = loggedHolder({ current: () => current }, logTo(lines));
    expect(holder.current()).toBe(holder.current());
    current = engine({ revision: 'next@sha256:def' });
    expect(holder.current().revision).toBe('next@sha256:def');
    holder.current().evaluate(INPUT);
    expect(lines).toHaveLength(1);
  });
});
