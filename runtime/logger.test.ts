// Unit tests of logger.ts: what must never be printed is not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { createLogger } from '#runtime/logger.ts';

const capture = (): { lines: Record<string, unknown>[]; write(line: string): void } => {
  const lines: Record<string, unknown>[] = [];
  return { lines, write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) };
};

describe('createLogger()', () => {
  it('writes one JSON line with service, level by name and an RFC 3339 time', () => {
    const out = capture();
    createLogger('ext-authz', 'info', out).info({ tenant: 'default' }, 'decision');
    expect(out.lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        service: 'ext-authz',
        tenant: 'default',
        message: 'decision',
      },
    ]);
  });

  it('prints neither a Secret nor a credential that a library left in an object', () => {
    const out = capture();
    const logger = createLogger('x', 'info', out);
    logger.info({ secret: new Secret('s3cret'), text: `${new Secret('s3cret')}` });
    logger.info({
      request: { headers: { authorization: 'Bearer s3cret' } },
      body: { assertion: 's3cret', client_secret: 's3cret' },
    });
    expect(JSON.stringify(out.lines)).not.toContain('s3cret');
  });

  it.each([
    ['at the top', { authorization: 's3cret', tenant: 'acme' }],
    ['in a list', { requests: [{ cookie: 's3cret' }] }],
    ['in an error', { err: Object.assign(new Error('refused'), { token: 's3cret', status: 401 }) }],
    ['as a list', { tenant: 'acme', password: ['s3cret'] }],
    ['in what writes itself', { tenant: 'acme', body: { token: 's3cret', toJSON: () => 's3cret' } }],
  ])('prints no credential by its name %s, and leaves what was logged as it is', (_where, logged) => {
    const out = capture();
    const before = JSON.stringify(logged);
    createLogger('x', 'info', out).info(logged, 'said');
    expect(JSON.stringify(out.lines)).not.toContain('s3cret');
    expect(out.lines[0]).toMatchObject({ message: 'said' });
    expect(JSON.stringify(logged)).toBe(before);
  });

  it('prints the rest of an error from which something was taken', () => {
    const out = capture();
    const error = Object.assign(new Error('refused'), { token: 's3cret', status: 401 });
    createLogger('x', 'info', out).error({ err: error }, 'failed');
    expect(out.lines[0]).toMatchObject({ err: { message: 'refused', status: 401, token: '[redacted]' } });
  });

  it('goes on when stdout is a file on a full disk, and bounds what waits', () => {
    const directory = mkdtempSync(join(tmpdir(), 'logger-'));
    const script = `
      import { createLogger } from '#runtime/logger.ts';
      const logger = createLogger('x', 'info');
      for (let line = 0; line < 300; line += 1) logger.info({ filler: 'y'.repeat(10_000) }, 'said');
      await new Promise((resolve) => setTimeout(resolve, 10));
      process.stderr.write('alive');`;
    const node = [process.execPath, '--no-warnings', '--input-type=module-typescript', '-e', script];
    // No file of this process may grow beyond 0 bytes; stderr is a pipe.
    const command = [
      '-c',
      'file="$1"; shift; ulimit -f 0; exec "$@" > "$file"',
      'sh',
      join(directory, 'log'),
    ];
    const { status, stderr } = spawnSync('sh', [...command, ...node], { encoding: 'utf8', timeout: 20_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'alive' });
    expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('');
    rmSync(directory, { recursive: true });
  });
});
