// What is kept of every target: inputs that once broke something, or that stand for a kind of their own. One small file
// each, named for what it is.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CORPUS = join(import.meta.dirname, 'corpus');
const NAME_CHARACTERS = 12;

export type Kept = { readonly name: string; readonly bytes: Buffer };

/** What is kept of a target, by name. */
export const readCorpus = (target: string): readonly Kept[] => {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
};

/** Keeps a finding until somebody gives it a better name; returns where. */
export const keepFinding = (target: string, bytes: Buffer): string => {
  const folder = join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, NAME_CHARACTERS);
  const file = join(folder, `finding-${digest}.txt`);
  writeFileSync(file, bytes);
  return file;
};
