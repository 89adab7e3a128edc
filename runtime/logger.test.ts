// Unit tests of logger.ts: what must never be printed is not.
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
});
