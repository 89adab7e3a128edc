// Whom a list of names lets in: a name of a certificate as it stands, or with one part of it left open. One `*` for one
// whole part and no more, so that a pattern says at a glance whom it means. Pure.

import type { CertificateNames } from '#core/certificate-names.ts';
import { err, ok, type Result } from '#core/result.ts';

export type SanPattern = {
  readonly kind: 'uri' | 'dns' | 'ip';
  /** As it was written; DNS in lower case. */
  readonly text: string;
};

const URI = /^[a-z][a-z0-9+.-]*:\/\/[^\s*]+(?:\/\*)?$/;
const DNS = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-f:.]*:[0-9a-f:.]*$/i;

/** `spiffe://example.com/edge`, `spiffe://example.com/sidecar/*`, `xds.example.com`, `*.edge.example.com`, `10.0.0.7`. */
export const parseSanPattern = (text: string): Result<SanPattern, string> => {
  if (text.includes('://'))
    return URI.test(text)
      ? ok({ kind: 'uri', text })
      : err('a URI may have one *, in place of its last part: spiffe://example.com/sidecar/*');
  if (IPV4.test(text) || IPV6.test(text)) return ok({ kind: 'ip', text: text.toUpperCase() });
  const lower = text.toLowerCase();
  return DNS.test(lower)
    ? ok({ kind: 'dns', text: lower })
    : err('expected a URI, a DNS name or an address; a DNS name may have one *, in place of its first part');
};

const matchesUri = (pattern: string, name: string): boolean => {
  if (!pattern.endsWith('/*')) return name === pattern;
  const rest = name.slice(pattern.length - 1);
  return name.startsWith(pattern.slice(0, -1)) && /^[^/?#]+$/.test(rest);
};

// A name of a certificate may itself begin with "*." and then stands for many hosts; as a peer it is nobody's.
const matchesDns = (pattern: string, name: string): boolean => {
  if (!pattern.startsWith('*.')) return name === pattern;
  const [first = '', ...rest] = name.split('.');
  return first !== '' && first !== '*' && rest.join('.') === pattern.slice(2);
};

/** The first name of a certificate that one of the patterns means; undefined for none. */
export const findSan = (patterns: readonly SanPattern[], names: CertificateNames): string | undefined => {
  for (const { kind, text } of patterns) {
    const name = names[kind].find((each) => {
      if (kind === 'uri') return matchesUri(text, each);
      return kind === 'dns' ? matchesDns(text, each) : each.toUpperCase() === text;
    });
    if (name !== undefined) return name;
  }
  return undefined;
};
