// Unit tests of unix-socket.ts, on real sockets.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '#runtime/address.ts';
import { prepareSocket, protectSocket } from '#runtime/unix-socket.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-us-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const addressIn = (...names: string[]): Address & { kind: 'unix' } => ({
  kind: 'unix',
  path: join(directory, ...names, 'x.sock'),
});

describe('prepareSocket()', () => {
  it('makes the directory for its owner only', async () => {
    await prepareSocket(addressIn('run'));
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700);
  });

  it('takes over what a killed process left behind', async () => {
    const address = addressIn();
    writeFileSync(address.path, '');
    await prepareSocket(address);
    expect(() => statSync(address.path)).toThrow('ENOENT');
  });

  it('refuses a socket that a living process holds', async () => {
    const address = addressIn();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(address.path, resolve));
    await protectSocket(address);
    expect(statSync(address.path).mode & 0o777).toBe(0o600);
    await expect(prepareSocket(address)).rejects.toMatchObject({ code: 'config_invalid' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('refuses a directory that others may change', async () => {
    mkdirSync(join(directory, 'open'));
    chmodSync(join(directory, 'open'), 0o777);
    await expect(prepareSocket(addressIn('open'))).rejects.toMatchObject({ code: 'config_invalid' });
  });
});
