// Limits that move, on the running product: from bounds set over the registry's API to a limit in Envoy that follows what
// the server's answers take, and to the owner who reads where it stands.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pace } from '#core/pace.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { listedTools } from '#test/support/product-tenant.ts';
import { until } from '#test/support/xds-gateway.ts';

const TRACKER = '/v1/tenants/default/servers/tracker';
const MAX_MS = 30_000;

type Limits = {
  readonly items: readonly {
    readonly xdsServer: string;
    readonly version: string;
    readonly pace: Pace;
    readonly lastMove?: { readonly attempts: number; readonly errorRate: number };
  }[];
};

describe('limits that move', () => {
  let product: Product;
  let calling = true;

  beforeAll(async () => {
    product = await startProduct({ FIGURES_WINDOW_SECONDS: '4' });
  });
  afterAll(async () => {
    calling = false;
    await product?.stop();
  });

  it('follow a server as soon as its owner gives bounds, and say so', async () => {
    const adaptive = { timeout: { minMs: 100, maxMs: MAX_MS } };
    const changed = await product.registry('PATCH', TRACKER, { adaptive }, { 'if-match': '*' });
    expect(changed.status, JSON.stringify(changed.body)).toBe(200);
    const url = product.serverUrl('tracker');
    const token = await product.token('alice');
    const answers: unknown[] = [];
    const caller = (async () => {
      while (calling) answers.push(await listedTools(url, token));
    })();
    let limits: Limits = { items: [] };
    await until(
      'the limit has come down',
      async () => {
        limits = (await product.registry('GET', `${TRACKER}/limits`)).body as Limits;
        return (limits.items[0]?.pace.timeoutMs ?? MAX_MS) < MAX_MS / 2;
      },
      60_000,
    );
    calling = false;
    await caller;
    expect(limits).toMatchObject({
      adaptive,
      items: [{ xdsServer: expect.stringContaining('xds-server'), lastMove: { errorRate: 0 } }],
    });
    // Nobody was cut: every caller got his tools.
    expect(new Set(answers.map((answer) => Array.isArray(answer)))).toEqual(new Set([true]));
  }, 120_000);
});
