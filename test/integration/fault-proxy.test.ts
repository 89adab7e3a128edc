// The proxy that chaos puts between two processes: each of its faults as the two ends see it.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '#runtime/address.ts';
import { type FaultProxy, startFaultProxy } from '#test/chaos/faults/fault-proxy.ts';
import { createArrivals, RESEND_MS } from '#test/chaos/faults/link-fault.ts';
import { createRandom } from '#test/chaos/random.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

let proxy: FaultProxy;
let server: Server;
let atServer: Socket[];
let at: Address;
let directory: string;
let clients: Socket[];

const netOf = (address: Address) =>
  address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };

/** An echo behind a proxy. */
const start = async (target: Address, dialled: Address): Promise<void> => {
  at = dialled;
  server = createServer({ allowHalfOpen: true }, (socket) => {
    atServer.push(socket);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.pipe(socket, { end: false });
  });
  server.listen(netOf(target));
  await once(server, 'listening');
  proxy = await startFaultProxy({ at: dialled, target, seed: 7 });
};

const startTcp = async (): Promise<void> => {
  const [one = 0, other = 0] = await findFreePorts(2);
  const tcp = (port: number): Address => ({ kind: 'tcp', host: '127.0.0.1', port });
  await start(tcp(one), tcp(other));
};

const startUnix = (): Promise<void> =>
  start({ kind: 'unix', path: join(directory, 's') }, { kind: 'unix', path: join(directory, 'p') });

type Client = { readonly socket: Socket; text(): string; readonly ended: Promise<string> };

const dial = async (): Promise<Client> => {
  const socket = connect({ ...netOf(at), allowHalfOpen: true });
  clients.push(socket);
  let text = '';
  let end = 'nothing';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = String(error.code);
  });
  socket.on('end', () => {
    end = 'end';
    socket.end();
  });
  const ended = once(socket, 'close').then(
    () => end,
    () => once(socket, 'close').then(() => end),
  );
  await once(socket, 'connect');
  return { socket, text: () => text, ended };
};

/** Sends and resolves with the milliseconds until it is back. */
const echo = async ({ socket, text }: Client, sent: string): Promise<number> => {
  const before = text().length;
  const startedAt = performance.now();
  socket.write(sent);
  while (text().length < before + sent.length) await sleep(1);
  expect(text().slice(before)).toBe(sent);
  return performance.now() - startedAt;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fault-proxy-'));
  atServer = [];
  clients = [];
});
afterEach(async () => {
  for (const socket of [...clients, ...atServer]) socket.destroy();
  await proxy.stop();
  server.close();
  rmSync(directory, { recursive: true });
});

describe.each([
  ['TCP', startTcp],
  ['a Unix socket', startUnix],
])('over %s', (_what, startLink) => {
  beforeEach(startLink);

  it('passes everything on, and an end of either side', async () => {
    const client = await dial();
    await echo(client, 'x'.repeat(3_000_000));
    client.socket.end();
    expect(await client.ended).toBe('end');
    await expect.poll(() => proxy.connections()).toBe(0);
  });

  it('delays what is sent, also on a connection that lives', async () => {
    const client = await dial();
    await echo(client, 'soon');
    proxy.set({ latencyMs: 60, jitterMs: 20 });
    expect(await echo(client, 'late')).toBeGreaterThanOrEqual(120);
    proxy.set({});
    await echo(client, 'soon again');
  });

  it('falls silent without a word, and delivers what was sent meanwhile', async () => {
    const client = await dial();
    proxy.set({ isSilent: true });
    client.socket.write('held');
    await sleep(100);
    expect(client.text()).toBe('');
    expect(client.socket.destroyed).toBe(false);
    proxy.set({});
    await expect.poll(client.text).toBe('held');
  });

  it('lets go of what is on its way at the pace of the link', async () => {
    const client = await dial();
    proxy.set({ bytesPerSecond: 100_000 });
    expect(await echo(client, 'y'.repeat(20_000))).toBeGreaterThanOrEqual(200);
  });

  it('cuts pieces as small as is wanted', async () => {
    const client = await dial();
    const parts: number[] = [];
    proxy.set({ pieceBytes: 1, bytesPerSecond: 100 });
    client.socket.on('data', (part: string) => parts.push(part.length));
    await echo(client, 'slow');
    expect(parts.length).toBeGreaterThanOrEqual(3);
  });

  it('strands connections for good, while new ones are served', async () => {
    const client = await dial();
    await echo(client, 'before');
    proxy.strand();
    client.socket.write('into the void');
    atServer[0]?.destroy();
    await sleep(50);
    expect(client.socket.destroyed).toBe(false);
    expect(client.text()).toBe('before');
    await echo(await dial(), 'after');
  });

  it('takes connections in vain', async () => {
    proxy.takeInVain(true);
    const client = await dial();
    client.socket.write('anybody?');
    await sleep(50);
    expect(atServer).toHaveLength(0);
    expect(client.socket.destroyed).toBe(false);
    proxy.takeInVain(false);
    await echo(await dial(), 'yes');
  });

  it('ends connections at both ends', async () => {
    const client = await dial();
    await echo(client, 'x');
    proxy.cut('end');
    expect(await client.ended).toBe('end');
    await expect.poll(() => atServer[0]?.destroyed).toBe(true);
    await echo(await dial(), 'after');
  });

  it('does not keep a connection whose server is not there', async () => {
    server.close();
    const client = await dial();
    expect(await client.ended).not.toBe('nothing');
  });
});

it('resets TCP connections at both ends', async () => {
  await startTcp();
  const client = await dial();
  await echo(client, 'x');
  const [here] = atServer;
  const atOther = here && once(here, 'error').then(([error]) => (error as NodeJS.ErrnoException).code);
  proxy.cut('reset');
  expect(await client.ended).toBe('ECONNRESET');
  expect(await atOther).toBe('ECONNRESET');
});

describe('arrivals', () => {
  const times = (seed: number): readonly number[] => {
    const arrival = createArrivals(createRandom(seed).next);
    return Array.from({ length: 200 }, (_, index) =>
      arrival({ latencyMs: 5, jitterMs: 10, loss: 0.05 }, 1_460, index * 10),
    );
  };

  beforeEach(startTcp);

  it('are the same for the same seed, and others for another', () => {
    expect(times(3)).toEqual(times(3));
    expect(times(3)).not.toEqual(times(4));
  });

  it('keep the order, and wait for what is sent again', () => {
    const seen = times(3);
    expect(seen.every((at_, index) => at_ >= (seen[index - 1] ?? 0))).toBe(true);
    const late = seen.filter((at_, index) => at_ - index * 10 >= RESEND_MS);
    expect(late.length).toBeGreaterThan(0);
    expect(late.length).toBeLessThan(190);
  });
});
