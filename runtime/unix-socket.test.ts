// Unit tests of unix-socket.ts, on real sockets.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Address, netOptions } from '#runtime/address.ts';
import { bindAddress } from '#runtime/unix-socket.ts';

let directory: string;
beforeEach(() => {
  servers = [];
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-us-'));
});
let servers: Server[];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  rmSync(directory, { recursive: true, force: true });
});

const addressIn = (...names: string[]): Address & { kind: 'unix' } => ({
  kind: 'unix',
  path: join(directory, ...names, 'x.sock'),
});

/** Listens and answers every connection with its name. */
const listenAs =
  (name: string) =>
  (address: Address): Promise<void> => {
    const server = createServer((socket) => socket.on('error', () => undefined).end(name));
    servers.push(server);
    return new Promise((resolve) => server.listen(netOptions(address), resolve));
  };

const whoAnswers = ({ path }: { readonly path: string }): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    connect({ path })
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        text += chunk;
      })
      .on('end', () => resolve(text))
      .on('error', reject);
  });

describe('bindAddress()', () => {
  it('makes the directory and the socket for their owner only', async () => {
    const address = addressIn('run');
    await bindAddress(address, listenAs('one'));
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700);
    expect(statSync(address.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'run'))).toEqual(['x.sock']);
  });

  it('takes the place of what a killed process left behind', async () => {
    const address = addressIn();
    writeFileSync(address.path, '');
    await bindAddress(address, listenAs('one'));
    expect(await whoAnswers(address)).toBe('one');
  });

  it('refuses a socket that a living process holds', async () => {
    const address = addressIn();
    await bindAddress(address, listenAs('one'));
    await expect(bindAddress(address, listenAs('two'))).rejects.toMatchObject({ code: 'config_invalid' });
    expect(await whoAnswers(address)).toBe('one');
  });

  it('lets a successor take it, without a moment in which nobody answers, and for good', async () => {
    const address = addressIn();
    await bindAddress(address, listenAs('one'));
    vi.stubEnv('TAKE_OVER', 'true');
    const answers: string[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) answers.push(await whoAnswers(address));
    })();
    for (const name of ['two', 'three', 'four']) {
      await bindAddress(address, listenAs(name));
      // As a service waits for the last connections. The end of the one before must not take its successor's socket away.
      await sleep(20);
      await new Promise((resolve) => servers.at(-2)?.close(resolve));
    }
    isOver = true;
    await asking;
    expect(answers.length).toBeGreaterThan(0);
    expect(await whoAnswers(address)).toBe('four');
  });

  it('refuses a directory that others may change', async () => {
    mkdirSync(join(directory, 'open'));
    chmodSync(join(directory, 'open'), 0o777);
    await expect(bindAddress(addressIn('open'), listenAs('one'))).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});
