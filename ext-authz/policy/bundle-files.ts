// Bundles on disk, by their digest, and which of them judged for whom: a restart without the registry judges by what it
// judged by before. A file is believed for its digest alone; the list of who had which, like the snapshot beside it, for
// lying in a directory of this process's own.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type Json } from '#core/json.ts';

const SUFFIX = '.tar.gz';
const SERVING = 'serving.json';

const DIGEST = /^[0-9a-f]{64}$/;

/** Digest of the bundle that judged, by tenant. */
export type Serving = ReadonlyMap<string, string>;

export type BundleFiles = {
  /** Undefined where there is none, or another than its name says. Never rejects. */
  read(digest: string): Promise<Buffer | undefined>;
  keep(digest: string, bytes: Uint8Array): Promise<void>;
  readServing(): Promise<Serving>;
  /** Writes who is judged by which, and removes every bundle that is needed neither for that nor by `alsoNeeded`. */
  keepServing(serving: Serving, alsoNeeded: () => ReadonlySet<string>): Promise<void>;
};

const parseServing = (text: string): Serving => {
  const value = JSON.parse(text) as Json;
  if (!isJsonObject(value)) return new Map();
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && DIGEST.test(entry[1]),
  );
  return new Map(entries);
};

/** @param directory of this process alone; made with mode 0700 when something is kept. */
export const createBundleFiles = (directory: string): BundleFiles => {
  const pathOf = (digest: string): string => join(directory, `${digest}${SUFFIX}`);
  const replace = async (path: string, content: Uint8Array | string): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, content, { mode: 0o600 });
    await rename(temporary, path);
  };
  const prune = async (needed: () => ReadonlySet<string>): Promise<void> => {
    const names = await readdir(directory);
    // Asked after the files were seen: one that has come since the call began is needed by somebody.
    const kept = needed();
    const old = names.filter((name) => name.endsWith(SUFFIX) && !kept.has(name.slice(0, -SUFFIX.length)));
    for (const name of old) await rm(join(directory, name), { force: true });
  };
  return {
    read: async (digest) => {
      try {
        const bytes = await readFile(pathOf(digest));
        return createHash('sha256').update(bytes).digest('hex') === digest ? bytes : undefined;
      } catch {
        return undefined;
      }
    },
    keep: (digest, bytes) => replace(pathOf(digest), bytes),
    readServing: async () => {
      try {
        return parseServing(await readFile(join(directory, SERVING), 'utf8'));
      } catch {
        return new Map();
      }
    },
    keepServing: async (serving, alsoNeeded) => {
      await replace(join(directory, SERVING), JSON.stringify(Object.fromEntries(serving)));
      await prune(() => new Set([...serving.values(), ...alsoNeeded()]));
    },
  };
};
