import { describe, expect, it } from 'vitest';
import { formatSseEvent, parseSseEvent } from '#ext-proc/framing/sse-event.ts';

const parse = (text: string | Buffer, first = false) => parseSseEvent(Buffer.from(text), { first });

describe('parseSseEvent', () => {
  it('joins data lines and takes one space after the colon', () => {
    expect(parse('event: message\nid:  7\ndata: a\ndata:b\ndata\nretry: 10\n\n')).toEqual({
      ok: true,
      value: { comments: [], event: 'message', id: ' 7', retry: '10', data: 'a\nb\n' },
    });
  });

  it('keeps comments, drops unknown fields, bad retries and ids with NUL', () => {
    expect(parse(': alive\nDATA: x\n data: y\nretry: 1s\nid: a\0b\n\n')).toEqual({
      ok: true,
      value: { comments: [' alive'] },
    });
  });

  it.each(['\v', '\f', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029'])(
    'lets no comment, no type and no id hold %j, where some readers end a line',
    (end) => {
      expect(parse(`: x${end}data: y${end}${end}\nid: 1${end}data: y\nevent: z${end}data: y\n\n`)).toEqual({
        ok: true,
        value: { comments: [' x data: y  '], event: 'z data: y' },
      });
    },
  );

  it('skips a byte-order mark at the start of a stream only', () => {
    expect(parse('\ufeffdata: a\n\n', true)).toMatchObject({ value: { data: 'a' } });
    expect(parse('\ufeffdata: a\n\n')).toEqual({ ok: true, value: { comments: [] } });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(parse(Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a]))).toEqual({
      ok: false,
      error: 'body_not_utf8',
    });
  });
});

describe('formatSseEvent', () => {
  it('writes what parseSseEvent reads', () => {
    const event = { comments: [' a', ''], event: 'message', id: '', retry: '5', data: '{\n "x": 1\n}' };
    expect(parse(formatSseEvent(event))).toEqual({ ok: true, value: event });
  });

  it('writes nothing for an event that holds nothing', () => {
    expect(formatSseEvent({ comments: [] })).toBe('');
  });

  it('keeps an empty id and empty data: they prime a resumable stream', () => {
    expect(formatSseEvent({ comments: [], id: '', data: '' })).toBe('id: \ndata: \n\n');
  });
});
