// Unit tests of interruptible-guard.ts: where the last words stand, however the stream was cut into chunks.

import { describe, expect, it } from 'vitest';
import type { BodyStep } from '#ext-proc/body-guard.ts';
import { createForwardGuard } from '#ext-proc/forward-guard.ts';
import { makeInterruptible } from '#ext-proc/interruptible-guard.ts';

const silent = { refused: () => undefined, unread: () => undefined, opened: () => undefined };
const LAST = 'event: message\ndata: over\n\n';

/** What a client has read of the chunks, the last of which came when the time was over; and whether that ended it. */
const readOf = async (...chunks: string[]): Promise<readonly [string, BodyStep['kind']]> => {
  const guard = makeInterruptible(createForwardGuard(silent), () => 'over');
  const last = Buffer.from(chunks.pop() ?? '');
  for (const chunk of chunks) guard.push(Buffer.from(chunk), false);
  const step = await guard.interrupt?.(last);
  const bytes = step === undefined || step.kind === 'forward' ? last : step.bytes;
  return [chunks.join('') + Buffer.from(bytes).toString(), step?.kind ?? 'forward'];
};

describe('a stream that is interrupted', () => {
  it.each([
    ['before its first event', ['data: 1\n\n'], LAST],
    ['between two events', ['data: 1\n\n', 'data: 2\n\n'], `data: 1\n\n${LAST}`],
    ['behind an event that has begun', ['data: 1', '2\n\ndata: 3\n\n'], `data: 12\n\n${LAST}`],
    ['behind an event whose empty line came late', ['data: 1\n', '\ndata: 2\n\n'], `data: 1\n\n${LAST}`],
    ['where lines end in CRLF', ['data: 1\r\n', '\r\ndata: 2\r\n\r\n'], `data: 1\r\n\r\n${LAST}`],
    ['where a CRLF came in two', ['data: 1\r', '\ndata: 2\r\n\r\nx'], `data: 1\r\ndata: 2\r\n\r\n${LAST}`],
    ['where lines end in CR', ['data: 1\r\r', 'data: 2\r\r'], `data: 1\r\r${LAST}`],
    ['after more empty lines than one', ['data: 1\n\n\n', 'data: 2\n\n'], `data: 1\n\n\n${LAST}`],
  ])('%s', async (_, chunks, read) => {
    expect(await readOf(...chunks)).toEqual([read, 'break-off']);
  });

  it.each([
    ['before its first event', [], true],
    ['between two events', ['data: 1\r\n', '\r\n'], true],
    ['in the middle of an event', ['data: 1\n\ndata: 2\n'], false],
  ])('%s has its last words where they can stand', async (_, chunks, stands) => {
    const guard = makeInterruptible(createForwardGuard(silent), (cause) => cause);
    for (const chunk of chunks) await guard.push(Buffer.from(chunk), false);
    const step = guard.lastWords?.('revoked');
    const said = step?.kind === 'break-off' ? Buffer.from(step.bytes).toString() : undefined;
    expect(said).toBe(stands ? 'event: message\ndata: revoked\n\n' : undefined);
  });

  it('goes on as long as an event that has begun does', async () => {
    expect(await readOf('data: 1', '2\ndata: 3')).toEqual(['data: 12\ndata: 3', 'forward']);
  });
});
