// Where values stand in a JSON text, so that a part can be taken out and every other byte stays as the server wrote
// it: numbers, escapes, key order. Works only on text that parseStrictJson has accepted; it checks no grammar.

export type Span = { readonly start: number; readonly end: number };

const NOT_SPACE = /[^\s]/g;
const STRUCTURE = /["{}[\]]/g;
const SCALAR_END = /[\s,\]}]|$/g;
const BACKSLASH = 0x5c;

const nextIndex = (pattern: RegExp, text: string, from: number): number => {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
};

/** Index of the first character at or after `from` that is no white space. */
const skipSpace = (text: string, from: number): number => nextIndex(NOT_SPACE, text, from);

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
  let at = open;
  while (at < text.length) {
    at = nextIndex(STRUCTURE, text, at);
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    at += 1;
    depth += character === '{' || character === '[' ? 1 : -1;
    if (depth === 0) return at;
  }
  return text.length;
};

/** Where the root value starts. */
export const startOfRoot = (text: string): number => skipSpace(text, 0);

/** End of the value that starts at `start`. */
export const endOfValue = (text: string, start: number): number => {
  const character = text[start];
  if (character === '"') return endOfString(text, start);
  if (character === '{' || character === '[') return endOfContainer(text, start);
  return nextIndex(SCALAR_END, text, start);
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
