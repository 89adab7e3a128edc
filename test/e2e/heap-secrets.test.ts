// What somebody reads who gets hold of a heap snapshot of ext-authz: a real process that has exchanged and keeps tokens,
// looked at after the garbage collection that Node makes for a snapshot. No secret of the gateway, no token of a caller, no
// cached token for a server, no key.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATIONS } from '#demo/directory.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import { configuredTokenCacheKeyFile } from '#runtime/token-cache-keys.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';

let product: Product;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'heap-'));
  // Tokens are sealed for others too, so that the key of that is in use.
  const sharing = { SHARED_STATE: 'sql', TOKEN_CACHE_KEY_FILE: join(directory, 'token-cache.keys') };
  ensureKeyFile(configuredTokenCacheKeyFile(sharing));
  product = await startProduct({
    ...sharing,
    NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${directory}`,
  });
}, 300_000);
afterAll(async () => {
  await product.stop();
  rmSync(directory, { recursive: true });
});

const isWhole = (file: string): boolean =>
  statSync(file).size > 0 && readFileSync(file).subarray(-8).includes(']}');

/** The newest snapshot, as text: strings of the heap stand in it as they are. */
const snapshotOf = async (name: string): Promise<string> => {
  const pid = Number(readFileSync(join(product.process.localDirectory, 'pids', name), 'utf8'));
  process.kill(pid, 'SIGUSR2');
  const snapshots = (): string[] => readdirSync(directory).filter((file) => file.includes(`.${pid}.`));
  await expect
    .poll(() => snapshots().some((file) => isWhole(join(directory, file))), {
      timeout: 120_000,
      interval: 500,
    })
    .toBe(true);
  return readFileSync(join(directory, snapshots()[0] ?? ''), 'latin1');
};

/** Lines of every key file that a process of ours has made. */
const keysOnDisk = (): string[] => {
  const state = join(product.process.localDirectory, 'state');
  const made = readdirSync(state, { recursive: true, encoding: 'utf8' })
    .filter((file) => /-keys\/[^/]+$/.test(file) && !file.startsWith('ext-authz-keys'))
    .map((file) => join(state, file))
    .filter((file) => statSync(file).isFile());
  return [join(directory, 'token-cache.keys'), ...made]
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.length > 20);
};

const JWT = /eyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{40,}/;

describe('a heap snapshot of ext-authz', () => {
  it('shows neither credentials nor tokens nor keys, though tokens are kept', async () => {
    const url = product.serverUrl('tracker');
    const tokens = [await product.token('alice'), await product.token('bob')];
    const call = async () => {
      for (const token of tokens) expect((await callTool(url, token, { name: 'whoami' })).status).toBe(200);
    };
    for (let times = 0; times < 5; times += 1) await call();
    const text = await snapshotOf('ext-authz');
    // What is kept in the heap is found by this: who the callers are.
    const people = tokens.map((token) => String(decodeJwt(token)['oid']));
    expect(people.map((oid) => text.includes(oid))).toEqual([true, true]);
    const secrets = APPLICATIONS.flatMap(({ secret }) => secret ?? []);
    const keys = keysOnDisk();
    expect([secrets.length > 0, keys.length > 2]).toEqual([true, true]);
    for (const [index, secret] of [...secrets, ...tokens, ...keys].entries()) {
      expect(text.includes(secret), `${index}`).toBe(false);
    }
    expect(JWT.test(text)).toBe(false);
    await call();
    const sources = (await product.decisions()).slice(-2).map(({ tokenSource }) => tokenSource);
    expect(sources).toEqual(['cache', 'cache']);
  }, 240_000);
});
