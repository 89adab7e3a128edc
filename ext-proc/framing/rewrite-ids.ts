// Rewrites the ids of server-sent events in a stream that otherwise goes on as it comes (WHATWG HTML §9.2.5): no event is
// held until it is whole, only the line of an id, and the first bytes of a line that may become one.

export type IdRewriter = {
  /** The bytes that go on now; the chunk itself where nothing of it changes. */
  push(chunk: Uint8Array): Uint8Array;
  /** Bytes of a line that is not whole yet. */
  heldBytes(): number;
};

/** Longest line of an id that is waited for. */
const MAX_LINE_CHARACTERS = 4096;

// Bytes are looked at as Latin-1, so that one is one character.
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

/** A whole line that sets the id. */
const ID_LINE = /^id(?::[^\r\n]*)?(?=[\r\n])/gm;

/** Where the last line begins. From behind: a pattern anchored at the end would try at every character of a long line. */
const startOfLastLine = (text: string): number =>
  Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;

const idOf = (line: string): string => {
  const value = line.slice('id:'.length);
  return value.startsWith(' ') ? value.slice(1) : value;
};

/** Readers skip a byte-order mark and find the field behind it. Undefined while it may still be coming. */
const splitMark = (text: string): readonly [string, string] | undefined => {
  if (text.startsWith(BYTE_ORDER_MARK)) return [BYTE_ORDER_MARK, text.slice(BYTE_ORDER_MARK.length)];
  return BYTE_ORDER_MARK.startsWith(text) ? undefined : ['', text];
};

/** What is known of the line that is going on. */
type Scan = {
  /** Nothing of the stream has been looked at. */
  isStart: boolean;
  /** It was let through in part, so it sets no id. */
  isPassing: boolean;
  /** It may set an id, and waits. */
  held: string;
};

/** Takes what ends the line that was let through in part: the rest begins a line, or is empty. */
const splitPassing = (scan: Scan, text: string): readonly [string, string] => {
  if (!scan.isPassing) return ['', text];
  const end = text.search(/[\r\n]/);
  if (end === -1) return [text, ''];
  scan.isPassing = false;
  return [text.slice(0, end), text.slice(end)];
};

/** What goes on of the last line, which is not whole. */
const passUnfinished = (scan: Scan, line: string): string => {
  if (line === '') return '';
  const setsId = line.startsWith('id:');
  if (line.length <= MAX_LINE_CHARACTERS && (setsId || 'id:'.startsWith(line))) {
    scan.held = line;
    return '';
  }
  scan.isPassing = true;
  // Too long for an id: from here on it is a comment.
  return setsId ? `:${line}` : line;
};

/**
 * @param rewrite the id in the place of one; undefined takes it away. An empty id stays: it makes a client forget the last.
 */
export const createIdRewriter = (rewrite: (id: string) => string | undefined): IdRewriter => {
  const scan: Scan = { isStart: true, isPassing: false, held: '' };

  const rewriteLine = (line: string): string => {
    const value = idOf(line);
    if (value === '') return line;
    const id = rewrite(value);
    // A comment in its place: a blank line would end the event.
    return id === undefined ? ':' : `id: ${id}`;
  };

  const rewriteText = (text: string): string => {
    let mark = '';
    let body = text;
    if (scan.isStart) {
      const split = splitMark(text);
      if (split === undefined) {
        scan.held = text;
        return '';
      }
      scan.isStart = false;
      [mark, body] = split;
    }
    const [passing, rest] = splitPassing(scan, body);
    const cut = startOfLastLine(rest);
    const whole = rest.slice(0, cut).replace(ID_LINE, rewriteLine);
    return mark + passing + whole + passUnfinished(scan, rest.slice(cut));
  };

  return {
    push: (chunk) => {
      const text = Buffer.from(chunk).toString('latin1');
      const waiting = scan.held;
      scan.held = '';
      const written = rewriteText(waiting + text);
      return written === text ? chunk : Buffer.from(written, 'latin1');
    },
    heldBytes: () => scan.held.length,
  };
};
