// The lines of the copy on disk. Each bears a digest of itself and of every line before it, so that none can be changed,
// left out or moved unnoticed: a position that was changed would make the feed skip what lies below it.

import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';

const FORMAT = 3;
const DIGITS = 32;

/** Digest of everything so far. */
export type Chain = string;

export type Sealed = { readonly chain: Chain; readonly line: string };

const digestOf = (...parts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, DIGITS);
};

/** The first line; its end of line included, as in all of them. */
export const openingLine = (epoch: string): Sealed => {
  const text = JSON.stringify({ format: FORMAT, epoch });
  return { chain: digestOf(text), line: `${text}\n` };
};

/** The next line. */
export const sealedLine = (before: Chain, record: object): Sealed => {
  const text = JSON.stringify(record);
  const chain = digestOf(before, text);
  return { chain, line: `${chain} ${text}\n` };
};

/** Database and chain of an opening line, without its end; undefined if it is none of this format. */
export const readOpening = (line: string): { readonly epoch: string; readonly chain: Chain } | undefined => {
  const head = JSON.parse(line) as { readonly format?: unknown; readonly epoch?: unknown } | null;
  if (head?.format !== FORMAT || typeof head.epoch !== 'string') return undefined;
  return { epoch: head.epoch, chain: digestOf(line) };
};

/** What a line says, without its end, if it follows on `before`. @throws SyntaxError where it was sealed as no JSON */
export const readSealed = (
  before: Chain,
  line: string,
): Result<{ readonly chain: Chain; readonly value: unknown }, string> => {
  const text = line.slice(DIGITS + 1);
  const chain = digestOf(before, text);
  return line.startsWith(`${chain} `)
    ? ok({ chain, value: JSON.parse(text) as unknown })
    : err('digest does not match');
};
