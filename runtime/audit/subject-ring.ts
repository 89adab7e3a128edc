// The keys of subjects as files, one a subject, each wrapped. Erasing a subject is deleting its file; a running process
// sees that it happened by the size of one file and forgets what it held. A new subject's file waits for the disk beside
// the event loop: on a morning when everybody is new, calls of others must not wait with it.

import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { type AuditKeys, pseudonymOf } from '#core/audit/audit-key.ts';
import type { Subject } from '#core/audit/subject.ts';
import {
  SUBJECT_KEY_BYTES,
  unwrapSubjectKey,
  type WrappedKey,
  wrapSubjectKey,
} from '#core/audit/subject-key.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import { addFileOnce } from '#runtime/key-file.ts';

export type SubjectRing = {
  /**
   * Name and key of each of them, none of them erased meanwhile; a key is made where there is none.
   * @throws what the file system throws
   */
  subjectsOf(principals: ReadonlySet<string>): Promise<ReadonlyMap<string, Subject>>;
};

/** Subjects whose keys are held in memory. */
const HELD_SUBJECTS = 10_000;

const ERASURES = 'erasures';

const isAbsent = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';

const openWrapped = (keys: AuditKeys, pseudonym: string, text: string) =>
  unwrapSubjectKey(keys, pseudonym, JSON.parse(text) as WrappedKey);

/** The key of a pseudonym; undefined if there is none or it was erased. */
export const findSubjectKey = (keys: AuditKeys, directory: string, pseudonym: string) => {
  try {
    return openWrapped(keys, pseudonym, readFileSync(join(directory, pseudonym), 'utf8'));
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
};

const readSubject = async (keys: AuditKeys, directory: string, pseudonym: string) => {
  try {
    const key = openWrapped(keys, pseudonym, await readFile(join(directory, pseudonym), 'utf8'));
    return key === undefined ? undefined : { pseudonym, key };
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw thrown;
  }
};

const makeSubject = async (keys: AuditKeys, directory: string, principal: string): Promise<Subject> => {
  const pseudonym = pseudonymOf(keys.current, principal);
  const found = await readSubject(keys, directory, pseudonym);
  if (found !== undefined) return found;
  const random = { nonce: randomBytes(NONCE_BYTES), secret: randomBytes(SUBJECT_KEY_BYTES) };
  const wrapped = JSON.stringify(wrapSubjectKey(keys.current, pseudonym, random));
  // Another process may have been faster, and a file may be there that does not open: what is found counts, or nothing.
  await addFileOnce(join(directory, pseudonym), `${wrapped}\n`);
  const made = await readSubject(keys, directory, pseudonym);
  if (made === undefined) throw new GatewayError('store_failed', 'the key of a subject cannot be read');
  return made;
};

const erasuresIn = (directory: string): number =>
  statSync(join(directory, ERASURES), { throwIfNoEntry: false })?.size ?? 0;

/** @param directory is made if it does not exist. */
export const createSubjectRing = (keys: AuditKeys, directory: string): SubjectRing => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const held = new LRUCache<string, Subject>({ max: HELD_SUBJECTS });
  let erasures = erasuresIn(directory);
  const subjectOf = async (principal: string): Promise<readonly [string, Subject]> => {
    const subject = held.get(principal) ?? (await makeSubject(keys, directory, principal));
    held.set(principal, subject);
    return [principal, subject];
  };
  /** Forgets what was erased since the last look; false if nothing was. */
  const forgetErased = (): boolean => {
    const before = erasures;
    erasures = erasuresIn(directory);
    if (erasures !== before) held.clear();
    return erasures !== before;
  };
  return {
    subjectsOf: async (principals) => {
      forgetErased();
      for (;;) {
        const subjects = await Promise.all([...principals].map(subjectOf));
        // Erased while files were read and made: a key that is gone must not be written with.
        if (!forgetErased()) return new Map(subjects);
      }
    },
  };
};

/** Deletes the subject's keys under every audit key. Returns how many there were. */
export const eraseSubject = (keys: AuditKeys, directory: string, principal: string): number => {
  const paths = keys.all.map((key) => join(directory, pseudonymOf(key, principal)));
  const found = paths.filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  for (const path of found) rmSync(path, { force: true });
  if (found.length > 0) appendFileSync(join(directory, ERASURES), '.', { mode: 0o600 });
  return found.length;
};
