// Unit tests of read-secret.ts: files that are believed, and what is wrong with the others.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { readSecret } from '#xds-server/secrets/read-secret.ts';

const authority = createTestAuthority();
const until = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 600_000);
const one = authority.issue(['one.example'], { until });
const two = authority.issue(['two.example']);

let directory: string;
const put = (name: string, text: string, mode = 0o600) => writeFile(join(directory, name), text, { mode });
const read = (use: 'ca' | 'certificate', name: string, tenantId = 'default') =>
  readSecret(directory, { use, tenantId, name });
const faultOf = async (...args: Parameters<typeof read>): Promise<string> => {
  const result = await read(...args);
  return result.ok ? '' : result.error;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'read-secret-'));
  await mkdir(join(directory, 'acme'));
  await Promise.all([
    put('good.crt', one.certificate, 0o644),
    put('good.key', one.key),
    put('good.ca', `# ours\n${authority.certificate}${authority.certificate}`, 0o644),
    put('acme/own.ca', authority.certificate),
    put('mixed.crt', one.certificate),
    put('mixed.key', two.key),
    put('open.crt', one.certificate),
    put('open.key', one.key, 0o640),
    put('loose.ca', authority.certificate, 0o666),
    put('empty.ca', ''),
    put('torn.ca', authority.certificate.replace(/.{20}\n/, '\n')),
    put('half.crt', one.certificate),
  ]);
  // The mask of the process takes such bits away from new files.
  await chmod(join(directory, 'loose.ca'), 0o666);
  await chmod(join(directory, 'open.key'), 0o640);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('readSecret()', () => {
  it('finds a certificate with its key, and when it ends', async () => {
    const found = await read('certificate', 'good');
    expect(found).toMatchObject({ ok: true, value: { validToMs: until.getTime() } });
    expect(inspect(found, { depth: 9 })).not.toContain('PRIVATE KEY');
    expect(JSON.stringify(found)).not.toContain('PRIVATE KEY');
  });

  it('finds authorities, several in one file', async () => {
    expect(await read('ca', 'good')).toMatchObject({ ok: true, value: { material: { use: 'ca' } } });
  });

  it('keeps tenants apart', async () => {
    expect(await faultOf('ca', 'own', 'acme')).toBe('');
    expect(await faultOf('ca', 'own')).toBe('missing');
    expect(await faultOf('ca', 'good', 'acme')).toBe('missing');
    for (const [name, tenant] of [
      ['../good', 'acme'],
      ['acme/own', 'default'],
      ['good', '..'],
      ['.hidden', 'default'],
    ] as const)
      expect(await faultOf('ca', name, tenant)).toBe('name_invalid');
  });

  it.each([
    ['certificate', 'mixed', 'key_of_another_certificate'],
    ['certificate', 'open', 'readable_by_others'],
    ['certificate', 'half', 'missing'],
    ['ca', 'loose', 'writable_by_others'],
    ['ca', 'empty', 'no_certificate'],
    ['ca', 'torn', 'no_certificate'],
  ] as const)('takes no %s out of %s: %s', async (use, name, fault) => {
    expect(await faultOf(use, name)).toBe(fault);
  });
});
