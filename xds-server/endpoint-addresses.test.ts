// Unit tests of endpoint-addresses.ts.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { err, ok } from '#core/result.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createEndpointAddresses, type ResolveUrl } from '#xds-server/endpoint-addresses.ts';

const URL_A = 'https://a.example/secret-path';
const TTL_MS = 30_000;

let answers: Record<string, readonly string[] | 'fails' | 'hangs'>;
let changes: number;
let asked: number;
let lines: string[];
let metrics: ReturnType<typeof createMetrics>;

const resolve: ResolveUrl = async (url) => {
  asked += 1;
  const answer = answers[url] ?? 'fails';
  if (answer === 'hangs') return new Promise(() => undefined);
  return answer === 'fails' ? err('no') : ok({ addresses: answer, port: 443 });
};

const wanting = (...added: readonly string[]) => ({ added, dropped: [] });

const create = () =>
  createEndpointAddresses({
    resolve,
    ttlMs: TTL_MS,
    onChange: () => {
      changes += 1;
    },
    logger: createLogger('test', 'debug', { write: (line) => lines.push(line) }),
    metrics,
  });

beforeEach(() => {
  vi.useFakeTimers();
  answers = {};
  changes = 0;
  asked = 0;
  lines = [];
  metrics = createMetrics('test');
});
afterEach(() => vi.useRealTimers());

describe('endpoint addresses', () => {
  it('are sorted, without repetition, and the same value for as long as they are the same', async () => {
    answers = { [URL_A]: ['192.0.2.2', '192.0.2.1', '192.0.2.2'] };
    const addresses = create();
    await addresses.want(wanting(URL_A), 100);
    const first = addresses.find(URL_A);
    expect(first).toEqual(['192.0.2.1', '192.0.2.2']);
    answers = { [URL_A]: ['192.0.2.2', '192.0.2.1'] };
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect(addresses.find(URL_A)).toBe(first);
    expect(changes).toBe(1);
    addresses.stop();
  });

  it('follow the name within its time', async () => {
    answers = { [URL_A]: ['192.0.2.1'] };
    const addresses = create();
    await addresses.want(wanting(URL_A), 100);
    answers = { [URL_A]: ['192.0.2.9'] };
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect(addresses.find(URL_A)).toEqual(['192.0.2.9']);
    expect(changes).toBe(2);
    addresses.stop();
  });

  it('stay the last good ones when a name fails, which is counted and logged without the URL', async () => {
    answers = { [URL_A]: ['192.0.2.1'] };
    const addresses = create();
    await addresses.want(wanting(URL_A), 100);
    answers = { [URL_A]: 'fails' };
    await vi.advanceTimersByTimeAsync(TTL_MS);
    expect(addresses.find(URL_A)).toEqual(['192.0.2.1']);
    expect((await metrics.render()).body).toMatch(/endpoint_resolution_failures_total\{[^}]*\} 1/);
    expect(lines.join()).toContain('a.example');
    expect(lines.join()).not.toContain('secret-path');
    addresses.stop();
  });

  it('are asked for again soon when there are none yet', async () => {
    const addresses = create();
    await addresses.want(wanting(URL_A), 100);
    answers = { [URL_A]: ['192.0.2.1'] };
    await vi.advanceTimersByTimeAsync(2_000);
    expect(addresses.find(URL_A)).toEqual(['192.0.2.1']);
    addresses.stop();
  });

  it('are not found for what is no URL, and that ends nothing', async () => {
    const addresses = create();
    await addresses.want(wanting('not a url'), 100);
    expect(addresses.find('not a url')).toBeUndefined();
    addresses.stop();
  });

  it('do not hold up others for long', async () => {
    answers = { [URL_A]: 'hangs', 'https://b.example/': ['192.0.2.1'] };
    const addresses = create();
    const wanted = addresses.want(wanting(URL_A, 'https://b.example/'), 500);
    await vi.advanceTimersByTimeAsync(500);
    await wanted;
    expect(addresses.find('https://b.example/')).toEqual(['192.0.2.1']);
    expect(addresses.find(URL_A)).toBeUndefined();
    addresses.stop();
  });

  it('are forgotten with their URL', async () => {
    answers = { [URL_A]: ['192.0.2.1'] };
    const addresses = create();
    await addresses.want(wanting(URL_A), 100);
    await addresses.want({ added: [], dropped: [URL_A] }, 100);
    expect(addresses.find(URL_A)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(3 * TTL_MS);
    expect(asked).toBe(1);
  });
});
