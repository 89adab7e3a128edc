// The last good snapshot on disk: what a service serves when it starts and the registry does not. Two lines: a header
// with a digest, then the snapshot. Replaced whole or not at all; a copy that does not match its digest is no copy.

import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { parseSnapshot } from '#registry/feed/schema/parse-message.ts';

const FORMAT = 2;

export type SavedSnapshot = {
  readonly epoch: string;
  readonly position: number;
  readonly snapshot: Snapshot;
  /** When the registry last confirmed it, ms since the epoch. */
  readonly freshAtMs: number;
};

/** Covers the header too: a position that was changed would make the feed skip what lies below it, unnoticed. */
const digestOf = (header: { readonly epoch: string; readonly position: number }, body: string): string =>
  createHash('sha256')
    .update(JSON.stringify([FORMAT, header.epoch, header.position]))
    .update(body)
    .digest('hex');

const parseHeader = (line: string, body: string): Result<{ epoch: string; position: number }, string> => {
  const header: unknown = JSON.parse(line);
  if (!isJsonObject(header) || header['format'] !== FORMAT) return err('unknown format');
  const { epoch, position, digest } = header;
  if (typeof epoch !== 'string' || typeof position !== 'number') return err('header is incomplete');
  return digest === digestOf({ epoch, position }, body)
    ? ok({ epoch, position })
    : err('digest does not match');
};

const parseSaved = (text: string, freshAtMs: number): Result<SavedSnapshot, string> => {
  const [line = '', body = ''] = text.split('\n');
  try {
    const header = parseHeader(line, body);
    if (!header.ok) return header;
    const snapshot = parseSnapshot(JSON.parse(body));
    return snapshot.ok ? ok({ ...header.value, snapshot: snapshot.value, freshAtMs }) : snapshot;
  } catch {
    return err('not JSON');
  }
};

const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';

/**
 * Reads the copy; undefined if there is none. The error says why one that is there cannot be used.
 * Its age is the file's modification time, which `touchSnapshotFile` keeps; a time in the future counts as `nowMs`.
 */
export const loadSnapshotFile = async (
  path: string,
  nowMs: number,
): Promise<Result<SavedSnapshot | undefined, string>> => {
  try {
    const [text, facts] = [await readFile(path, 'utf8'), await stat(path)];
    return parseSaved(text, Math.min(facts.mtimeMs, nowMs));
  } catch (thrown) {
    return isMissing(thrown) ? ok(undefined) : err('not readable');
  }
};

/** Says that the copy is still what the registry has. */
export const touchSnapshotFile = (path: string, freshAtMs: number): Promise<void> =>
  utimes(path, freshAtMs / 1_000, freshAtMs / 1_000);

const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};

/**
 * Writes the copy: a temporary file, fsync, rename, so a crash leaves the old one or the new one.
 * @throws what the file system throws; the caller goes on with its copy in memory.
 */
export const saveSnapshotFile = async (path: string, saved: SavedSnapshot): Promise<void> => {
  const body = JSON.stringify(saved.snapshot);
  const { epoch, position } = saved;
  const header = JSON.stringify({ format: FORMAT, epoch, position, digest: digestOf(saved, body) });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${header}\n${body}\n`);
    // Before the rename: a crash between the two must not leave an old state that looks fresh.
    await file.utimes(saved.freshAtMs / 1_000, saved.freshAtMs / 1_000);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
};
