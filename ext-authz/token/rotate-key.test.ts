// The key file of the token cache as an operator meets it: made by the command, rotated by it, and on several machines.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '#runtime/logger.ts';
import { configuredTokenCacheKeyFile, openTokenCacheKeys } from '#runtime/token-cache-keys.ts';

let place: string;
let clock: number;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mcpgw-token-keys-'));
  clock = 0;
});
afterEach(() => rmSync(place, { recursive: true }));

const pathOf = (machine: string): string => join(place, machine, 'token-cache.key');

const rotate = (machine: string, ...options: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['ext-authz/token/rotate-key.ts', ...options],
    { encoding: 'utf8', env: { ...process.env, TOKEN_CACHE_KEY_FILE: machine && pathOf(machine) } },
  );
  return { status, stdout, stderr };
};

const open = (machine: string) =>
  openTokenCacheKeys(configuredTokenCacheKeyFile({ TOKEN_CACHE_KEY_FILE: pathOf(machine) }), {
    logger: createLogger('test', 'silent'),
    nowMs: () => clock,
  });

describe('the key file of the token cache', () => {
  it('has no default: without one it is said how to make it', () => {
    expect(() => configuredTokenCacheKeyFile({})).toThrow(/TOKEN_CACHE_KEY_FILE is required.*rotate-key/);
    expect(rotate('')).toMatchObject({ status: 1, stdout: '' });
    expect(() => open('a')).toThrow('TOKEN_CACHE_KEY_FILE: the file cannot be read');
  });

  it('is made by the command, for its owner alone, and refused when others can read it', () => {
    expect(rotate('a')).toMatchObject({ status: 0, stdout: `${pathOf('a')}: a key added, 1 in it\n` });
    expect(statSync(pathOf('a')).mode & 0o777).toBe(0o600);
    expect(open('a').facts().tokenCacheKeys).toHaveLength(1);
    chmodSync(pathOf('a'), 0o640);
    expect(() => open('a')).toThrow(/readable by its owner only/);
  });

  it('is rotated by the command under a running ring, and keeps as many keys as are asked for', () => {
    rotate('a');
    const ring = open('a');
    const before = ring.facts();
    expect(rotate('a').stdout).toContain('2 in it');
    clock += 1_000;
    const after = ring.facts();
    expect(after.tokenCacheKeys).toEqual([before.tokenCacheKey, after.tokenCacheKey]);
    expect(after.tokenCacheKey).not.toBe(before.tokenCacheKey);
    expect(rotate('a', '--keep', '1').stdout).toContain('2 in it');
    clock += 1_000;
    expect(ring.facts().tokenCacheKeys).not.toContain(before.tokenCacheKey);
    expect(rotate('a', '--keep', '0')).toMatchObject({ status: 1 });
  });

  it('is rotated on several machines one after the other, and none meets a key it does not know', () => {
    rotate('a');
    const machines = ['a', 'b'] as const;
    const old = readFileSync(pathOf('a'), 'utf8');
    mkdirSync(join(place, 'b'));
    writeFileSync(pathOf('b'), old, { mode: 0o600 });
    const rings = machines.map(open);
    const opensEverywhere = (): void => {
      clock += 1_000;
      const sealing = rings.map((ring) => ring.facts().tokenCacheKey);
      for (const ring of rings) expect(ring.facts().tokenCacheKeys).toEqual(expect.arrayContaining(sealing));
    };
    rotate('new');
    const added = readFileSync(pathOf('new'), 'utf8');
    // First everywhere as one that opens, then everywhere as the one that seals.
    for (const text of [added + old, old + added])
      for (const machine of machines) {
        writeFileSync(pathOf(machine), text);
        opensEverywhere();
      }
    expect(new Set(rings.map((ring) => ring.facts().tokenCacheKey)).size).toBe(1);
    expect(rings[0]?.facts().tokenCacheKeyFault).toBeNull();
  });
});
