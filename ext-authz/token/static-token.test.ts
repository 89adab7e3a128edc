// A server's own secret: read now and then, by tenant, and looked at again as soon as something is wrong with it.

import { describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { createStaticTokens } from '#ext-authz/token/static-token.ts';

const setUp = () => {
  const files: Record<string, string> = { 'acme/key': 'first' };
  let reads = 0;
  const tokens = createStaticTokens({
    read: async (tenantId, name) => {
      reads += 1;
      const text = files[`${tenantId}/${name}`];
      return text === undefined ? err('missing') : ok(new Secret(text));
    },
  });
  const read = async (nowSeconds: number, tenantId = 'acme', header?: string) => {
    const tenant = { id: tenantId } as Tenant;
    const plan = { kind: 'static', secretName: 'key', ...(header === undefined ? {} : { header }) } as const;
    const found = await tokens.read(plan, { tenant, server: {} as McpServer, nowSeconds });
    return found.ok ? found.value.token.reveal() : found.error;
  };
  return { files, read, tokens, reads: () => reads };
};

describe('createStaticTokens()', () => {
  it('reads a file once for many calls, and a changed one within five seconds', async () => {
    const { files, read, reads } = setUp();
    for (const second of [100, 101, 104.9]) expect(await read(second)).toBe('first');
    expect(reads()).toBe(1);
    files['acme/key'] = 'second';
    expect(await read(104.9)).toBe('first');
    expect(await read(105)).toBe('second');
  });

  it('reads it anew when the clock was set back', async () => {
    const { files, read } = setUp();
    await read(1_000);
    files['acme/key'] = 'second';
    expect(await read(100)).toBe('second');
  });

  it('gives no tenant the secret of another, whatever it is called', async () => {
    const { read } = setUp();
    await read(100);
    expect(await read(100, 'globex')).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { secret: 'key', fault: 'missing' },
    });
  });

  it('refuses one that no header can hold, and does not keep it', async () => {
    const { files, read } = setUp();
    for (const text of ['two\nlines', 'two words', 'caf\u00e9']) {
      files['acme/key'] = text;
      expect(await read(100)).toMatchObject({ logFacts: { secret: 'key', fault: 'not_visible_ascii' } });
    }
    files['acme/key'] = 'mended';
    expect(await read(100)).toBe('mended');
  });

  it('sends none that is there no more, and a mended one at once', async () => {
    const { files, read } = setUp();
    await read(100);
    delete files['acme/key'];
    expect(await read(106)).toMatchObject({ reason: 'exchange_misconfigured' });
    files['acme/key'] = 'mended';
    expect(await read(106)).toBe('mended');
  });
});
