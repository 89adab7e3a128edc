// The key file of sessions and the ring that follows it, on the real file system.

import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addKey, readKeyFile } from '#runtime/key-file.ts';
import { createLogger } from '#runtime/logger.ts';
import { configuredSessionKeyFile, openSessionKeys, sessionKeyFile } from '#runtime/session-keys.ts';

let place: string;
let log: string[];
let clock: number;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mcpgw-keys-'));
  log = [];
  clock = 1_000_000;
});
afterEach(() => rmSync(place, { recursive: true }));

const file = () => sessionKeyFile(join(place, 'keys', 'session.key'));
const open = () =>
  openSessionKeys(file(), {
    logger: createLogger('test', 'info', { write: (line) => void log.push(line) }),
    nowMs: () => clock,
  });

const idsIn = (path = file()) => readKeyFile(path).map(({ id }) => id);

describe('openSessionKeys()', () => {
  it('makes a file that its owner alone can read, with one key of 32 random bytes', () => {
    const { current } = open();
    expect(statSync(file().path).mode & 0o777).toBe(0o600);
    expect(statSync(join(place, 'keys')).mode & 0o777).toBe(0o700);
    expect(Buffer.from(readFileSync(file().path, 'utf8').trim(), 'base64url')).toHaveLength(32);
    expect(current().all.map(({ id }) => id)).toEqual(idsIn());
  });

  it('gives every process of the deployment the same keys, and another deployment others', () => {
    const ids = [open(), open()].map((ring) => ring.current().current.id);
    expect(new Set(ids).size).toBe(1);
    rmSync(file().path);
    expect(ids).not.toContain(open().current().current.id);
  });

  it('takes up an added key within a second, and at once where it is asked for', () => {
    const [sealing, opening] = [open(), open()];
    const before = sealing.current().current.id;
    addKey(file());
    const added = idsIn().at(-1) ?? '';
    expect(sealing.current().current.id).toBe(before);
    expect(opening.knowing(added).all.map(({ id }) => id)).toEqual([before, added]);
    clock += 1_000;
    expect(sealing.current().current.id).toBe(added);
  });

  it('follows a file that is renamed into its place, also with the clock set back', () => {
    const ring = open();
    const other = sessionKeyFile(join(place, 'other.key'));
    openSessionKeys(other, { logger: createLogger('test', 'silent'), nowMs: () => clock });
    const [expected] = idsIn(other);
    renameSync(other.path, file().path);
    clock -= 60_000;
    expect(ring.current().current.id).toBe(expected);
  });

  it.each<[string, (path: string) => void]>([
    ['open to others', (path) => chmodSync(path, 0o640)],
    ['gone', (path) => rmSync(path)],
    ['no key', (path) => writeFileSync(path, 'password\n')],
    ['empty', (path) => writeFileSync(path, '')],
  ])('keeps its keys while the file is %s, and says so once', (_what, spoil) => {
    const ring = open();
    const before = ring.current();
    spoil(file().path);
    for (let look = 0; look < 3; look += 1) {
      clock += 1_000;
      expect(ring.current()).toEqual(before);
    }
    expect(ring.facts().sessionKeyFault).toContain('SESSION_KEY_FILE');
    expect(log.filter((line) => line.includes('refused'))).toHaveLength(1);
    expect(log.join('')).not.toContain('password');
  });

  it.each<[string, (path: string) => void]>([
    ['open to others', (path) => chmodSync(path, 0o604)],
    ['of another kind', (path) => writeFileSync(path, 'password\n')],
  ])('does not start with a file that is %s', (_what, spoil) => {
    open();
    spoil(file().path);
    expect(open).toThrow(/^SESSION_KEY_FILE: /);
  });
});

describe('addKey()', () => {
  it('drops the oldest beyond those to keep', () => {
    open();
    const [first = ''] = idsIn();
    expect(addKey(file(), 2)).toBe(2);
    expect(addKey(file(), 2)).toBe(3);
    expect(idsIn()).toContain(first);
    expect(addKey(file(), 2)).toBe(3);
    expect(idsIn()).not.toContain(first);
    expect(statSync(file().path).mode & 0o777).toBe(0o600);
  });
});

describe('configuredSessionKeyFile()', () => {
  it('lies below the state directory unless named', () => {
    const state = { MCPGW_STATE_DIR: '/var/lib/mcpgw' };
    expect(configuredSessionKeyFile(state).path).toBe('/var/lib/mcpgw/session-keys/session.key');
    expect(configuredSessionKeyFile({ ...state, SESSION_KEY_FILE: '/etc/k' }).path).toBe('/etc/k');
  });
});
