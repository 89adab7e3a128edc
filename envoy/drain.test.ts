// Unit tests of drain.ts, against an admin interface that says what a test has it say.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { drainEnvoy } from '#envoy/drain.ts';

let admin: Server | undefined;

afterEach(() => admin?.close());

/** An Envoy whose listeners have these calls open each time it is asked; the last answer stays. */
const startAdmin = async (answers: readonly Readonly<Record<string, number>>[]) => {
  const left = [...answers];
  const asked: string[] = [];
  admin = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    asked.push(url.pathname);
    const filter = new RegExp(url.searchParams.get('filter') ?? '$^');
    const open = Object.entries((left.length > 1 ? left.shift() : left[0]) ?? {})
      .map(([listener, count]) => [`http.${listener}.downstream_rq_active`, count] as const)
      .filter(([name]) => filter.test(name));
    response.end(open.map(([name, count]) => `${name}: ${count}\n`).join(''));
  });
  await new Promise<void>((resolve) => admin?.listen(0, '127.0.0.1', resolve));
  return { port: (admin.address() as AddressInfo).port, left, asked };
};

describe('drainEnvoy()', () => {
  it.each(['gateway', 'publish'])('waits for what is open at the listener %s', async (listener) => {
    const busy = { gateway: 0, publish: 0, admin: 1, [listener]: 2 };
    const quiet = { gateway: 0, publish: 0, admin: 1 };
    const { port, left, asked } = await startAdmin([{}, ...Array.from({ length: 8 }, () => busy), quiet]);
    expect(await drainEnvoy(port, 60_000)).toBe(0);
    expect(left).toEqual([quiet]);
    expect(asked[0]).toBe('/drain_listeners');
  });

  it('says how much is open at all listeners when patience is over', async () => {
    const { port } = await startAdmin([{ gateway: 1, publish: 2, admin: 1 }]);
    expect(await drainEnvoy(port, 1)).toBe(3);
  });
});
