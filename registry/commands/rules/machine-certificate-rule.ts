// What an issuer says of the certificates it vouches for: authorities that can be read and are authorities, and patterns of
// the names they may give.

import { X509Certificate } from 'node:crypto';
import type { IssuerKind, MachineCertificates } from '#core/issuer.ts';
import { splitPem } from '#core/pem.ts';
import { parseSanPattern } from '#core/san-pattern.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { issuerName } from '#registry/commands/resources.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

const AT = '/machineCertificates';
const MAX_AUTHORITIES = 8;

const isAuthority = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
};

const judgeAuthorities = (authorities: string): Fault[] => {
  const pems = splitPem(authorities);
  const pointer = `${AT}/authorities`;
  if (pems.length === 0 || pems.length > MAX_AUTHORITIES)
    return [{ pointer, message: `expected one to ${MAX_AUTHORITIES} certificates in PEM` }];
  if (authorities.includes('PRIVATE KEY'))
    return [{ pointer, message: 'holds a private key: it is no secret any more, make a new one' }];
  return pems.every(isAuthority)
    ? []
    : [{ pointer, message: 'each must be the certificate of an authority, the one that signs by itself' }];
};

// Whoever may give any name of a domain may give every server's: a pattern leaves one part open and no more.
const judgeNames = (names: readonly string[]): Fault[] =>
  names.flatMap((text, index) => {
    const pattern = parseSanPattern(text);
    const pointer = `${AT}/names/${index}`;
    if (!pattern.ok) return [{ pointer, message: pattern.error }];
    return pattern.value.kind === 'ip'
      ? [{ pointer, message: 'an address is nobody; name a URI or a DNS name' }]
      : [];
  });

const judge = ({ authorities, names }: MachineCertificates): Fault[] => [
  ...judgeAuthorities(authorities),
  ...judgeNames(names),
];

/** A caller of Entra is known by directory and object, which no certificate names. */
const judgeKind = (kind: IssuerKind): Fault[] =>
  kind === 'oidc' ? [] : [{ pointer: AT, message: 'only an issuer of kind oidc vouches for certificates' }];

export const machineCertificateRule: Rule = ({ issuers }) =>
  issuers.flatMap(({ id, kind, machineCertificates }) =>
    machineCertificates === undefined
      ? []
      : [...judgeKind(kind), ...judge(machineCertificates)].map((fault) => ({
          ...fault,
          resource: issuerName(id),
        })),
  );
