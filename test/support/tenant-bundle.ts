// Bundles as tenants build them, by the real OPA, and archives as nobody should: for tests of whatever takes them.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const POLICIES = resolve(import.meta.dirname, '../../policies');

export type BuildOptions = {
  /** Files by path, beside the product's own rules; one of the same path takes its place. */
  readonly files?: Readonly<Record<string, string>>;
  /** False: the rules are `files` alone. */
  readonly withRules?: boolean;
  /** False: any builtin that OPA knows. */
  readonly limited?: boolean;
  readonly entrypoints?: readonly string[];
  readonly revision?: string;
  /** A private key in PEM and what it signs with. */
  readonly sign?: { readonly key: string; readonly algorithm: string; readonly keyId?: string };
};

/** What `opa build -t wasm` writes. */
export const buildTenantBundle = (options: BuildOptions = {}): Buffer => {
  const binary = process.env['OPA_BIN'];
  if (!binary) throw new Error('OPA_BIN must name the opa 1.22.2 binary');
  const { files = {}, withRules = true, limited = true, revision, sign } = options;
  const { entrypoints = ['mcp/authz/decision', 'mcp/authz/visible'] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'tenant-bundle-'));
  try {
    const sources = join(directory, 'sources');
    mkdirSync(sources);
    if (withRules) cpSync(join(POLICIES, 'mcp'), sources, { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(sources, path)), { recursive: true });
      writeFileSync(join(sources, path), text);
    }
    const keyFile = join(directory, 'key.pem');
    if (sign !== undefined) writeFileSync(keyFile, sign.key);
    const signing =
      sign === undefined
        ? []
        : [
            '--signing-key',
            keyFile,
            '--signing-alg',
            sign.algorithm,
            '--verification-key-id',
            sign.keyId ?? 'default',
          ];
    execFileSync(
      binary,
      [
        'build',
        ...['-t', 'wasm', '--ignore', '*_test.rego', '-o', join(directory, 'bundle.tar.gz')],
        ...entrypoints.flatMap((entrypoint) => ['-e', entrypoint]),
        ...(limited ? ['--capabilities', join(POLICIES, 'capabilities.json')] : []),
        ...(revision === undefined ? [] : ['--revision', revision]),
        ...signing,
        ...['-b', '.'],
      ],
      { cwd: sources, stdio: 'pipe' },
    );
    return readFileSync(join(directory, 'bundle.tar.gz'));
  } catch (thrown) {
    const { stderr = '', stdout = '' } = thrown as { readonly stderr?: Buffer; readonly stdout?: Buffer };
    throw new Error(`opa build: ${stderr}${stdout}`, { cause: thrown });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

export type TarEntry = {
  readonly name: string;
  readonly content?: string | Buffer;
  /** `0` a file, `2` a symbolic link, `5` a folder. */
  readonly type?: string;
  /** As it is written into the header, where that is not the truth. */
  readonly size?: string;
  readonly linkName?: string;
};

const header = ({ name, content = '', type = '0', size, linkName = '' }: TarEntry): Buffer => {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000600\0', 100);
  block.write(size ?? `${Buffer.byteLength(content).toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write(type, 156);
  block.write(linkName, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
};

/** A tar of the entries, as they are given. */
export const tarOf = (entries: readonly TarEntry[]): Buffer =>
  Buffer.concat([
    ...entries.flatMap((entry) => {
      const content = Buffer.from(entry.content ?? '');
      const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
      return [header(entry), content, padding];
    }),
    Buffer.alloc(1024),
  ]);

export const archiveOf = (entries: readonly TarEntry[]): Buffer => gzipSync(tarOf(entries));
