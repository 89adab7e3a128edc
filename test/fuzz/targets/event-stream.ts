// Server-sent events: cut anywhere they are the same, and what we hand on is to an independent reader what the server's own
// bytes were. Also to one that ends lines where the standard has none (Python's splitlines): it must find no field more.

import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { createIdRewriter } from '#ext-proc/framing/rewrite-ids.ts';
import { createEventSplitter } from '#ext-proc/framing/split-events.ts';
import { formatSseEvent, parseSseEvent } from '#ext-proc/framing/sse-event.ts';
import { anyBytes, changed, demand, type Target } from '#test/fuzz/target.ts';

/** No input is as long: parts of one that is too long are for another test. */
const MAX_EVENT_BYTES = 1_000_000;

const SNIPPETS = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\r\r',
    '\r\n\r\n',
    ':',
    ': ',
    ' ',
    'data:',
    'data: {"a":1}',
    'id: 1',
    'id',
    'id:',
  ],
  ...[
    'event: message',
    'event:',
    'retry: 10',
    '\ufeff',
    '\0',
    'é',
    '😀',
    '\u2028',
    '\u2029',
    '\u0085',
    '\v',
    '\f',
  ],
  ...['\u001c', 'data:x\u2028id: 9', 'Data: 1', 'data : 1', 'x'],
];

const line = fc
  .tuple(
    fc.constantFrom('data', 'id', 'event', 'retry', '', 'other', '\ufeffdata'),
    fc.constantFrom(':', ': ', ''),
    fc.string(),
  )
  .map((parts) => parts.join(''));
const lines = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\n\r\n', '\r\r')), { maxLength: 12 })
  .map((all) => Buffer.from(all.map((each) => each.join('')).join('')));

/** What a reader dispatches: types stay one line to every reader; ids that do not are not handed on, so none is compared. */
const dispatched = (text: string): readonly string[] => {
  const events: string[] = [];
  const parser = createParser({
    onEvent: ({ data, event = '' }) =>
      events.push(JSON.stringify([event.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' '), data])),
  });
  parser.feed(text);
  return events;
};

const splitAt = (bytes: Buffer, cut: number): readonly Buffer[] => {
  const splitter = createEventSplitter(MAX_EVENT_BYTES);
  const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((chunk) => splitter.push(chunk));
  return pieces.map((piece) => Buffer.from(piece.bytes));
};

const formattedAt = (bytes: Buffer, cut: number): string | undefined => {
  const read = splitAt(bytes, cut).map((event, index) => parseSseEvent(event, { first: index === 0 }));
  if (read.some((event) => !event.ok)) return undefined;
  return read.map((event) => (event.ok ? formatSseEvent(event.value) : '')).join('');
};

const rewrittenAt = (bytes: Buffer, cut: number): Buffer => {
  const rewriter = createIdRewriter((id) => `x-${id}`);
  return Buffer.concat([bytes.subarray(0, cut), bytes.subarray(cut)].map((chunk) => rewriter.push(chunk)));
};

const FIELD_BEHIND = /[\p{Cc}\u2028\u2029](?:data|id|event|retry)(?=:|$)/u;

const demandNoHiddenField = (formatted: string): void => {
  const named = formatted.split('\n').filter((each) => !each.startsWith('data: '));
  demand(!named.some((each) => FIELD_BEHIND.test(each)), 'a lenient reader finds a field more');
};

/** Every place of a short input, every few of a long one. */
const cutsOf = (bytes: Buffer): readonly number[] => {
  const step = Math.max(1, Math.floor(bytes.length / 64));
  return Array.from({ length: Math.floor(bytes.length / step) + 1 }, (_, index) => index * step);
};

export const eventStream: Target = {
  name: 'event-stream',
  shortRuns: 1_500,
  inputs: (corpus) =>
    fc.oneof(
      { weight: 5, arbitrary: changed(corpus, SNIPPETS) },
      { weight: 4, arbitrary: lines },
      { weight: 1, arbitrary: anyBytes },
    ),
  holds: (bytes) => {
    const whole = formattedAt(bytes, bytes.length);
    const renamed = rewrittenAt(bytes, bytes.length);
    const lengthOf = (pieces: readonly Buffer[]) => pieces.reduce((total, { length }) => total + length, 0);
    for (const cut of cutsOf(bytes)) {
      const pieces = splitAt(bytes, cut);
      demand(
        Buffer.concat(pieces).equals(bytes.subarray(0, lengthOf(pieces))),
        `cut at ${cut}, bytes are not the same`,
      );
      const formatted = formattedAt(bytes, cut);
      demand(whole === formatted, `cut at ${cut}, events are not the same`);
      demand(rewrittenAt(bytes, cut).equals(renamed), `cut at ${cut}, ids are not rewritten the same`);
    }
    if (whole === undefined) return;
    const taken = Buffer.concat(splitAt(bytes, bytes.length)).toString('utf8');
    demand(
      JSON.stringify(dispatched(whole)) === JSON.stringify(dispatched(taken)),
      `handed on as ${JSON.stringify(dispatched(whole))}, sent as ${JSON.stringify(dispatched(taken))}`,
    );
    demandNoHiddenField(whole);
  },
};
