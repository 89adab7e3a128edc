// Where values stand in a JSON text, so that a part can be taken out and every other byte stays as the server wrote
// it: numbers, escapes, key order. Works only on text that parseStrictJson has accepted; it checks no grammar.

export type Span = { readonly start: number; readonly end: number };

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** Space, tab, line feed, carriage return: no other white space stands between values (RFC 8259 §2). */
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
const isOpening = (code: number): boolean => code === 0x7b || code === 0x5b;
const isClosing = (code: number): boolean => code === 0x7d || code === 0x5d;

/** Index of the first character at or after `from` that is no white space. */
const skipSpace = (text: string, from: number): number => {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
};

/** Whether a number, `true`, `false` or `null` goes on with it; not so beyond the end, where there is no code. */
const isOfScalar = (code: number): boolean =>
  code > 0 && code !== COMMA && !isClosing(code) && !isSpace(code);

const endOfScalar = (text: string, start: number): number => {
  let at = start;
  while (isOfScalar(text.charCodeAt(at))) at += 1;
  return at;
};

const endOfString = (text: string, open: number): number => {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  return text.length;
};

const endOfContainer = (text: string, open: number): number => {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at) - 1;
    else if (isOpening(code)) depth += 1;
    else if (isClosing(code)) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
};

/** Where the root value starts. */
export const startOfRoot = (text: string): number => skipSpace(text, 0);

/** End of the value that starts at `start`. */
export const endOfValue = (text: string, start: number): number => {
  const code = text.charCodeAt(start);
  if (code === QUOTE) return endOfString(text, start);
  return isOpening(code) ? endOfContainer(text, start) : endOfScalar(text, start);
};

// The first item of the container at `open`, or its closing bracket.
const firstItem = (text: string, open: number): number => skipSpace(text, open + 1);

// The item after the one that ends at `end`, or the closing bracket.
const nextItem = (text: string, end: number): number => {
  const at = skipSpace(text, end);
  return text[at] === ',' ? skipSpace(text, at + 1) : at;
};

/**
 * Walks the members of the object at `open`, in one pass.
 * @param visit is told the decoded key and where the value starts, and returns where the value ends: `endOfValue`, or
 * the end of a walk of its own.
 * @returns the end of the object.
 */
export const walkMembers = (
  text: string,
  open: number,
  visit: (key: string, start: number) => number,
): number => {
  let at = firstItem(text, open);
  while (text[at] === '"') {
    const endOfKey = endOfString(text, at);
    const key = JSON.parse(text.slice(at, endOfKey)) as string;
    const start = skipSpace(text, skipSpace(text, endOfKey) + 1);
    at = nextItem(text, visit(key, start));
  }
  return at + 1;
};

/** Walks the elements of the array at `open`, like `walkMembers`. */
export const walkElements = (text: string, open: number, visit: (start: number) => number): number => {
  let at = firstItem(text, open);
  while (at < text.length && text[at] !== ']') at = nextItem(text, visit(at));
  return at + 1;
};

export type Edit = { readonly span: Span; readonly text: string };

/** The text with each edit's span replaced. Edits must not overlap. */
export const applyEdits = (text: string, edits: readonly Edit[]): string => {
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.span.start - b.span.start)) {
    parts.push(text.slice(at, edit.span.start), edit.text);
    at = edit.span.end;
  }
  return parts.join('') + text.slice(at);
};
