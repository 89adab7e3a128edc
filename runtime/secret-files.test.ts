// Which files count as a secret, and that a name cannot lead elsewhere.

import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSecretStore } from '#runtime/secret-files.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-'));
});

const write = async (name: string, text: string, mode = 0o600): Promise<void> => {
  await writeFile(join(directory, name), text);
  await chmod(join(directory, name), mode);
};

const read = async (name: string, tenantId = 'default'): Promise<string> => {
  const result = await createSecretStore(directory).read(tenantId, name);
  return result.ok ? `secret ${result.value.reveal()}` : result.error;
};

describe('createSecretStore()', () => {
  it('reads a file of ours without its last newline', async () => {
    await write('app', 'very secret \n');
    expect(await read('app')).toBe('secret very secret ');
  });

  it('reads a rotated secret at once', async () => {
    await write('rotated', 'old');
    const store = createSecretStore(directory);
    await store.read('default', 'rotated');
    await write('rotated', 'new');
    const result = await store.read('default', 'rotated');
    expect(result.ok && result.value.reveal()).toBe('new');
  });

  it.each([0o640, 0o604, 0o660, 0o644])('refuses a file that others may open (%o)', async (mode) => {
    await write('open', 'text', mode);
    expect(await read('open')).toBe('readable_by_others');
  });

  it.each(['../etc/passwd', '..', '.', '/etc/passwd', 'a/b', '.a', '', 'a\0b', 'a b'])(
    'refuses the name %j',
    async (name) => {
      expect(await read(name)).toBe('name_invalid');
    },
  );

  it('gives each tenant its own secrets and no other tenant’s', async () => {
    await mkdir(join(directory, 'acme'), { recursive: true });
    await write('shared', 'of default');
    await write(join('acme', 'shared'), 'of acme');
    await write(join('acme', 'own'), 'of acme');
    expect(await read('shared')).toBe('secret of default');
    expect(await read('shared', 'acme')).toBe('secret of acme');
    expect(await read('shared', 'globex')).toBe('missing');
    expect(await read('own')).toBe('missing');
    // The directory of a tenant is no secret of the default one.
    expect(await read('acme')).not.toMatch(/^secret/);
  });

  it.each(['..', '.', '', 'a/b', '../acme', 'A'])('knows no tenant %j', async (tenantId) => {
    expect(await read('shared', tenantId)).toBe('name_invalid');
  });

  it('tells missing, empty and oversized files apart', async () => {
    await write('empty', '\n');
    await write('huge', 'x'.repeat(17 * 1024));
    expect(await Promise.all(['absent', 'empty', 'huge'].map((name) => read(name)))).toEqual([
      'missing',
      'empty',
      'too_large',
    ]);
  });
});
