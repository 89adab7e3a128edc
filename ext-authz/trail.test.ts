// Unit tests of trail.ts and audit/: what a decision leaves behind.
import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import { decisionEvent } from '#ext-authz/audit/event.ts';
import { createDecisionSink } from '#ext-authz/audit/sink.ts';
import { startTrail } from '#ext-authz/trail.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';

const clock =
  (...times: number[]) =>
  (): number =>
    times.shift() ?? 0;

describe('the trail', () => {
  it('times each step from the end of the one before', () => {
    const trail = startTrail(clock(100, 101.5, 104, 110));
    trail.step('locate');
    trail.step('parse', { id: 7 });
    expect(trail.findings.id).toBe(7);
    expect(trail.durations()).toEqual({ locate: 1.5, parse: 2.5, total: 10 });
  });
});

describe('the line of a decision', () => {
  const refusal = deny('constraint_violated', {
    public: { constraint: 'no-critical', contact: 'ada@example.com', claims: 'c2VjcmV0' },
    log: { grant: 'g1' },
  });
  const told = { findings: {}, durations: { total: 1 } };

  it('holds what the client was told and what it was not, without the claims challenge', () => {
    expect(decisionEvent('r1', refusal, told)).toEqual({
      requestId: 'r1',
      decision: 'deny',
      reason: 'constraint_violated',
      facts: { constraint: 'no-critical', grant: 'g1' },
      milliseconds: { total: 1 },
    });
  });

  it('reaches the log with every duration as a number, and the counters by reason', async () => {
    const lines: string[] = [];
    const metrics = createMetrics('test');
    const logger = createLogger('ext-authz', 'info', { write: (line) => lines.push(line) });
    const chain = { append: async () => {} };
    const sink = createDecisionSink({ chain, logger, metrics, nowMs: () => 0 });
    const trail = startTrail(clock(0, 1, 2, 3, 4, 5, 6));
    for (const step of ['locate', 'parse', 'identity', 'policy', 'exchange']) trail.step(step);
    sink.tell(refusal, decisionEvent('r1', refusal, { findings: {}, durations: trail.durations() }));
    const { milliseconds } = JSON.parse(lines[0] ?? '') as { milliseconds: Record<string, unknown> };
    expect(Object.values(milliseconds).every((value) => typeof value === 'number')).toBe(true);
    expect((await metrics.render()).body).toContain('reason="constraint_violated"');
  });

  it('is raised to the level a policy ordered, so that a log of warnings holds it', () => {
    const lines: string[] = [];
    const logger = createLogger('ext-authz', 'warn', { write: (line) => lines.push(line) });
    const chain = { append: async () => {} };
    const sink = createDecisionSink({ chain, logger, metrics: createMetrics('test'), nowMs: () => 0 });
    const event = decisionEvent('r1', refusal, told);
    sink.tell(refusal, event);
    sink.tell(refusal, event, 'error');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['error']);
  });
});
