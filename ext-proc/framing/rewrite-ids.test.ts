// Ids of events are found wherever the network cut the stream, and nothing else of it is touched.

import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdRewriter } from '#ext-proc/framing/rewrite-ids.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

const mark = (id: string): string | undefined => (id.includes('bad') ? undefined : `<${id}>`);

/** Cut at the given places. */
const rewritten = (text: string, cuts: readonly number[] = []): string => {
  const rewriter = createIdRewriter(mark);
  const bytes = Buffer.from(text);
  const places = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  let from = 0;
  const pieces = places.map((to) => {
    const piece = rewriter.push(bytes.subarray(from, to));
    from = to;
    return Buffer.from(piece);
  });
  return Buffer.concat(pieces).toString();
};

type Read = { readonly id: string | undefined; readonly event: string | undefined; readonly data: string };

/** What a client reads of a stream. */
const read = (text: string): Read[] => {
  const events: Read[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => void events.push({ id, event, data }),
  });
  parser.feed(text);
  return events;
};

describe('createIdRewriter()', () => {
  it.each([
    ['id: 1\ndata: x\n\n', 'id: <1>\ndata: x\n\n'],
    ['id:1\r\ndata: x\r\n\r\n', 'id: <1>\r\ndata: x\r\n\r\n'],
    ['id: 1\rdata: x\r\r', 'id: <1>\rdata: x\r\r'],
    ['id:  1 \n', 'id: < 1 >\n'],
    ['\ufeffid: 1\n\n', '\ufeffid: <1>\n\n'],
    ['event: e\nid: bad\ndata: x\n\n', 'event: e\n:\ndata: x\n\n'],
    ['id\ndata: x\n\n', 'id\ndata: x\n\n'],
    ['id:\ndata: x\n\n', 'id:\ndata: x\n\n'],
    [
      'data: id: 1\nidentity: 1\nID: 1\n id: 1\n: id: 1\n\n',
      'data: id: 1\nidentity: 1\nID: 1\n id: 1\n: id: 1\n\n',
    ],
  ])('makes %j into %j, cut anywhere', (text, expected) => {
    const everyByte = Array.from({ length: Buffer.byteLength(text) }, (_, at) => at);
    expect(rewritten(text)).toBe(expected);
    expect(rewritten(text, everyByte)).toBe(expected);
    for (const at of everyByte) expect(rewritten(text, [at])).toBe(expected);
  });

  const line = fc.oneof(
    fc.constantFrom(
      'id: 1',
      'id:2',
      'id',
      'id: bad',
      'data: x',
      'data: id: 3',
      'event: e',
      ': c',
      '',
      'i',
      'retry: 5',
    ),
    fc.string({ maxLength: 12 }).filter((text) => !/[\r\n\0]/.test(text)),
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 })
    .map((lines) => lines.map(([text, end]) => text + end).join(''));

  it('leaves a client with the same events under other ids, cut anywhere', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 8 }), (text, cuts) => {
        const lines = text.split(/\r\n|\r|\n/);
        const renamed = lines.map((one) => {
          const value = /^id:( ?)(.+)$/su.exec(one)?.[2];
          if (value === undefined || value === '') return one;
          return mark(value) === undefined ? ':' : `id: ${mark(value)}`;
        });
        expect(read(rewritten(text, cuts))).toEqual(read(renamed.join('\n')));
      }),
      { numRuns: 400 },
    );
  });

  it('hands on the very chunk where nothing changes, and holds nothing but the line of an id', () => {
    const rewriter = createIdRewriter(mark);
    const chunk = Buffer.from('data: a long line that goes on');
    expect(rewriter.push(chunk)).toBe(chunk);
    expect(rewriter.heldBytes()).toBe(0);
    rewriter.push(Buffer.from('\n\nid: 1'));
    expect(rewriter.heldBytes()).toBe(5);
    expect(Buffer.from(rewriter.push(Buffer.from('2\n'))).toString()).toBe('id: <12>\n');
    expect(rewriter.heldBytes()).toBe(0);
  });

  it('makes a comment of an id that does not end', () => {
    const rewriter = createIdRewriter(mark);
    const pieces = ['id: ', 'x'.repeat(5_000), 'y\n', 'id: 1\n\n'];
    const out = pieces.map((piece) => Buffer.from(rewriter.push(Buffer.from(piece))).toString()).join('');
    expect(out).toBe(`:id: ${'x'.repeat(5_000)}y\nid: <1>\n\n`);
  });

  it('takes time in proportion to what comes, however long its lines are', () => {
    const timeOf = (megabytes: number): number => {
      const rewriter = createIdRewriter(mark);
      const chunk = Buffer.from(`data: ${'x'.repeat(megabytes * 1_000_000)}\n\n`);
      return cpuTimeOf(() => expect(rewriter.push(chunk)).toBe(chunk));
    };
    timeOf(1);
    // Milliseconds a megabyte; a pattern that tries at every character would take minutes.
    expect(timeOf(4)).toBeLessThan(2_000);
  });

  it('does not touch what is no ASCII', () => {
    const text = 'data: grüße ✓ 你好\n\nid: é\ndata: x\n\n';
    expect(rewritten(text, [7, 8, 9, 13, 14, 15])).toContain('data: grüße ✓ 你好\n\nid: <');
  });
});
