// Unit tests of figure-book.ts: what is kept, for whom, and what is forgotten.

import { describe, expect, it } from 'vitest';
import { FigureBook, type Interest } from '#xds-server/figures/figure-book.ts';
import type { Observation } from '#xds-server/figures/observation.ts';

const CLUSTER = 'mcp.acme.files.1';
const ALL: Interest = { calls: true, adaptive: {}, replicas: true };
const call: Observation = {
  level: 'call',
  cluster: CLUSTER,
  address: '192.0.2.1:80',
  failed: false,
  latencyMs: 5,
};
const attemptAt = (address: string): Observation => ({ ...call, level: 'attempt', address });

const bookOf = (interests: Record<string, Interest>) =>
  new FigureBook({ interestIn: (cluster) => interests[cluster], spanMs: 1_000 });

describe('FigureBook', () => {
  it('keeps calls until they are taken, once', () => {
    const book = bookOf({ [CLUSTER]: ALL });
    book.add(call, 0);
    book.add({ ...call, failed: true }, 9_000);
    book.add(attemptAt('192.0.2.1:80'), 9_000);
    const [taken, ...others] = book.takeCalls();
    expect(others).toEqual([]);
    expect(taken).toMatchObject({ cluster: CLUSTER, figures: { calls: 2, errors: 1 } });
    expect(book.takeCalls()).toEqual([]);
    book.add(call, 9_001);
    expect(book.takeCalls()[0]?.figures.calls).toBe(1);
  });

  it('keeps attempts for the length of the window, of the cluster and of each replica', () => {
    const book = bookOf({ [CLUSTER]: ALL });
    book.add(attemptAt('192.0.2.1:80'), 0);
    book.add(attemptAt('192.0.2.2:80'), 0);
    book.add({ ...attemptAt(''), failed: true }, 0);
    expect(book.attempts(CLUSTER, 100)).toMatchObject({ calls: 3, errors: 1 });
    expect([...book.replicas(CLUSTER, 100).keys()]).toEqual(['192.0.2.1:80', '192.0.2.2:80']);
    expect(book.attempts(CLUSTER, 5_000)?.calls).toBe(0);
    expect(book.replicas(CLUSTER, 5_000).size).toBe(0);
  });

  it('keeps nothing nobody wants to know, and nothing of names that are not ours', () => {
    const book = bookOf({ [CLUSTER]: { calls: false, replicas: false } });
    for (const cluster of [CLUSTER, 'mcp.none.x.1'])
      for (const level of ['call', 'attempt'] as const) book.add({ ...call, cluster, level }, 0);
    expect(book.takeCalls()).toEqual([]);
    expect(book.attempts(CLUSTER, 0)).toBeUndefined();
    expect(book.replicas(CLUSTER, 0).size).toBe(0);
  });

  it('forgets a cluster that is gone, and keeps what is still wanted of one that changed', () => {
    const interests: Record<string, Interest> = { [CLUSTER]: ALL };
    const book = bookOf(interests);
    book.add(call, 0);
    book.add(attemptAt('192.0.2.1:80'), 0);
    interests[CLUSTER] = { ...ALL, replicas: false };
    book.reconsider();
    expect(book.attempts(CLUSTER, 0)?.calls).toBe(1);
    expect(book.replicas(CLUSTER, 0).size).toBe(0);
    delete interests[CLUSTER];
    book.reconsider();
    expect(book.attempts(CLUSTER, 0)).toBeUndefined();
    expect(book.takeCalls()).toEqual([]);
  });

  it('tells a bounded number of replicas apart, and makes room when old ones are silent', () => {
    const book = bookOf({ [CLUSTER]: ALL });
    for (let port = 0; port < 1_000; port += 1) book.add(attemptAt(`192.0.2.1:${port}`), 0);
    expect(book.replicas(CLUSTER, 0).size).toBe(256);
    book.add(attemptAt('192.0.2.9:80'), 5_000);
    expect([...book.replicas(CLUSTER, 5_000).keys()]).toEqual(['192.0.2.9:80']);
  });
});
