// Mail addresses: from each `@` a bounded number of characters to the left and to the right, so that no text is slow.

import type { Finding } from '#ext-proc/sanitation/detector.ts';
import { endOfMatch } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';

/** RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL = 64;
const DOMAIN =
  /@[\p{L}\d-]{1,63}(?:\.[\p{L}\d-]{1,63}){0,6}\.(?:\p{L}{2,24}|xn--[a-z\d-]{2,59})(?![\p{L}\d-])/uy;
const LOCAL = /[\p{L}\d.!#$%&'*+/=?^_`{|}~-]/u;
/** What no mailbox starts with, though it may hold it. */
const OUTSIDE = /^[.!#$%&'*/=?^`{|}~-]+/;
/** Addresses that name a login to a service. */
const LOGINS: ReadonlySet<string> = new Set(['git', 'hg', 'svn', 'ssh', 'root']);

const startOfLocal = (text: string, at: number): number => {
  let start = at;
  while (start > 0 && at - start < MAX_LOCAL && LOCAL.test(text[start - 1] ?? '')) start -= 1;
  return start + (OUTSIDE.exec(text.slice(start, at))?.[0].length ?? 0);
};

export const findMailAddresses = (text: string): readonly Finding[] => {
  const findings: Finding[] = [];
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const end = endOfMatch(DOMAIN, text, at);
    const start = end === -1 ? at : startOfLocal(text, at);
    if (start < at && !LOGINS.has(text.slice(start, at))) findings.push({ kind: 'email', start, end });
  }
  return findings;
};
