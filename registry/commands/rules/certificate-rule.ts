// A publisher's certificates are written in one way only, because they are compared as texts, and each speaks for one
// publisher of the tenant, or a certificate would say less than it seems to.

import type { PublisherCertificate } from '#core/publisher.ts';
import { publisherName } from '#registry/commands/resources.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';

/** Base64 of 32 bytes: the last character of the 43 carries four bits, and two that are zero. */
const SHA256_BASE64 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** RFC 5280 §4.2.1.6 names without a wildcard: one that stands for many binds nobody. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

const FORMS: Readonly<
  Record<
    PublisherCertificate['kind'],
    { readonly holds: (value: string) => boolean; readonly message: string }
  >
> = {
  'spki-sha256': {
    holds: (value) => SHA256_BASE64.test(value),
    message: 'expected base64 of a SHA-256, 44 characters',
  },
  'san-uri': {
    holds: (value) => /^[a-z][a-z0-9+.-]*:[!-~]+$/.test(value) && URL.canParse(value),
    message: 'expected an absolute URI with its scheme in lower case, e.g. spiffe://example.com/tracker-ci',
  },
  'san-dns': {
    holds: (value) => DNS_NAME.test(value),
    message: 'expected a host name in lower case, without a wildcard',
  },
};

/** One text for one identity. */
const identityOf = ({ kind, value }: PublisherCertificate): string => `${kind} ${value}`;

/** Certificates are well written, and none is named twice in the tenant. */
export const certificateRule: Rule = ({ publishers }) => {
  const taken = repeated(publishers.flatMap(({ certificates = [] }) => certificates.map(identityOf)));
  return publishers.flatMap(({ id, certificates = [] }) =>
    certificates.flatMap((certificate, index) => {
      const at = { resource: publisherName(id), pointer: `/certificates/${index}/value` };
      const { holds, message } = FORMS[certificate.kind];
      if (!holds(certificate.value)) return [{ ...at, message }];
      return taken.includes(identityOf(certificate))
        ? [{ ...at, message: 'is named more than once among the publishers of the tenant' }]
        : [];
    }),
  );
};
