// Addresses in a text and what they are for whoever shows it: the source of an image, the target of a link, or bare.

import {
  findMarkdownImages,
  labelBefore,
  type MarkdownImages,
} from '#ext-proc/sanitation/detectors/exfiltration/markdown-images.ts';

export type Address = {
  readonly start: number;
  readonly end: number;
  /** `image`: fetched as soon as it is shown. `link`: behind a label. */
  readonly use: 'image' | 'link' | 'bare';
  /** In lower case; empty where the address leaves it to the page. */
  readonly scheme: string;
  /** Where the scheme and its colon end. */
  readonly schemeEnd: number;
};

const FETCHED: ReadonlySet<string> = new Set(['http', 'https', 'ftp', 'ws', 'wss']);
const INLINE: ReadonlySet<string> = new Set(['data', 'javascript', 'vbscript']);
const LONGEST_SCHEME = 10;
const SHORTEST_SCHEME = 2;

/** What stands directly before an address that is more than bare. */
const BEFORE =
  /(?:(\]\(\s{0,4}<?)|(\]:\s{0,4}<?)|\b(src|srcset|poster|background|action|formaction|data|cite|ping)\s{0,3}=\s{0,3}["']?\s{0,3}|(href)\s{0,3}=\s{0,3}["']?\s{0,3}|(url\(\s{0,3}["']?))$/i;
const LOOK_BACK = 24;

const useOf = (text: string, start: number, images: MarkdownImages): Address['use'] => {
  const found = BEFORE.exec(text.slice(Math.max(0, start - LOOK_BACK), start));
  if (found === null) return 'bare';
  const [whole, inline, definition, source, href] = found;
  const bracket = start - whole.length;
  if (inline !== undefined) return images.ends.has(bracket) ? 'image' : 'link';
  if (definition !== undefined) {
    const label = images.labels.size === 0 ? undefined : labelBefore(text, bracket);
    return label !== undefined && images.labels.has(label) ? 'image' : 'link';
  }
  return source === undefined && href !== undefined ? 'link' : 'image';
};

const MAX_ADDRESS = 4_096;
const ENDS = /[\s<>"'`|]/;
const ESCAPED = 'nrtbfu"\'\\ ';
const TRAILING = /[.,;:!?*_~]+$/;

/** A line feed or a quote as JSON and program text write it: behind it another text goes on. */
const isEscape = (character: string, next: string | undefined): boolean =>
  character === '\\' && (next === undefined || ESCAPED.includes(next));

/** The end of an address: white space, a quote, a bracket that was opened before it; no sign that ends a sentence. */
const endOfAddress = (text: string, start: number, schemeEnd: number): number => {
  let depth = 0;
  let end = start;
  for (const limit = Math.min(text.length, start + MAX_ADDRESS); end < limit; end += 1) {
    const character = text[end] ?? '';
    if (ENDS.test(character) || (end > schemeEnd + 2 && isEscape(character, text[end + 1]))) break;
    if (character === '(') depth += 1;
    else if (character === ')' && depth-- === 0) break;
  }
  const trailing = TRAILING.exec(text.slice(Math.max(start, end - 8), end))?.[0].length ?? 0;
  return end - trailing;
};

const isSlash = (character: string | undefined): boolean => character === '/' || character === '\\';

/** Behind a scheme that is fetched slashes stand, or at least something where an address has to stand. */
const isWanted = (text: string, { scheme, schemeEnd, use }: Omit<Address, 'end'>): boolean => {
  if (!FETCHED.has(scheme)) return use !== 'bare' || scheme === 'data';
  return isSlash(text[schemeEnd]) || (use !== 'bare' && /\S/.test(text[schemeEnd] ?? ''));
};

/** Of the ASCII letters in either case. */
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

const schemeBefore = (text: string, colon: number): string => {
  const least = Math.max(0, colon - LONGEST_SCHEME);
  let start = colon;
  while (start > least && isLetter(text.charCodeAt(start - 1))) start -= 1;
  if (colon - start < SHORTEST_SCHEME) return '';
  const found = text.slice(start, colon).toLowerCase();
  return FETCHED.has(found) || INLINE.has(found) ? found : '';
};

const NOWHERE = Number.POSITIVE_INFINITY;

const placeOf = (text: string, sign: string, from: number): number => {
  const at = text.indexOf(sign, from);
  return at === -1 ? NOWHERE : at;
};

/** Places that an address may be told by, in rising order: a colon behind a scheme, two slashes without one. */
const createMarks = (text: string) => {
  let [colon, slashes] = [0, 0];
  /** The next one at or behind a place; undefined: there is none. */
  return (from: number): { readonly at: number; readonly isColon: boolean } | undefined => {
    if (colon <= from) colon = placeOf(text, ':', from);
    if (slashes <= from) slashes = placeOf(text, '//', from);
    const at = Math.min(colon, slashes);
    return at === NOWHERE ? undefined : { at, isColon: at === colon };
  };
};

const withScheme = (text: string, colon: number, images: MarkdownImages): Address | undefined => {
  const scheme = schemeBefore(text, colon);
  if (scheme === '') return undefined;
  const start = colon - scheme.length;
  const begun = { start, use: useOf(text, start, images), scheme, schemeEnd: colon + 1 };
  return isWanted(text, begun) ? { ...begun, end: endOfAddress(text, start, begun.schemeEnd) } : undefined;
};

/** What stands before an address that has no scheme. */
const OPENERS = '(<"\'= \t\n';

/** Two slashes are the start of an address only where an address has to stand. */
const withoutScheme = (text: string, start: number, images: MarkdownImages): Address | undefined => {
  if (!OPENERS.includes(text[start - 1] ?? ' ')) return undefined;
  const use = useOf(text, start, images);
  if (use === 'bare') return undefined;
  return { start, use, scheme: '', schemeEnd: start, end: endOfAddress(text, start, start) };
};

export const findAddresses = (text: string): readonly Address[] => {
  const addresses: Address[] = [];
  const nextMark = createMarks(text);
  const images = findMarkdownImages(text);
  for (let mark = nextMark(0); mark !== undefined; ) {
    const { at, isColon } = mark;
    const found = isColon ? withScheme(text, at, images) : withoutScheme(text, at, images);
    if (found !== undefined) addresses.push(found);
    mark = nextMark(Math.max(at + 1, found?.end ?? 0));
  }
  return addresses;
};
