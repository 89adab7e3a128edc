// https upstreams on the real Envoy: each endpoint is asked for by its own name and must prove that name, and nothing is
// ever sent in the clear instead.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpCall } from '#test/support/http-call.ts';
import { TEST_CERTIFICATE } from '#test/support/tls-certificate.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

let directory: string;
let gateway: Gateway;
let xds: XdsServer;
let secure: Upstream;
let second: Upstream;
let plain: Upstream;

/** The URL of an upstream under another name; every name resolves to this machine. */
const named = (upstream: Upstream, host: string): string => upstream.url.replace('127.0.0.1', host);
const statusOf = async (server: string): Promise<number> =>
  (await httpCall(gateway.origin, `/mcp/${server}`)).status;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'));
  const upstreamCaFile = join(directory, 'ca.pem');
  await writeFile(upstreamCaFile, TEST_CERTIFICATE);
  [secure, second, plain] = await Promise.all([
    startUpstream('secure', '/mcp', 'https'),
    startUpstream('second', '/mcp', 'https'),
    startUpstream('plain'),
  ]);
  gateway = await startGateway();
  xds = await startXdsServer({
    address: gateway.xdsAddress,
    settings: { ...gateway.settings, upstreamCaFile },
  });
  const at = (...endpoints: string[]) => ({ '1.0.0': endpoints });
  xds.update(
    snapshotOf(
      1,
      tenantOf('default', {
        one: at(named(secure, 'up.example')),
        two: at(named(secure, 'up.example'), named(second, 'second.example')),
        address: at(secure.url),
        impostor: at(named(secure, 'other.example')),
        cleartext: at(named(plain, 'up.example').replace('http:', 'https:')),
        mixed: at(named(secure, 'up.example'), plain.url),
      }),
    ),
  );
  await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === 1);
  await until('served', async () => (await statusOf('one').catch(() => 0)) === 200);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all([secure?.stop(), second?.stop(), plain?.stop()]);
  await rm(directory, { recursive: true, force: true });
});

describe('an https upstream', () => {
  it('is asked for by its name, and hears it as its host', async () => {
    expect(await statusOf('one')).toBe(200);
    expect(secure.seen.at(-1)?.serverName).toBe('up.example');
    expect(secure.seen.at(-1)?.headers.host).toBe(new URL(named(secure, 'up.example')).host);
  });

  it('of two names is asked for by either, never by the other', async () => {
    const before = [secure.seen.length, second.seen.length] as const;
    for (let call = 0; call < 20; call += 1) expect(await statusOf('two')).toBe(200);
    const heard = [secure.seen.slice(before[0]), second.seen.slice(before[1])];
    for (const { serverName, headers } of heard.flat()) expect(headers.host?.split(':')[0]).toBe(serverName);
    expect(heard.map((calls) => new Set(calls.map(({ serverName }) => serverName)))).toEqual([
      new Set(['up.example']),
      new Set(['second.example']),
    ]);
  });

  it('without a name is verified by its address', async () => {
    expect(await statusOf('address')).toBe(200);
    expect(secure.seen.at(-1)?.serverName).toBe('');
  });

  it('that proves another name gets no call', async () => {
    const served = secure.seen.length;
    expect(await statusOf('impostor')).toBe(503);
    expect(secure.seen.length).toBe(served);
  });

  it('that speaks no TLS gets no call', async () => {
    const served = plain.seen.length;
    expect(await statusOf('cleartext')).toBe(503);
    expect(plain.seen.length).toBe(served);
  });

  it('may stand beside a plain one: each is spoken to in its own way', async () => {
    const before = [secure.seen.length, plain.seen.length];
    for (let call = 0; call < 20; call += 1) expect(await statusOf('mixed')).toBe(200);
    expect(secure.seen.length).toBeGreaterThan(before[0] ?? 0);
    expect(plain.seen.length).toBeGreaterThan(before[1] ?? 0);
  });
});
