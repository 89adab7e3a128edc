// Addresses that look good when they are registered and lead elsewhere when they are used: names whose address changes
// (26), names that hold a good and a bad one, and answers that send us on (25). Whoever dials asks the guard again.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import type { HostLookup } from '#runtime/egress-resolve.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { adminClaims, TENANT_AUDIENCE, TENANT_ISSUER } from '#test/integration/registry-harness.ts';
import { httpCall } from '#test/support/http-call.ts';
import { startIdentityBench } from '#test/support/identity-bench.ts';
import { startManifestBench } from '#test/support/manifest-bench.ts';
import { manifest2 } from '#test/support/manifest-world.ts';
import {
  createTestKey,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  startKeyServer,
  testTenant,
} from '#test/support/token-issuer.ts';
import { startGateway, startXdsServer, until } from '#test/support/xds-gateway.ts';
import { startUpstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { createEndpointAddresses } from '#xds-server/endpoint-addresses.ts';

const PUBLIC = '93.184.215.14';
const METADATA = '169.254.169.254';
const KEY = createTestKey('key-1');

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

const closing = <T extends { stop(): unknown }>(part: T): T => {
  ending.push(async () => part.stop());
  return part;
};

/** A name service that gives these answers in turn; the last one stays. */
const answering = (...answers: (readonly string[])[]): HostLookup & { asked(): number } => {
  let asked = 0;
  const lookup: HostLookup = async () => {
    asked += 1;
    return answers[Math.min(asked, answers.length) - 1] ?? [];
  };
  return Object.assign(lookup, { asked: () => asked });
};

/** Sends whoever asks on to `location`. */
const startRedirect = async (status: number, location: string): Promise<string> => {
  const server: Server = createServer((_request, response) => {
    response.writeHead(status, { location }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
};

describe('the key set of an admin issuer', () => {
  /** Registers it, then asks with a token that is good by that key. */
  const readWith = async (jwksUri: string, options: Parameters<typeof startManifestBench>[0]) => {
    const bench = await startManifestBench(options);
    ending.push(() => bench.registry.stop());
    await bench.enter('acme');
    const trust = { issuer: TENANT_ISSUER, jwksUri, audience: TENANT_AUDIENCE };
    expect((await bench.admin('PUT', '/admin-issuer', trust)).status).toBe(201);
    const claims = adminClaims(['admin'], { iss: TENANT_ISSUER, aud: TENANT_AUDIENCE });
    const headers = { authorization: `Bearer ${await signWith(KEY, claims)}` };
    return (await bench.registry.call('GET', '/v1/tenants/acme', { roles: null, headers })).status;
  };
  const startKeys = async () => closing(await startKeyServer([publishKey(KEY)]));
  const portOf = (url: string): string => new URL(url).port;

  it('is fetched where it was registered', async () => {
    expect(await readWith((await startKeys()).url, { allowPrivate: true })).toBe(200);
  });

  it.each([
    ['this machine', '127.0.0.1'],
    ['the metadata service', METADATA],
    ['the metadata service, mapped into IPv6', '::ffff:a9fe:a9fe'],
    ['a private address beside a public one', PUBLIC, '10.0.0.1'],
  ])('is not fetched by a name that leads to %s', async (_where, ...addresses) => {
    const keys = await startKeys();
    const lookup = answering(addresses);
    expect(await readWith(`https://keys.example.com:${portOf(keys.url)}/keys`, { lookup })).toBe(503);
    expect(lookup.asked()).toBeGreaterThan(0);
    expect(keys.hits).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])('is not fetched where an answer of %i sends us', async (status) => {
    const keys = await startKeys();
    const redirect = await startRedirect(status, keys.url);
    expect(await readWith(redirect, { allowPrivate: true })).toBe(503);
    expect(keys.hits).toBe(0);
  });
});

describe("the key set of a tenant's issuer", () => {
  const startBench = async (lookup?: HostLookup) =>
    closing(await startIdentityBench([publishKey(KEY)], lookup === undefined ? {} : { lookup }));
  const outcomeAt = async (bench: Awaited<ReturnType<typeof startBench>>, jwksUri: string) =>
    bench.outcomeOf(await signWith(KEY, oidcClaims()), testTenant([oidcIssuer(jwksUri)]));

  it('is fetched by a name that leads where it may', async () => {
    const bench = await startBench(answering(['127.0.0.1']));
    const { port } = new URL(bench.keyServer.url);
    expect(await outcomeAt(bench, `http://keys.example.com:${port}/keys`)).toBe('user');
  });

  it('is not fetched by a name that leads where it may and to the metadata service', async () => {
    const lookup = answering(['127.0.0.1', METADATA]);
    const bench = await startBench(lookup);
    const { port } = new URL(bench.keyServer.url);
    expect(await outcomeAt(bench, `http://keys.example.com:${port}/keys`)).toBe('keys_unavailable');
    expect([lookup.asked() > 0, bench.keyServer.hits]).toEqual([true, 0]);
  });

  it('is not fetched where an answer sends us', async () => {
    const bench = await startBench();
    const redirect = await startRedirect(302, bench.keyServer.url);
    expect(await outcomeAt(bench, redirect)).toBe('keys_unavailable');
    expect(bench.keyServer.hits).toBe(0);
  });
});

describe('an endpoint', () => {
  it('by any public name is published: where it leads is asked when it is used', async () => {
    const lookup = answering([METADATA]);
    const bench = await startManifestBench({ lookup });
    ending.push(() => bench.registry.stop());
    await bench.enter('acme');
    expect((await bench.publish(manifest2())).status).toBe(201);
    expect(lookup.asked()).toBe(0);
  });

  it.each<[string, (readonly string[])[], readonly string[] | undefined]>([
    ['first public, then private', [[PUBLIC], ['10.0.0.1']], [PUBLIC]],
    ['first public, then loopback', [[PUBLIC], ['127.0.0.1']], [PUBLIC]],
    ['first public, then the metadata service', [[PUBLIC], [METADATA]], [PUBLIC]],
    ['first public, then both', [[PUBLIC], [PUBLIC, '10.0.0.1']], [PUBLIC]],
    ['first private', [['10.0.0.1']], undefined],
    ['first the metadata service, by NAT64', [['64:ff9b::a9fe:a9fe']], undefined],
    ['first public and private at once', [[PUBLIC, '192.168.0.1']], undefined],
  ])('whose name is %s never leads there', async (_name, answers, expected) => {
    const lookup = answering(...answers);
    const addresses = closing(
      createEndpointAddresses({
        resolve: createEgressGuard({ allowPrivate: false, allowedHosts: [], lookup }).resolve,
        ttlMs: 5,
        onChange: () => undefined,
        logger: createLogger('test', 'silent'),
        metrics: createMetrics('test'),
      }),
    );
    const url = 'https://rebind.example.com/mcp';
    await addresses.want({ added: [url], dropped: [] }, 1_000);
    await expect.poll(() => lookup.asked()).toBeGreaterThan(answers.length + 2);
    expect(addresses.find(url)).toEqual(expected);
  });

  it('goes on leading the real Envoy to its last good address', async () => {
    const upstream = closing(await startUpstream('good'));
    const gateway = closing(await startGateway());
    const { port } = new URL(upstream.url);
    const lookup = answering(['127.0.0.1'], [METADATA]);
    const { resolve } = createEgressGuard({ allowPrivate: true, allowedHosts: [], lookup });
    const { xdsAddress: address, settings } = gateway;
    const xds = closing(await startXdsServer({ address, settings, resolve }));
    xds.update(
      snapshotOf(1, tenantOf('default', { one: { '1.0.0': [`http://rebind.example.com:${port}/mcp`] } })),
    );
    const statusOf = async () => (await httpCall(gateway.origin, '/mcp/one').catch(() => undefined))?.status;
    await until('Envoy listens', async () => (await statusOf()) === 200);
    await expect.poll(() => lookup.asked()).toBeGreaterThan(5);
    expect(await statusOf()).toBe(200);
    const clusters = await gateway.admin('/clusters');
    expect(clusters).toContain(`127.0.0.1:${port}`);
    expect(clusters).not.toContain(METADATA);
  });
});
