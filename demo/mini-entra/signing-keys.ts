// The signing keys of each directory: made once, kept on disk so that tokens outlive a restart, rotated on command.
// A key signs for its own directory only; the published `issuer` member says which.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** Private keys by `tid`, newest first. */
type KeyRing = Record<string, JWK[]>;

export type SigningKeys = {
  /** The key new tokens of the directory are signed with. */
  current(tid: string): JWK;
  /** Public halves of one directory's keys. */
  published(tid: string): readonly JWK[];
  /** A new key for every directory. Old ones stay published unless `retireOld`. */
  rotate(options: { readonly retireOld: boolean }): Promise<void>;
};

const makeKey = async (): Promise<JWK> => {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  return {
    ...(await exportJWK(privateKey)),
    kid: randomUUID().replaceAll('-', ''),
    use: 'sig',
    alg: 'RS256',
  };
};

// Members are picked, not dropped: a private one can then never slip into the published set.
const publicHalf = ({ kty, n, e, kid, use, alg }: JWK): JWK => ({ kty, n, e, kid, use, alg }) as JWK;

const load = async (file: string | undefined): Promise<KeyRing> => {
  if (file === undefined) return {};
  try {
    return JSON.parse(await readFile(file, 'utf8')) as KeyRing;
  } catch {
    // Absent or cut short: new keys do, tokens of the last run are then refused as they should be.
    return {};
  }
};

const save = async (file: string | undefined, ring: KeyRing): Promise<void> => {
  if (file === undefined) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify(ring), { mode: 0o600 });
  await rename(`${file}.new`, file);
};

/**
 * Keys for the given directories.
 * @param file where private keys are kept (0600); absent: in memory only.
 */
export const createSigningKeys = async (
  tids: readonly string[],
  file: string | undefined,
): Promise<SigningKeys> => {
  const ring = await load(file);
  const keysOf = (tid: string): JWK[] => ring[tid] ?? [];
  const missing = tids.filter((tid) => keysOf(tid).length === 0);
  const addKey = async (tid: string, old: JWK[]): Promise<void> => {
    ring[tid] = [await makeKey(), ...old];
  };
  await Promise.all(missing.map((tid) => addKey(tid, [])));
  if (missing.length > 0) await save(file, ring);
  return {
    current: (tid) => {
      const key = keysOf(tid)[0];
      if (key === undefined) throw new Error(`no signing key for directory ${tid}`);
      return key;
    },
    published: (tid) => keysOf(tid).map(publicHalf),
    rotate: async ({ retireOld }) => {
      await Promise.all(tids.map((tid) => addKey(tid, retireOld ? [] : keysOf(tid))));
      await save(file, ring);
    },
  };
};
