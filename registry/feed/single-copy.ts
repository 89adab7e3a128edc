// The copy on disk as programs before this one wrote it: a header with a digest, then the whole snapshot in one line. Read
// once after an update, so that it may come while the registry is away; the next write leaves the form of today.

import { createHash } from 'node:crypto';
import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { parseSnapshot } from '#registry/feed/schema/parse-message.ts';

const FORMAT = 2;

export type SingleCopy = { readonly epoch: string; readonly position: number; readonly snapshot: Snapshot };

const digestOf = (header: { readonly epoch: string; readonly position: number }, body: string): string =>
  createHash('sha256')
    .update(JSON.stringify([FORMAT, header.epoch, header.position]))
    .update(body)
    .digest('hex');

/** @throws SyntaxError where a line is no JSON */
export const parseSingleCopy = (header: unknown, body: string): Result<SingleCopy, string> => {
  if (!isJsonObject(header) || header['format'] !== FORMAT) return err('unknown format');
  const { epoch, position, digest } = header;
  if (typeof epoch !== 'string' || typeof position !== 'number') return err('header is incomplete');
  if (digest !== digestOf({ epoch, position }, body)) return err('digest does not match');
  const snapshot = parseSnapshot(JSON.parse(body));
  return snapshot.ok ? ok({ epoch, position, snapshot: snapshot.value }) : snapshot;
};
