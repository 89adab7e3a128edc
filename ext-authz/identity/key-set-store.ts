// Key sets on disk, one file a source, so that a restart during a provider's outage still knows its keys. Public
// keys only; but whoever can write here decides whom the gateway believes, so a file others may write is not read.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type Json } from '#core/json.ts';
import type { StoredKeySet } from '#ext-authz/identity/key-set.ts';
import { parseKeySet } from '#ext-authz/identity/key-set-document.ts';

export type KeySetStore = {
  /** The copy of a source (key-source.ts) by its name; undefined where there is none that can be trusted whole. Never rejects. */
  load(name: string): Promise<StoredKeySet | undefined>;
  /** Replaces the copy in one step. */
  save(name: string, stored: StoredKeySet): Promise<void>;
};

/** Write permission of group and others. */
const OTHERS_MAY_WRITE = 0o022;

const parseStored = (text: string, name: string): StoredKeySet | undefined => {
  const json = JSON.parse(text) as Json;
  if (!isJsonObject(json) || json['jwksUri'] !== name) return undefined;
  const { fetchedAtMs } = json;
  const document = parseKeySet(JSON.stringify(json['keySet']));
  if (typeof fetchedAtMs !== 'number' || !document.ok) return undefined;
  return { document: document.value, fetchedAtMs };
};

const isOurs = async (path: string): Promise<boolean> => {
  const { mode, uid } = await stat(path);
  return (mode & OTHERS_MAY_WRITE) === 0 && (process.getuid === undefined || uid === process.getuid());
};

/** @param directory created with mode 0700 at the first save. */
export const createKeySetStore = (directory: string): KeySetStore => {
  const pathOf = (name: string): string =>
    join(directory, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`);
  return {
    load: async (name) => {
      const path = pathOf(name);
      try {
        return (await isOurs(path)) ? parseStored(await readFile(path, 'utf8'), name) : undefined;
      } catch {
        return undefined;
      }
    },
    save: async (name, { document, fetchedAtMs }) => {
      const path = pathOf(name);
      const temporary = `${path}.${process.pid}.tmp`;
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // The member is named as it was before there was discovery, so that older copies are still read.
      const text = JSON.stringify({ jwksUri: name, fetchedAtMs, keySet: document.json });
      await writeFile(temporary, `${text}\n`, { mode: 0o600 });
      await rename(temporary, path);
    },
  };
};
