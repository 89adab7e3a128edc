// A machine that calls with a client certificate and no token. Envoy has verified the certificate against the operator's
// authorities, which serve all tenants; whom it speaks for in this tenant is said by the tenant's own: only an authority that
// an issuer of the server names can give a name here.

import { X509Certificate } from 'node:crypto';
import { type CertificateNames, readCertificateNames } from '#core/certificate-names.ts';
import { type Deny, deny } from '#core/decision.ts';
import { type Identity, principalKey } from '#core/identity.ts';
import type { MachineCertificates, TrustedIssuer } from '#core/issuer.ts';
import { splitPem } from '#core/pem.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findSan, parseSanPattern, type SanPattern } from '#core/san-pattern.ts';
import type { IssuerBinding } from '#core/server.ts';
import { findIssuer } from '#core/tenant.ts';
import type { Presentation } from '#ext-authz/identity/credential.ts';

type Trust = {
  readonly issuer: TrustedIssuer;
  readonly binding: IssuerBinding;
  readonly authorities: readonly X509Certificate[];
  readonly patterns: readonly SanPattern[];
};

type Parsed = Pick<Trust, 'authorities' | 'patterns'>;

// Snapshots are immutable: the settings are a safe key for what was read from them.
const parsed = new WeakMap<MachineCertificates, Parsed>();

const parse = (certificates: MachineCertificates): Parsed => {
  const known = parsed.get(certificates);
  if (known !== undefined) return known;
  const authorities = splitPem(certificates.authorities).map((pem) => new X509Certificate(pem));
  const patterns = certificates.names.flatMap((text) => {
    const pattern = parseSanPattern(text);
    return pattern.ok ? [pattern.value] : [];
  });
  const read = { authorities, patterns };
  parsed.set(certificates, read);
  return read;
};

const trustsOf = ({ tenant, server }: Presentation): readonly Trust[] =>
  server.bindings.flatMap((binding) => {
    const issuer = findIssuer(tenant, binding.issuerId);
    return issuer?.enabled === true && issuer.machineCertificates !== undefined
      ? [{ issuer, binding, ...parse(issuer.machineCertificates) }]
      : [];
  });

/** Signed by the very key of the authority: its name alone is anybody's to write. */
const isIssuedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

const oneByOne = ({ uri, dns }: CertificateNames): readonly CertificateNames[] => [
  ...uri.map((name) => ({ uri: [name], dns: [], ip: [] })),
  ...dns.map((name) => ({ uri: [], dns: [name], ip: [] })),
];

type Named = { readonly trust: Trust; readonly name: string };

/** Every name of the certificate that one of the issuers may give. Two would leave open who is calling. */
const findNames = (certificate: X509Certificate, trusts: readonly Trust[]): readonly Named[] => {
  const names = readCertificateNames(certificate.subjectAltName ?? '');
  if (names === undefined) return [];
  return trusts.flatMap((trust) =>
    oneByOne(names).flatMap((each) => {
      const name = findSan(trust.patterns, each);
      return name === undefined ? [] : [{ trust, name }];
    }),
  );
};

const secondsOf = (text: string): number => Math.floor(Date.parse(text) / 1000);

const identityOf = ({ trust: { issuer, binding }, name }: Named, certificate: X509Certificate): Identity => ({
  principal: principalKey({ issuer: issuer.issuer, subject: name }),
  kind: 'app',
  issuerId: issuer.id,
  issuer: issuer.issuer,
  // A connection to the gateway is for whatever the gateway serves: no token, so no audience of its own.
  audience: binding.audiences[0] ?? '',
  relation: issuer.relation,
  subject: name,
  app: name,
  groups: [],
  roles: [],
  scopes: [],
  guest: issuer.relation === 'partner',
  assurance: [],
  claimsChallenges: false,
  issuedAt: secondsOf(certificate.validFrom),
  expiresAt: secondsOf(certificate.validTo),
});

/**
 * Reads who is calling from the certificate of the connection.
 * @returns the caller; undefined where the server has no issuer that vouches for certificates; or certificate_unknown (by
 * none of their authorities), certificate_name_refused (no name, or several, that they may give), certificate_expired (a
 * connection can outlive it).
 */
export const identifyByCertificate = (pem: string, at: Presentation): Result<Identity, Deny> | undefined => {
  const trusts = trustsOf(at);
  if (trusts.length === 0) return undefined;
  const certificate = new X509Certificate(pem);
  const vouching = trusts.filter(({ authorities }) =>
    authorities.some((authority) => isIssuedBy(certificate, authority)),
  );
  if (vouching.length === 0) return err(deny('certificate_unknown'));
  const [named, ...others] = findNames(certificate, vouching);
  if (named === undefined || others.length > 0)
    return err(
      deny('certificate_name_refused', { log: { names: named === undefined ? 0 : 1 + others.length } }),
    );
  if (secondsOf(certificate.validTo) <= at.nowSeconds) return err(deny('certificate_expired'));
  return ok(identityOf(named, certificate));
};
