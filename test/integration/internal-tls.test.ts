// Mutual TLS between our processes on real gRPC: who gets through to the registry's feed, who does not, what is said of
// it, and what happens when certificates end and are renewed.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFeedConnection } from '#registry/feed/connection.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import type { FromRegistry } from '#registry/feed/wire-message.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { idOf, tlsAddress, type WatchedTls, watchPeer, writePeer } from '#test/support/internal-peers.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { createTestAuthority, type IssuedCertificate } from '#test/support/test-authority.ts';
import { freePort, until } from '#test/support/xds-gateway.ts';

const AUTHORITY = createTestAuthority();
const ENDED = { from: new Date(Date.now() - 7_200_000), until: new Date(Date.now() - 3_600_000) };

let directory: string;
let port: number;
let server: WatchedTls;
let cleanups: (() => Promise<void> | void)[];

const peer = async (name: string, issued: IssuedCertificate, authority = AUTHORITY.certificate) => {
  const tls = await watchPeer(await writePeer(join(directory, name), issued, authority));
  cleanups.push(tls.stop);
  return tls;
};

const serve = async (allowed: string): Promise<void> => {
  server = await peer('registry', AUTHORITY.issue([idOf('registry')]));
  const logger = createLogger('registry', 'silent');
  const source = createMemoryFeedSource();
  const feed = createFeedServer({ source, logger, metrics: createMetrics('registry'), heartbeatMs: 50 });
  const stop = await startGrpcServer(tlsAddress(port, allowed), [feed.service], server);
  cleanups.push(async () => {
    feed.stop();
    await stop();
  });
};

/** What the registry says first, or why the connection ended. */
const dial = async (tls: WatchedTls, expected = idOf('registry')) => {
  const heard: FromRegistry[] = [];
  const subscription = { consumer: 'xds-server', epoch: '', position: 0, tls };
  const connection = openFeedConnection(tlsAddress(port, expected), subscription, (message) =>
    heard.push(message),
  );
  let end: string | undefined;
  void connection.ended.then((reason) => {
    end = reason;
  });
  cleanups.unshift(connection.close);
  await until('an answer', () => heard.length > 0 || end !== undefined);
  return { heard, end, close: connection.close };
};

beforeEach(async () => {
  cleanups = [];
  directory = await mkdtemp(join(tmpdir(), 'tls-'));
  port = await freePort();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

describe('the feed over mutual TLS', () => {
  it('is there for whoever is on the list', async () => {
    await serve(idOf('service/*'));
    const { heard } = await dial(await peer('x', AUTHORITY.issue([idOf('service/xds-server')])));
    expect(heard[0]?.message).toBe('hello');
    expect(server.lines).toEqual([]);
  });

  it.each([
    ['another name', () => AUTHORITY.issue([idOf('sidecar/acme')]), 'sidecar/acme'],
    ['the name in a part of another kind', () => AUTHORITY.issue(['xds-server.mcpgw.test']), 'on the list'],
    ['no name', () => AUTHORITY.issue([]), 'on the list'],
    ['a certificate that has ended', () => AUTHORITY.issue([idOf('xds-server')], ENDED), 'CERT_HAS_EXPIRED'],
    [
      'a certificate of another authority',
      () => createTestAuthority('others').issue([idOf('xds-server')]),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
  ])('is closed to %s, and the log says so', async (_, issue, why) => {
    await serve(idOf('xds-server'));
    const { heard, end } = await dial(await peer('x', issue()));
    expect(heard).toEqual([]);
    expect(end).toBeDefined();
    await until('the refusal is logged', () => server.lines.some((line) => line.includes('peer refused')));
    expect(server.lines.join('')).toContain(why);
    expect(server.lines.join('')).not.toContain('PRIVATE KEY');
  });

  it('is closed to whoever shows no certificate', async () => {
    await serve(idOf('xds-server'));
    const { connect } = await import('node:tls');
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: AUTHORITY.certificate,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ['h2'],
    });
    cleanups.push(() => void socket.destroy());
    let closed = false;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        closed = true;
      });
    await until('it is cut off', () => closed);
    await until('the refusal is logged', () => server.lines.some((line) => line.includes('peer refused')));
    expect(server.lines.join('')).toContain('UNABLE_TO_GET_ISSUER_CERT');
  });

  it('is not taken from a server with another name', async () => {
    await serve(idOf('xds-server'));
    const { heard, end } = await dial(
      await peer('x', AUTHORITY.issue([idOf('xds-server')])),
      idOf('other-registry'),
    );
    expect(heard).toEqual([]);
    expect(end).toContain('none of the names that are expected');
  });
});

describe('certificates that are renamed into place', () => {
  it('are taken up while streams go on', async () => {
    await serve(idOf('xds-server'));
    const client = await peer('x', AUTHORITY.issue([idOf('xds-server')]));
    const before = await dial(client);
    await writePeer(join(directory, 'registry'), AUTHORITY.issue([idOf('next')]), AUTHORITY.certificate);
    await until('the renewal', () => server.lines.some((line) => line.includes('renewed')));
    const count = before.heard.length;
    await until('the old stream is alive', () => before.heard.length > count + 2);
    const { heard } = await dial(client, idOf('next'));
    expect(heard[0]?.message).toBe('hello');
  });

  it('mend what had ended', async () => {
    await serve(idOf('xds-server'));
    const client = await peer('x', AUTHORITY.issue([idOf('xds-server')], ENDED));
    expect((await dial(client)).heard).toEqual([]);
    await writePeer(join(directory, 'x'), AUTHORITY.issue([idOf('xds-server')]), AUTHORITY.certificate);
    await until('the renewal', () => client.lines.some((line) => line.includes('renewed')));
    expect((await dial(client)).heard[0]?.message).toBe('hello');
  });

  it('are left where they do not belong together', async () => {
    await serve(idOf('xds-server'));
    await writeFile(join(directory, 'registry', 'key.pem'), AUTHORITY.issue([]).key);
    await until('the fault is told', () => server.lines.some((line) => line.includes('is not the key of')));
    expect((await dial(await peer('x', AUTHORITY.issue([idOf('xds-server')])))).heard[0]?.message).toBe(
      'hello',
    );
  });
});
