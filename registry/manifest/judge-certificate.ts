// Whether the connection a manifest came by speaks for the publisher who signed it. Asked after the signature was found
// good: a stranger is told nothing about certificates.

import type { Publisher } from '#core/publisher.ts';
import { ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { type ClientCertificate, isBound } from '#registry/manifest/client-certificate.ts';
import { type ManifestRefusal, refuse } from '#registry/manifest/refusal.ts';

/**
 * Without a certificate a manifest passes where the tenant does not ask for one. One that is shown must be bound to
 * the publisher in either case: a key that was stolen is of no use by the door that its thief has a certificate for.
 */
export const judgeCertificate = (
  tenant: Pick<Tenant, 'requirePublisherCertificate'>,
  publisher: Publisher,
  certificate: ClientCertificate | undefined,
): Result<true, ManifestRefusal> => {
  if (certificate === undefined)
    return tenant.requirePublisherCertificate === true
      ? refuse('publisher-certificate-required', [
          { pointer: '', message: 'send it to the address that asks for a client certificate' },
        ])
      : ok(true);
  return isBound(certificate, publisher.certificates)
    ? ok(true)
    : refuse('publisher-certificate-not-bound', [
        { pointer: '', message: `publisher ${publisher.id} has no such certificate` },
      ]);
};
