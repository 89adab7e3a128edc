// Format: `opa fmt` has the last word, so that no review is about blanks.

import { readFile } from 'node:fs/promises';
import type { PolicyFault } from '#policies/build/fault.ts';
import { ownFolders, type PolicyFolders } from '#policies/build/folders.ts';
import type { Opa } from '#policies/build/opa.ts';

const firstDifference = (before: string, after: string): number => {
  const lines = before.split('\n');
  const index = after.split('\n').findIndex((line, at) => line !== lines[at]);
  return index === -1 ? lines.length : index + 1;
};

/** Brings the author's files into form. */
export const writeFormat = async (opa: Opa, folders: PolicyFolders): Promise<void> => {
  await opa(['fmt', '--write', ...ownFolders(folders)]);
};

/** One fault for each file that is not as `opa fmt` writes it. */
export const findFormatFaults = async (opa: Opa, folders: PolicyFolders): Promise<readonly PolicyFault[]> => {
  const listed = await opa(['fmt', '--list', ...ownFolders(folders)]);
  const files = listed.split('\n').filter((file) => file !== '');
  return Promise.all(
    files.map(async (file) => ({
      file,
      line: firstDifference(await readFile(file, 'utf8'), await opa(['fmt', file])),
      message: 'not formatted',
      remedy: 'npm run policy:check -- --write formats it',
    })),
  );
};
