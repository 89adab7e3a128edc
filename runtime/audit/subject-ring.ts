// The keys of subjects as files, one a subject, each wrapped. Erasing a subject is deleting its file; a running process
// sees that it happened by the size of one file and forgets what it held.

import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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
import { createFileOnce } from '#runtime/key-file.ts';

export type SubjectRing = {
  /** The subject's name and key; the key is made if there is none. @throws what the file system throws */
  subjectOf(principal: string): Subject;
  /** Forgets what was erased since the last call. */
  refresh(): void;
};

/** Subjects whose keys are held in memory. */
const HELD_SUBJECTS = 10_000;

const ERASURES = 'erasures';

const readWrapped = (path: string): WrappedKey | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as WrappedKey;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
};

/** The key of a pseudonym; undefined if there is none or it was erased. */
export const findSubjectKey = (keys: AuditKeys, directory: string, pseudonym: string) => {
  const wrapped = readWrapped(join(directory, pseudonym));
  return wrapped === undefined ? undefined : unwrapSubjectKey(keys, pseudonym, wrapped);
};

const makeSubject = (keys: AuditKeys, directory: string, principal: string): Subject => {
  const pseudonym = pseudonymOf(keys.current, principal);
  const create = (): void => {
    const random = { nonce: randomBytes(NONCE_BYTES), secret: randomBytes(SUBJECT_KEY_BYTES) };
    const wrapped = JSON.stringify(wrapSubjectKey(keys.current, pseudonym, random));
    createFileOnce(join(directory, pseudonym), `${wrapped}\n`);
  };
  let key = findSubjectKey(keys, directory, pseudonym);
  if (key === undefined) {
    // Another process may have been faster, and a file may be there that does not open: what is found counts, or nothing.
    create();
    key = findSubjectKey(keys, directory, pseudonym);
  }
  if (key === undefined) throw new GatewayError('store_failed', 'the key of a subject cannot be read');
  return { pseudonym, key };
};

const erasuresIn = (directory: string): number =>
  statSync(join(directory, ERASURES), { throwIfNoEntry: false })?.size ?? 0;

/** @param directory is made if it does not exist. */
export const createSubjectRing = (keys: AuditKeys, directory: string): SubjectRing => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const held = new LRUCache<string, Subject>({ max: HELD_SUBJECTS });
  let erasures = erasuresIn(directory);
  return {
    subjectOf: (principal) => {
      const known = held.get(principal) ?? makeSubject(keys, directory, principal);
      held.set(principal, known);
      return known;
    },
    refresh: () => {
      const now = erasuresIn(directory);
      if (now !== erasures) held.clear();
      erasures = now;
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
