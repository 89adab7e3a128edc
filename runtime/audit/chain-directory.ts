// Where a chain lies: `{process directory}/{chain}/` with numbered segments, its head, and its checkpoints. Names only,
// and what can be read from them; writing is chain-files.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const HEAD_FILE = 'head';
export const CHECKPOINTS_FILE = 'checkpoints';

const SEGMENT = /^\d{6}\.jsonl$/;
const CHAIN = /^\d{8}T\d{9}Z-[0-9a-f]{16}$/;

/** Chain names sort by the time they began. `random` makes two that begin at once differ. */
export const chainName = (at: string, random: string): string => `${at.replaceAll(/[-:.]/g, '')}-${random}`;

export const segmentName = (index: number): string => `${String(index).padStart(6, '0')}.jsonl`;

const namesIn = (directory: string, pattern: RegExp): string[] => {
  try {
    return readdirSync(directory)
      .filter((name) => pattern.test(name))
      .sort();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw thrown;
  }
};

/** Chains of one process, oldest first. */
export const chainsIn = (processDirectory: string): string[] => namesIn(processDirectory, CHAIN);

/** Paths of the segments of a chain, in order. */
export const segmentsIn = (chainDirectory: string): string[] =>
  namesIn(chainDirectory, SEGMENT).map((name) => join(chainDirectory, name));

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
};

/** Content of the head; undefined if there is none. */
export const headIn = (chainDirectory: string): string | undefined =>
  readIfThere(join(chainDirectory, HEAD_FILE));

/** The signed checkpoints of a chain, oldest first. */
export const checkpointsIn = (chainDirectory: string): string[] =>
  (readIfThere(join(chainDirectory, CHECKPOINTS_FILE)) ?? '').split('\n').filter((line) => line !== '');
