// Finds private keys in PEM (RFC 7468) and as PGP armours them, whole: from their first line to their last.

import type { Finding } from '#ext-proc/sanitation/detector.ts';
import { endOfMatch } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const FIRST_LINE = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y;
const LAST_LINE = /-----END [A-Z0-9 ]{0,60}-----/y;
/** What of a key is there where its last line is missing; line ends may be written as `\n`. */
const BODY = /(?:(?:\s|\\[nr]){0,8}[A-Za-z0-9+/=]{20,16384}){0,400}/y;
const MAX_KEY = 16_384;

/** Where the last line of a key begins; each place is looked for once, however many keys begin before it. */
const createEndFinder = (text: string) => {
  let next = 0;
  return (from: number): number => {
    if (next !== -1 && next < from) next = text.indexOf(END, from);
    return next === -1 || next - from > MAX_KEY ? -1 : next;
  };
};

export const findPrivateKeys = (text: string, findings: Finding[]): void => {
  const lastLineBehind = createEndFinder(text);
  for (let at = text.indexOf(BEGIN); at !== -1; ) {
    const bodyStart = endOfMatch(FIRST_LINE, text, at);
    if (bodyStart === -1) {
      at = text.indexOf(BEGIN, at + BEGIN.length);
      continue;
    }
    const lastLine = lastLineBehind(bodyStart);
    const armourEnd = lastLine === -1 ? -1 : endOfMatch(LAST_LINE, text, lastLine);
    const end = armourEnd === -1 ? endOfMatch(BODY, text, bodyStart) : armourEnd;
    findings.push({ kind: 'private-key', start: at, end });
    at = text.indexOf(BEGIN, end);
  }
};
