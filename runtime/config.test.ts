// Unit tests of config.ts.
import { describe, expect, it } from 'vitest';
import { choice, flag, integer, list, localAddress, port, readConfig, text, url } from '#runtime/config.ts';

const shape = {
  port: port('PORT', '8080'),
  publicUrl: url('PUBLIC_URL'),
  verbose: flag('VERBOSE', 'false'),
  hosts: list('HOSTS', ''),
  processes: integer(1, 64)('PROCESSES', '1'),
  address: localAddress('ADDRESS', 'unix:/tmp/x.sock'),
  level: choice('info', 'warn')('LEVEL', 'info'),
  secret: text('SECRET', 'none'),
};

describe('readConfig()', () => {
  it('fills defaults and treats an empty variable as absent', () => {
    const config = readConfig(shape, { PUBLIC_URL: 'https://gw.example.com/', PORT: '', HOSTS: 'a, b,,' });
    expect(config).toMatchObject({
      port: 8080,
      publicUrl: 'https://gw.example.com',
      hosts: ['a', 'b'],
      verbose: false,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every fault at once and repeats no value', () => {
    const environment = {
      PORT: 'eighty',
      VERBOSE: 'yes',
      PROCESSES: '0',
      LEVEL: 'loud',
      ADDRESS: '0.0.0.0:1',
      SECRET: 'hunter2',
    };
    let message = '';
    try {
      readConfig(shape, environment);
    } catch (thrown) {
      message = (thrown as Error).message;
    }
    for (const name of ['PORT', 'PUBLIC_URL', 'VERBOSE', 'PROCESSES', 'LEVEL', 'ADDRESS'])
      expect(message).toContain(`${name}:`);
    expect(message).not.toMatch(/eighty|hunter2|0\.0\.0\.0/);
  });
});
