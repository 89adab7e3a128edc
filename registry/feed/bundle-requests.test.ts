import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { type BundleQuestion, createBundleRequests } from '#registry/feed/bundle-requests.ts';

const [FIRST, SECOND] = [Buffer.from('first'), Buffer.from('second')];
const NOTHING = Buffer.alloc(0);

const questionFor = (bundle: Buffer): BundleQuestion => ({
  tenant: 'acme',
  digest: createHash('sha256').update(bundle).digest('hex'),
});

/** Requests over a connection that is there or not, and what was sent on it. */
const requestsOver = (isConnected = true, limitMs = 60_000) => {
  const sent: BundleQuestion[] = [];
  const requests = createBundleRequests((question) => {
    if (isConnected) sent.push(question);
    return isConnected;
  }, limitMs);
  return { sent, ...requests };
};

describe('requests for bundles', () => {
  it('bring the bytes of the digest, one after the other', async () => {
    const { sent, fetch, answered } = requestsOver();
    const [first, second] = [fetch(questionFor(FIRST)), fetch(questionFor(SECOND))];
    await expect.poll(() => sent).toEqual([questionFor(FIRST)]);
    expect(answered({ ...questionFor(FIRST), bundle: FIRST })).toBe(true);
    expect(await first).toEqual(ok(FIRST));
    await expect.poll(() => sent).toHaveLength(2);
    answered({ ...questionFor(SECOND), bundle: SECOND });
    expect(await second).toEqual(ok(SECOND));
  });

  it.each([
    ['other bytes than asked for', { ...questionFor(FIRST), bundle: SECOND }],
    ['an answer about another tenant', { ...questionFor(FIRST), tenant: 'beta', bundle: FIRST }],
    ['an answer to another question', { ...questionFor(SECOND), bundle: SECOND }],
  ])('do not take %s', async (_what, answer) => {
    const { sent, fetch, answered } = requestsOver();
    const asked = fetch(questionFor(FIRST));
    await expect.poll(() => sent).toHaveLength(1);
    expect(answered(answer)).toBe(false);
    expect(answered({ ...questionFor(FIRST), bundle: FIRST })).toBe(true);
    expect(await asked).toEqual(ok(FIRST));
  });

  it('tell a bundle that the registry does not have from a registry that is away', async () => {
    const { sent, fetch, answered, lost } = requestsOver();
    const unknown = fetch(questionFor(FIRST));
    await expect.poll(() => sent).toHaveLength(1);
    answered({ ...questionFor(FIRST), bundle: NOTHING });
    expect(await unknown).toEqual(err('unknown'));
    const interrupted = fetch(questionFor(FIRST));
    await expect.poll(() => sent).toHaveLength(2);
    lost();
    expect(await interrupted).toEqual(err('unreachable'));
    expect(await requestsOver(false).fetch(questionFor(FIRST))).toEqual(err('unreachable'));
  });

  it('end when nobody answers, and the next one is asked', async () => {
    const { sent, fetch, answered } = requestsOver(true, 1);
    expect(await fetch(questionFor(FIRST))).toEqual(err('unreachable'));
    expect(answered({ ...questionFor(FIRST), bundle: FIRST })).toBe(false);
    expect(await fetch(questionFor(SECOND))).toEqual(err('unreachable'));
    expect(sent).toHaveLength(2);
  });
});
