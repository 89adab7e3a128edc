// Where Redis is, and what may be said of it.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '#runtime/config.ts';
import { REDIS_VARIABLES } from '#runtime/redis/redis-configuration.ts';
import { parseRedisUrl } from '#runtime/redis/redis-url.ts';

describe('parseRedisUrl()', () => {
  it.each([
    ['redis://cache', { kind: 'single', tls: false, hosts: [{ host: 'cache', port: 6379 }], database: 0 }],
    ['rediss://cache:7000/3', { tls: true, hosts: [{ host: 'cache', port: 7000 }], database: 3 }],
    ['redis://[::1]:7000', { hosts: [{ host: '::1', port: 7000 }] }],
    [
      'redis+sentinel://a,b:7001/main/2',
      {
        kind: 'sentinel',
        masterName: 'main',
        database: 2,
        hosts: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 7001 },
        ],
      },
    ],
    ['rediss+cluster://a:1,b:2', { kind: 'cluster', tls: true, hosts: [{ port: 1 }, { port: 2 }] }],
  ])('reads %s', (text, expected) => {
    expect(parseRedisUrl(text)).toMatchObject({ ok: true, value: expected });
  });

  it.each([
    ['redis://u:p%40%3A@cache', 'u', 'p@:'],
    ['redis://:secret@cache', undefined, 'secret'],
    ['redis://secret@cache', undefined, 'secret'],
    ['redis://cache', undefined, undefined],
  ])('reads the credentials of %s', (text, username, password) => {
    const parsed = parseRedisUrl(text);
    const target = parsed.ok ? parsed.value : undefined;
    expect([target?.username, target?.password?.reveal()]).toEqual([username, password]);
    expect(JSON.stringify(target)).not.toContain('secret');
  });

  it.each([
    'http://cache',
    'redis://',
    'redis://a,b',
    'redis://cache:0',
    'redis://cache:99999',
    'redis://cache/x',
    'redis://cache?x=1',
    'redis+sentinel://a,b',
    'redis+cluster://a/1',
    'redis+cluster://a,,b',
    'redis://hunter2@ca che',
  ])('refuses %s without repeating it', (text) => {
    const parsed = parseRedisUrl(text);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toMatch(/hunter2/);
  });
});

describe('REDIS_VARIABLES', () => {
  let directory: string;
  let open: string;
  let closed: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'redis-configuration-'));
    [open, closed] = [join(directory, 'open'), join(directory, 'closed')];
    for (const file of [open, closed]) writeFileSync(file, 'secret', { mode: 0o600 });
    chmodSync(open, 0o644);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('may all be absent: then there is no Redis', () => {
    expect(readConfig(REDIS_VARIABLES, {})).toMatchObject({ redis: undefined, redisKeyPrefix: 'mcpgw:' });
  });

  it('name every fault at once, and no value', () => {
    const read = () =>
      readConfig(REDIS_VARIABLES, {
        REDIS_URL: 'redis://u:hunter2@cache',
        REDIS_PASSWORD_FILE: closed,
        REDIS_SENTINEL_PASSWORD_FILE: closed,
        REDIS_CA_FILE: open,
        REDIS_KEY_FILE: closed,
        REDIS_KEY_PREFIX: '{a}',
      });
    expect(read).toThrow(/REDIS_PASSWORD_FILE: REDIS_URL has a password already/);
    expect(read).toThrow(/REDIS_SENTINEL_PASSWORD_FILE: needs Sentinels/);
    expect(read).toThrow(/REDIS_CA_FILE: needs TLS/);
    expect(read).toThrow(/REDIS_KEY_FILE: needs TLS/);
    expect(read).toThrow(/REDIS_KEY_PREFIX: expected/);
    expect(read).not.toThrow(/hunter2/);
  });

  it('name files that are missing, relative, open to others, or half of a pair', () => {
    const read = (environment: Record<string, string>) => () =>
      readConfig(REDIS_VARIABLES, { REDIS_URL: 'rediss://cache', ...environment });
    expect(read({ REDIS_CA_FILE: join(directory, 'gone') })).toThrow(
      'REDIS_CA_FILE: the file cannot be read',
    );
    expect(read({ REDIS_CA_FILE: 'ca.pem' })).toThrow('REDIS_CA_FILE: expected an absolute path');
    expect(read({ REDIS_PASSWORD_FILE: open })).toThrow('REDIS_PASSWORD_FILE: the file must be readable by');
    expect(read({ REDIS_CERTIFICATE_FILE: open })).toThrow('REDIS_CERTIFICATE_FILE: needs REDIS_KEY_FILE');
    expect(() => readConfig(REDIS_VARIABLES, { REDIS_CA_FILE: open })).toThrow(
      'REDIS_CA_FILE: needs REDIS_URL',
    );
  });
});
