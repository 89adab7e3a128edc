// Event streams through the real Envoy over every way in, and TLS at its own listener: certificates out of files on its
// machine that are renewed under running streams, and what happens to those that are broken or not there.

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCertificateFault, writeGatewayCertificate } from '#envoy/gateway-certificate.ts';
import { type EventStream, openEvents, type Way } from '#test/support/event-streams.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  PUBLISH_AUTHORITY,
  PUBLISH_CERTIFICATES,
  type TestCertificate,
} from '#test/support/publish-certificates.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const IDLE_SECONDS = 2;

let upstream: Upstream;
/** Says one thing and then nothing more. */
let silent: Server;
let plain: Gateway;
let secure: Gateway;
const servers: XdsServer[] = [];
let directory: string;
let files: { certificateFile: string; keyFile: string };

const tell = async (gateway: Gateway): Promise<XdsServer> => {
  const xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  servers.push(xds);
  const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/mcp`;
  const world = { one: { '1.0.0': [upstream.url] }, silent: { '1.0.0': [silentUrl] } };
  xds.update(snapshotOf(1, tenantOf('default', world)));
  return xds;
};

/** Renames another certificate into the place of the gateway's, key first: for a moment they do not belong together. */
const replaceCertificate = async ({ certificate, key }: TestCertificate): Promise<void> => {
  await writeFile(join(directory, 'next.key'), key);
  await writeFile(join(directory, 'next.pem'), certificate);
  await rename(join(directory, 'next.key'), files.keyFile);
  await rename(join(directory, 'next.pem'), files.certificateFile);
};

const TLS_1: Way = { version: '1.1', ca: PUBLISH_AUTHORITY };
const TLS_2: Way = { version: '2', ca: PUBLISH_AUTHORITY };

const opens = (origin: string, way: Way) =>
  openEvents(origin, '/mcp/one', way).then(
    (stream) => {
      stream.close();
      return stream.status === 200;
    },
    () => false,
  );

const shownNames = async (): Promise<string> => {
  const stream = await openEvents(secure.origin, '/mcp/one', TLS_1);
  stream.close();
  return stream.names;
};

const flows = async (stream: EventStream): Promise<void> => {
  const seen = stream.text().length;
  await until('events go on', () => stream.text().length > seen + 100);
};

beforeAll(async () => {
  upstream = await startUpstream('one');
  silent = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: once\n\n');
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  directory = await mkdtemp(join(tmpdir(), 'listener-tls-'));
  files = { certificateFile: join(directory, 'tls.pem'), keyFile: join(directory, 'tls.key') };
  await replaceCertificate(PUBLISH_CERTIFICATES.server);
  plain = await startGateway({ streamIdleSeconds: IDLE_SECONDS });
  secure = await startGateway({ listenerTls: true, streamIdleSeconds: IDLE_SECONDS });
  await writeGatewayCertificate(secure.directory, files);
  await Promise.all([tell(plain), tell(secure)]);
  await until('both serve', async () => {
    return (await opens(plain.origin, { version: '1.1' })) && (await opens(secure.origin, TLS_1));
  });
});
afterAll(async () => {
  for (const xds of servers) await xds.stop();
  await Promise.all([plain?.stop(), secure?.stop()]);
  await upstream?.stop();
  silent?.closeAllConnections();
  silent?.close();
  await rm(directory, { recursive: true, force: true });
});

describe.each([
  ['HTTP/1.1 in the clear', { version: '1.1' }, () => plain],
  ['HTTP/2 in the clear, without asking first', { version: '2' }, () => plain],
  ['HTTP/1.1 over TLS', TLS_1, () => secure],
  ['HTTP/2 over TLS', TLS_2, () => secure],
] satisfies readonly [string, Way, () => Gateway][])('an event stream over %s', (_, way, gateway) => {
  it('lives as long as something is said, and ends once nothing is for too long', async () => {
    const speaking = await openEvents(gateway().origin, '/mcp/one', way);
    const quiet = await openEvents(gateway().origin, '/mcp/silent', way);
    expect([speaking.status, quiet.status]).toEqual([200, 200]);
    await until('the first word', () => quiet.text() === 'data: once\n\n');
    const tookMs = await until('silence ends', () => !quiet.isOpen(), 30_000);
    expect(tookMs).toBeGreaterThan(IDLE_SECONDS * 500);
    await flows(speaking);
    expect(speaking.isOpen()).toBe(true);
    speaking.close();
  });
});

describe('TLS at the listener', () => {
  const handshake = (options: ConnectionOptions): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const port = Number(new URL(secure.origin).port);
      const socket = connectTls(
        { ...options, host: '127.0.0.1', port, ca: PUBLISH_AUTHORITY, servername: 'registry.example' },
        () => resolve(socket.destroy()),
      );
      socket.on('error', reject);
    });

  it('is of version 1.2 or 1.3', async () => {
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(handshake(old)).rejects.toThrow();
    await expect(handshake({ maxVersion: 'TLSv1.2' })).resolves.toBeDefined();
    await expect(handshake({ minVersion: 'TLSv1.3' })).resolves.toBeDefined();
  });

  it.each(['h2', 'http/1.1'])('agrees on %s by ALPN', async (protocol) => {
    expect((await handshake({ ALPNProtocols: [protocol] })).alpnProtocol).toBe(protocol);
  });

  it('leaves nothing that is answered in the clear', async () => {
    await expect(httpCall(secure.origin.replace('https', 'http'), '/mcp/one')).rejects.toThrow();
  });

  it('shows a renewed certificate to those who come, and cuts nobody who is there', async () => {
    const streams = await Promise.all(
      [TLS_1, TLS_2].map((way) => openEvents(secure.origin, '/mcp/one', way)),
    );
    expect(await shownNames()).not.toContain('next');
    await replaceCertificate(PUBLISH_CERTIFICATES.nextServer);
    await until('the next one is shown', async () => (await shownNames()).includes('next'));
    for (const stream of streams) {
      await flows(stream);
      expect(stream.isOpen()).toBe(true);
      stream.close();
    }
  });

  it('goes on with the last good certificate while a broken one lies there, and that is told', async () => {
    const { key } = PUBLISH_CERTIFICATES.server;
    await replaceCertificate({ certificate: 'no certificate', key });
    const rejected = async () =>
      /gateway-certificate.*(?:key_rotation_failed|update_rejected|update_failure): [1-9]/.test(
        await secure.admin('/stats?filter=sds'),
      );
    await until('Envoy says so', rejected);
    expect(await shownNames()).toContain('next');
    expect(await findCertificateFault(files, Date.now())).toMatchObject({ usable: false });
    await replaceCertificate(PUBLISH_CERTIFICATES.server);
    await until('a good one is taken up again', async () => !(await shownNames()).includes('next'));
  });

  it('says when the certificate ends', async () => {
    const { certificates } = JSON.parse(await secure.admin('/certs'));
    const [
      {
        cert_chain: [shown],
      },
    ] = certificates;
    expect(Number(shown.days_until_expiration)).toBeGreaterThan(0);
    expect(await findCertificateFault(files, Date.now())).toBeUndefined();
    const end = Date.parse(shown.expiration_time);
    expect(await findCertificateFault(files, end - 86_400_000)).toMatchObject({ usable: true });
    expect((await findCertificateFault(files, end + 1))?.fault).toContain('has ended');
  });

  it('of an Envoy without a certificate is refused by it, and its port stays closed', async () => {
    const bare = await startGateway({ listenerTls: true });
    try {
      const xds = await tell(bare);
      await until('the refusal is told', () =>
        JSON.stringify(xds.ads.nodes()).includes('gateway-certificate.json'),
      );
      expect(await opens(bare.origin, TLS_1)).toBe(false);
      expect(await opens(bare.origin.replace('https', 'http'), { version: '1.1' })).toBe(false);
    } finally {
      await bare.stop();
    }
  });
});
