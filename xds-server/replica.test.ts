// Unit tests of replica.ts.

import { describe, expect, it } from 'vitest';
import { consumerName, replicaVariable } from '#xds-server/replica.ts';

const nameOn = (host: string, stateDirectory = '/var/lib/a'): string =>
  consumerName('', { host, stateDirectory });

describe('the name of an xds-server on the feed', () => {
  it('is the one it was given', () => {
    expect(consumerName('eu-1', { host: 'h', stateDirectory: '/s' })).toBe('xds-server/eu-1');
  });

  it('is otherwise made of its machine and its state directory, the same after a restart', () => {
    expect(nameOn('node7.example.com')).toMatch(/^xds-server\/node7-[0-9a-f]{4}$/);
    expect(nameOn('node7')).toBe(nameOn('node7'));
    expect(nameOn('node8')).not.toBe(nameOn('node7'));
    expect(nameOn('node7', '/var/lib/b')).not.toBe(nameOn('node7'));
  });

  it.each(['', '.', 'ü wie über', 'x'.repeat(64), '9'])(
    'is one the feed takes, on a machine called %j',
    (host) => {
      expect(nameOn(host)).toMatch(/^xds-server\/[A-Za-z0-9._-]{1,32}$/);
    },
  );

  it.each(['a/b', 'a b', 'x'.repeat(33), 'ü'])('is not %j', (name) => {
    expect(replicaVariable.parse(name, {})).toMatchObject({ ok: false });
  });
});
