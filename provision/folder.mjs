// Folders that appear whole or not at all, and how large they are.

import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Size of a folder in whole megabytes. */
export const measureMegabytes = (folder) => {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  return Math.round(bytes / 1_048_576);
};

/**
 * Fills a temporary folder and renames it to `folder` once it is complete, so that an interrupted download never
 * counts as done. Leftovers of earlier attempts are removed.
 * @param {string} folder
 * @param {(temporary: string) => Promise<void>} fill
 */
export const createFolderWhole = async (folder, fill) => {
  const temporary = `${folder}.partial`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  try {
    await fill(temporary);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
};
