// Finds secrets by the name they are given: `password = …`, `"api_key": "…"`, `Authorization: Bearer …`, a password
// in a URL. Only the value is found, the name stays.

import type { Finding } from '#ext-proc/sanitation/detector.ts';
import { looksLikePassword, looksLikeToken } from '#ext-proc/sanitation/detectors/secrets/looks-secret.ts';
import { endOfMatch, isTokenCharacter } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';

type Name = { readonly part: string; readonly isSecret: (value: string) => boolean };

const NAMES: readonly Name[] = [
  ...['passw', 'pwd', 'passphrase', 'kennwort', 'mot_de_passe', 'contrase'].map((part) => ({
    part,
    isSecret: looksLikePassword,
  })),
  ...[
    'secret',
    'token',
    'api_key',
    'apikey',
    'api-key',
    'access_key',
    'accesskey',
    'account_key',
    'auth_key',
  ].map((part) => ({ part, isSecret: looksLikeToken })),
];

const MAX_NAME = 64;
/** Between a name and its value: quotes, also escaped ones, and a sign of assignment. */
const ASSIGNED = /\\?["'`]?\s{0,4}(?::=|=>|[:=])\s{0,4}\\?["'`]?/y;
const VALUE = /[^\s"'`,;<>{}()[\]&\\]{8,512}/y;

/** Behind the last character of the name at `at`; a name longer than any is none. */
const endOfName = (text: string, at: number): number => {
  let end = at;
  while (isTokenCharacter(text.charCodeAt(end))) end += 1;
  return end;
};

const findAssigned = (text: string, lower: string, { part, isSecret }: Name, findings: Finding[]): void => {
  for (let at = lower.indexOf(part); at !== -1; ) {
    const nameEnd = endOfName(text, at);
    const start = nameEnd - at > MAX_NAME ? -1 : endOfMatch(ASSIGNED, text, nameEnd);
    const end = start === -1 ? -1 : endOfMatch(VALUE, text, start);
    if (end !== -1 && isSecret(text.slice(start, end))) findings.push({ kind: 'assignment', start, end });
    at = lower.indexOf(part, Math.max(nameEnd, at + part.length));
  }
};

const SCHEMES = ['bearer ', 'basic '];
const CREDENTIAL = /\s{0,4}[\w.~+/-]{16,8192}={0,2}/y;

const findAuthorization = (text: string, lower: string, findings: Finding[]): void => {
  for (const scheme of SCHEMES)
    for (let at = lower.indexOf(scheme); at !== -1; at = lower.indexOf(scheme, at + scheme.length)) {
      const start = at + scheme.length;
      const end = isTokenCharacter(text.charCodeAt(at - 1)) ? -1 : endOfMatch(CREDENTIAL, text, start);
      if (end !== -1 && looksLikeToken(text.slice(start, end).trimStart()))
        findings.push({ kind: 'authorization', start, end });
    }
};

const USER = /:\/\/[^\s:@/"'<>]{0,128}:/y;
const PASSWORD = /[^\s@/"'<>]{3,256}(?=@[\w.[-])/y;
const WELL_KNOWN = /^(?:pass(?:word|wd)?|pwd|secret|x+|\*+|<.*|\$.*|\{.*|%.*|\[.*|your.*)$/i;

const findInUrls = (text: string, findings: Finding[]): void => {
  if (!text.includes('@')) return;
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    const start = endOfMatch(USER, text, at);
    const end = start === -1 ? -1 : endOfMatch(PASSWORD, text, start);
    if (end !== -1 && !WELL_KNOWN.test(text.slice(start, end)))
      findings.push({ kind: 'connection-string', start, end });
  }
};

/** Lower case, with every character in its place: a few letters have a lower case of two. */
const lowered = (text: string): string => {
  const lower = text.toLowerCase();
  return lower.length === text.length ? lower : text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
};

export const findNamedValues = (text: string, findings: Finding[]): void => {
  const lower = lowered(text);
  for (const name of NAMES) findAssigned(text, lower, name, findings);
  findAuthorization(text, lower, findings);
  findInUrls(text, findings);
};

/** True for the name of a member whose value is a secret. */
export const namesSecret = (name: string): boolean => {
  const lower = name.toLowerCase();
  return name.length <= MAX_NAME && NAMES.some(({ part }) => lower.includes(part));
};
