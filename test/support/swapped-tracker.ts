// The demo's tracker with programs of a test behind it: callers and tokens are there already.

import { decodeJwt } from 'jose';
import { expect } from 'vitest';
import type { Product } from '#test/support/product.ts';

export const TRACKER = '/v1/tenants/default/servers/tracker';

/** Until every part serves a change. */
export const APPLIED = 'wait=applied&waitSeconds=30';

export type SwappedTracker = {
  readonly url: string;
  /** A token of a user who may use every tool. */
  readonly alice: string;
  /** Changes what is there, or, where it is new, adds it. */
  change(method: string, path: string, body: object, isNew?: boolean): Promise<void>;
};

/** @param versions by name, of which the first one is put into service. */
export const swapTracker = async (
  product: Product,
  versions: readonly {
    readonly name: string;
    readonly endpoint: string;
    readonly tools: readonly object[];
  }[],
): Promise<SwappedTracker> => {
  const change: SwappedTracker['change'] = async (method, path, body, isNew = false) => {
    const condition = isNew ? { 'if-none-match': '*' } : { 'if-match': '*' };
    const answer = await product.registry(method, path, body, condition);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  };
  const { body } = await product.registry('GET', TRACKER);
  const { allowedHosts } = body as { readonly allowedHosts: readonly string[] };
  await change('PATCH', TRACKER, {
    allowedHosts: [...new Set([...allowedHosts, ...versions.map(({ endpoint }) => new URL(endpoint).host)])],
    constraints: [],
    upstreamAuth: { mode: 'none', scopes: [] },
  });
  for (const { name, endpoint, tools } of versions) {
    const version = { endpoints: [endpoint], protocolVersions: ['2026-07-28'], tools };
    await change('PUT', `${TRACKER}/versions/${name}`, version, true);
  }
  const alice = await product.token('alice');
  const subjects = [{ kind: 'user', id: decodeJwt(alice)['oid'] }];
  const grant = { serverId: 'tracker', subjects, tools: ['*'], prompts: [], resources: [] };
  await change('PUT', '/v1/tenants/default/grants/everything', grant, true);
  await change('PUT', `${TRACKER}/active-version?${APPLIED}`, { version: versions[0]?.name });
  return { url: product.serverUrl('tracker'), alice, change };
};
