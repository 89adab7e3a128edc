// The publisher's commands as real processes. Sending what they sign is in registry-api-page.test.ts.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandOf, type Ended } from '#test/support/documented-commands.ts';
import { manifest1, manifest2, tool } from '#test/support/manifest-world.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'manifest-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const run = async (
  file: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Ended> => {
  const options = { cwd: directory, env: { ...process.env, INIT_CWD: directory, ...variables } };
  try {
    return { code: 0, ...(await promisify(execFile)(file, [...args], options)) };
  } catch (thrown) {
    return thrown as Ended;
  }
};

const command = (name: string, ...args: string[]): Promise<Ended> => {
  const [program = '', ...rest] = commandOf(`manifest:${name}`);
  return run(program, [...rest, ...args]);
};

const write = (name: string, content: unknown): void =>
  writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));

const keygen = async (): Promise<string> => {
  const made = await command('keygen', '--kid', 'team-1', '--out', 'team.jwk');
  write('team.public.json', made.stdout);
  return made.stdout;
};

const sign = (...args: string[]) =>
  command('sign', 'm.json', '--key', 'team.jwk', '--tenant', 'acme', ...args);

const verify = (...args: string[]) =>
  command(
    'verify',
    'm.json',
    '--signature',
    'm.sig',
    '--key',
    'team.public.json',
    '--tenant',
    'acme',
    ...args,
  );

describe('manifest:keygen', () => {
  it('keeps the private half in a file of its owner and prints the public one', async () => {
    const entry = JSON.parse(await keygen());
    expect(entry).toEqual({
      kid: 'team-1',
      jwk: { kty: 'EC', crv: 'P-256', alg: 'ES256', x: expect.any(String), y: expect.any(String) },
    });
    expect(statSync(join(directory, 'team.jwk')).mode & 0o777).toBe(0o600);
    const secret = JSON.parse(readFileSync(join(directory, 'team.jwk'), 'utf8'));
    expect(secret).toMatchObject({ kid: 'team-1', alg: 'ES256', d: expect.any(String) });
  });

  it('never writes over a key', async () => {
    await keygen();
    const before = readFileSync(join(directory, 'team.jwk'), 'utf8');
    const again = await command('keygen', '--kid', 'team-2', '--out', 'team.jwk');
    expect(again).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('exists already') });
    expect(readFileSync(join(directory, 'team.jwk'), 'utf8')).toBe(before);
  });
});

describe('manifest:sign and manifest:verify', () => {
  it.each([
    ['2', manifest2()],
    ['1', manifest1()],
  ])('agree on a manifest of schema version %s', async (_version, manifest) => {
    await keygen();
    write('m.json', manifest);
    write('m.sig', (await sign()).stdout);
    const verified = await verify();
    expect(verified).toMatchObject({ code: 0 });
    expect(JSON.parse(verified.stdout)).toMatchObject({ server: 'tracker', version: '1.0.0', kid: 'team-1' });
  });

  it('tell bytes, tenant and time that do not fit', async () => {
    await keygen();
    write('m.json', manifest2());
    write('m.sig', (await sign('--lifetime', '60')).stdout);
    expect(await verify('--tenant', 'beta')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('signature-audience-mismatch'),
    });
    expect(await verify('--at', '2099-01-01T00:00:00Z')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('signature-expired'),
    });
    write('m.json', `${JSON.stringify(manifest2())} `);
    expect(await verify()).toMatchObject({ code: 1, stderr: expect.stringContaining('signature-invalid') });
  });

  it('sign with EdDSA as well', async () => {
    const made = await command('keygen', '--kid', 'team-1', '--out', 'team.jwk', '--alg', 'EdDSA');
    write('team.public.json', made.stdout);
    write('m.json', manifest2());
    write('m.sig', (await sign()).stdout);
    expect((await verify()).code).toBe(0);
  });

  it('sign nothing the registry would refuse, and say where it is wrong', async () => {
    await keygen();
    write('m.json', manifest2({ tools: [tool('a', { description: 'a\u200bb' })] }));
    expect(await sign()).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('/tools/0/description'),
    });
    write('m.json', manifest2({ surprise: 1 }));
    expect(await sign()).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('/surprise') });
  });

  it.each([
    ['a public key', ['--key', 'team.public.json']],
    ['a lifetime of two days', ['--lifetime', '172800']],
    ['an option nobody knows', ['--force', 'yes']],
    ['a key that is not there', ['--key', 'nothing.jwk']],
  ])('are not called with %s', async (_name, args) => {
    await keygen();
    write('m.json', manifest2());
    const { code, stdout, stderr } = await sign(...args);
    const secret = JSON.parse(readFileSync(join(directory, 'team.jwk'), 'utf8')).d;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain(secret);
    expect(stderr).not.toContain('    at ');
  });
});
