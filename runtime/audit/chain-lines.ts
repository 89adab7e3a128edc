// The lines of files and of whole chains. A chain may be larger than memory; one line is not.

import { createReadStream } from 'node:fs';
import { segmentsIn } from '#runtime/audit/chain-directory.ts';

export type ChainLine = {
  readonly line: string;
  /** False for a last line without its newline. */
  readonly whole: boolean;
};

/** Longest record that is read; a longer line is no record of ours. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** Lines of a file with whether each had its newline. */
export async function* linesOf(path: string): AsyncGenerator<ChainLine> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield { line, whole: true };
    if (rest.length > MAX_LINE_CHARACTERS) break;
  }
  if (rest !== '') yield { line: rest, whole: false };
}

/** Lines of all segments of a chain, in order. */
export async function* linesOfChain(directory: string): AsyncGenerator<ChainLine> {
  const segments = segmentsIn(directory);
  for (const segment of segments) {
    for await (const { line, whole } of linesOf(segment))
      yield { line, whole: whole || segment !== segments.at(-1) };
  }
}
