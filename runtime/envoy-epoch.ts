// Which Envoy of a runtime directory has its place: written by the one that took it, read by the one before and by whoever
// starts them.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const epochFile = (runtimeDirectory: string): string => join(runtimeDirectory, 'envoy-epoch');

/** Notes that the Envoy of this epoch is the one to ask from now on. */
export const noteEpoch = async (runtimeDirectory: string, epoch: number): Promise<void> => {
  const file = epochFile(runtimeDirectory);
  await writeFile(`${file}.new`, String(epoch), { mode: 0o600 });
  await rename(`${file}.new`, file);
};

/** The epoch as text; undefined if no Envoy ever had a place there. */
export const readEpoch = (runtimeDirectory: string): Promise<string | undefined> =>
  readFile(epochFile(runtimeDirectory), 'utf8').catch(() => undefined);
