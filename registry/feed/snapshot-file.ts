// The last good snapshot on disk: what a service serves when it starts and the registry does not. A log of changes: written
// whole from time to time, into a file that then takes the place of the old one, and continued at its end meanwhile, so
// that a change costs what it changes. What a kill left half written does not count; what was damaged is no copy.

import { type FileHandle, mkdir, open, readFile, rename, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { err, ok, type Result } from '#core/result.ts';
import { EMPTY_SNAPSHOT } from '#core/snapshot.ts';
import { replayLines } from '#registry/feed/replay-lines.ts';
import { parseSingleCopy } from '#registry/feed/single-copy.ts';
import { type Chain, openingLine, readOpening, sealedLine } from '#registry/feed/snapshot-lines.ts';
import {
  type CaughtUp,
  driftRecords,
  recordsBetween,
  revocationsBetween,
  type SavedSnapshot,
  type SnapshotRecord,
} from '#registry/feed/snapshot-records.ts';

/** What a process has left in its file, and continues. */
export type WrittenCopy = {
  readonly saved: SavedSnapshot;
  readonly chain: Chain;
  readonly bytes: number;
  /** Of those, what was written at once. */
  readonly wholeBytes: number;
};

const parseCopy = (text: string, modifiedAtMs: number): Result<SavedSnapshot, string> => {
  const lines = text.split('\n');
  const [first = ''] = lines;
  try {
    const opening = readOpening(first);
    if (opening !== undefined) return replayLines(opening, lines.slice(1), modifiedAtMs);
    const single = parseSingleCopy(JSON.parse(first), lines[1] ?? '');
    return single.ok ? ok({ ...single.value, freshAtMs: modifiedAtMs }) : single;
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
    return parseCopy(text, Math.min(facts.mtimeMs, nowMs));
  } catch (thrown) {
    return isMissing(thrown) ? ok(undefined) : err('not readable');
  }
};

/** Says that the copy is still what the registry has. */
export const touchSnapshotFile = (path: string, freshAtMs: number): Promise<void> =>
  utimes(path, freshAtMs / 1_000, freshAtMs / 1_000);

const caughtUp = ({ position, snapshot, freshAtMs, revocations, drift }: SavedSnapshot): CaughtUp => ({
  kind: 'caught-up',
  position,
  sequence: snapshot.sequence,
  freshAtMs,
  ...(revocations === undefined ? {} : { revocations: true }),
  ...(drift === undefined ? {} : { drift: true }),
});

function* recordsFrom(before: Partial<SavedSnapshot>, after: SavedSnapshot): Generator<SnapshotRecord> {
  yield* recordsBetween(before.snapshot ?? EMPTY_SNAPSHOT, after.snapshot);
  yield* revocationsBetween(before.revocations, after.revocations);
  yield* driftRecords(before.drift, after.drift);
}

/** Writes the records one by one with a turn for others between them, then that they are all, and the file's age. */
const writeRecords = async (
  file: FileHandle,
  { chain: from, at }: { readonly chain: Chain; readonly at: number },
  records: Iterable<SnapshotRecord>,
  saved: SavedSnapshot,
): Promise<{ readonly chain: Chain; readonly bytes: number }> => {
  let [chain, bytes] = [from, at];
  const put = async (record: SnapshotRecord): Promise<void> => {
    const sealed = sealedLine(chain, record);
    const line = Buffer.from(sealed.line);
    await file.write(line, 0, line.length, bytes);
    chain = sealed.chain;
    bytes += line.length;
    await turn();
  };
  for (const record of records) await put(record);
  await put(caughtUp(saved));
  // Before it counts: a crash must not leave an old state that looks fresh.
  await file.utimes(saved.freshAtMs / 1_000, saved.freshAtMs / 1_000);
  await file.sync();
  return { chain, bytes };
};

const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};

/**
 * Writes the copy whole: a temporary file, fsync, rename, so a crash leaves the old one or the new one.
 * @throws what the file system throws; the caller goes on with its copy in memory.
 */
export const writeWholeCopy = async (path: string, saved: SavedSnapshot): Promise<WrittenCopy> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    const { chain, line } = openingLine(saved.epoch);
    await file.write(line, 0);
    const records = recordsFrom({}, saved);
    const end = await writeRecords(file, { chain, at: Buffer.byteLength(line) }, records, saved);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return { saved, ...end, wholeBytes: end.bytes };
  } finally {
    await file.close();
  }
};

const openExisting = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path, 'r+');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};

/**
 * Writes what changed since the copy was written, at its end.
 * @returns undefined where the file is not as it was left, and has to be written whole.
 * @throws what the file system throws.
 */
export const continueCopy = async (
  path: string,
  written: WrittenCopy,
  saved: SavedSnapshot,
): Promise<WrittenCopy | undefined> => {
  const file = await openExisting(path);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    if (size !== written.bytes) return undefined;
    const records = recordsFrom(written.saved, saved);
    const end = await writeRecords(file, { chain: written.chain, at: size }, records, saved);
    return { ...written, ...end, saved };
  } finally {
    await file.close();
  }
};
