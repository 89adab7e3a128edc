import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventSplitter } from '#ext-proc/framing/split-events.ts';
import { formatSseEvent, parseSseEvent } from '#ext-proc/framing/sse-event.ts';

const split = (chunks: readonly Uint8Array[], maxEventBytes = 1_000_000) => {
  const splitter = createEventSplitter(maxEventBytes);
  const events: string[] = [];
  const parts: string[] = [];
  for (const { kind, bytes } of chunks.flatMap((chunk) => splitter.push(chunk)))
    (kind === 'whole' ? events : parts).push(Buffer.from(bytes).toString('utf8'));
  return { events, parts, held: splitter.heldBytes() };
};

/** Bytes cut at the given positions. */
const cutAt = (bytes: Buffer, positions: readonly number[]): Buffer[] => {
  const sorted = [0, ...positions.map((at) => at % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
};

const newline = fc.constantFrom('\n', '\r', '\r\n');
const line = fc.constantFrom(
  'data: {"a":1}',
  'data:é',
  'data',
  ': note',
  'id: 7',
  'event: message',
  'retry: 5',
  'x: y',
  '',
);
const stream = fc
  .array(fc.tuple(line, newline), { maxLength: 25 })
  .map((lines) => lines.map(([text, end]) => text + end).join(''));
const positions = fc.array(fc.nat(400), { maxLength: 12 });

/** What a reader of the stream dispatches. */
const dispatched = (text: string): unknown[] => {
  const events: unknown[] = [];
  const parser = createParser({ onEvent: ({ data, id, event }) => events.push({ data, id, event }) });
  parser.feed(text);
  return events;
};

describe('createEventSplitter', () => {
  it('yields an event with the chunk that ends it, and holds the rest', () => {
    const splitter = createEventSplitter(100);
    expect(splitter.push(Buffer.from('data: 1\n'))).toEqual([]);
    const second = splitter.push(Buffer.from('\ndata: 2\n\ndat'));
    expect(second.map(({ bytes }) => String(bytes))).toEqual(['data: 1\n\n', 'data: 2\n\n']);
    expect(splitter.heldBytes()).toBe(3);
  });

  it('does not wait for the line feed that may follow a carriage return', () => {
    expect(
      split([Buffer.from('data: 1\r\r'), Buffer.from('\ndata: 2\r\n\r'), Buffer.from('\n')]),
    ).toMatchObject({
      events: ['data: 1\r\r', '\ndata: 2\r\n\r'],
      held: 1,
    });
  });

  it('loses and adds no byte, and finds the same content however the stream is cut', () => {
    fc.assert(
      fc.property(stream, positions, (text, cuts) => {
        const bytes = Buffer.from(text);
        const splitter = createEventSplitter(1_000_000);
        const pieces = cutAt(bytes, cuts)
          .flatMap((chunk) => splitter.push(chunk))
          .map((piece) => piece.bytes);
        const joined = Buffer.concat(pieces);
        expect(bytes.subarray(0, joined.length).equals(joined)).toBe(true);
        expect(bytes.length - joined.length).toBe(splitter.heldBytes());
        const contents = (events: readonly string[]) =>
          events
            .map((event) => parseSseEvent(Buffer.from(event), { first: false }))
            .filter((event) => event.ok && Object.keys(event.value).length + event.value.comments.length > 1);
        expect(contents(pieces.map(String))).toEqual(contents(split([bytes]).events));
      }),
      { numRuns: 2_000 },
    );
  });

  it('lets a reader see what an independent parser sees in the original', () => {
    fc.assert(
      fc.property(stream, positions, (text, cuts) => {
        const { events } = split(cutAt(Buffer.from(text), cuts));
        const plain = events
          .map((event) => parseSseEvent(Buffer.from(event), { first: false }))
          .map((event) => (event.ok ? formatSseEvent(event.value) : ''))
          .join('');
        expect(dispatched(plain)).toEqual(dispatched(events.join('')));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['whole in one chunk', ['data: 12345678901234567890\n\ndata: 2\n\n']],
    ['in the making', ['data: 1234', '5678901234567890', '1234\n', '\ndata: 2\n\n']],
    ['at its end', ['data: 12345678901234', '\n\ndata: 2\n\n']],
  ])('yields an event over the cap in parts, %s, and the next one whole', (_, chunks) => {
    const text = chunks.join('');
    const { events, parts, held } = split(
      chunks.map((chunk) => Buffer.from(chunk)),
      20,
    );
    expect({ events, held }).toEqual({ events: ['data: 2\n\n'], held: 0 });
    expect(parts.join('')).toBe(text.slice(0, -'data: 2\n\n'.length));
  });

  it('takes an event of exactly the cap', () => {
    expect(split([Buffer.from('data: 12\n'), Buffer.from('\n')], 10).events).toEqual(['data: 12\n\n']);
  });
});
