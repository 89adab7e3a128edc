// Which files count as a secret, and that a name cannot lead elsewhere.

import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSecretStore } from '#ext-authz/token/secrets.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-'));
});

const write = async (name: string, text: string, mode = 0o600): Promise<void> => {
  await writeFile(join(directory, name), text);
  await chmod(join(directory, name), mode);
};

const read = async (name: string): Promise<string> => {
  const result = await createSecretStore(directory).read(name);
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
    await store.read('rotated');
    await write('rotated', 'new');
    const result = await store.read('rotated');
    expect(result.ok && result.value.reveal()).toBe('new');
  });

  it.each([0o640, 0o604, 0o660, 0o644])('refuses a file that others may open (%o)', async (mode) => {
    await write('open', 'text', mode);
    expect(await read('open')).toBe('readable_by_others');
  });

  it.each(['../etc/passwd', '..', '.', '/etc/passwd', 'a/b', 'A', '', 'a\0b', 'a.b'])(
    'refuses the name %j',
    async (name) => {
      expect(await read(name)).toBe('name_invalid');
    },
  );

  it('tells missing, empty and oversized files apart', async () => {
    await write('empty', '\n');
    await write('huge', 'x'.repeat(17 * 1024));
    expect(await Promise.all(['absent', 'empty', 'huge'].map(read))).toEqual([
      'missing',
      'empty',
      'too_large',
    ]);
  });
});
