// The client certificate of a request, as Envoy's x-forwarded-client-cert tells it, and whom it speaks for. The header
// is believed on one socket only; who asks here has come in by that one. Pure.

import { createHash, X509Certificate } from 'node:crypto';
import { readCertificateNames } from '#core/certificate-names.ts';
import type { PublisherCertificate } from '#core/publisher.ts';
import { err, ok, type Result } from '#core/result.ts';

export const CLIENT_CERTIFICATE_HEADER = 'x-forwarded-client-cert';

/** A certificate as it can be bound: one text for its key and one for each of its names. */
export type ClientCertificate = Readonly<Record<PublisherCertificate['kind'], readonly string[]>>;

/**
 * What our listener writes, and nothing else: `SANITIZE_SET` with `cert` gives one element, `By` (names of our own
 * certificate), `Hash` and `Cert`. A comma would begin another hop's element, so none may stand outside quotes.
 */
const ELEMENT = /^(?:By=[^,;"=]*;)*Hash=[0-9a-f]{64};Cert="([A-Za-z0-9%._~-]{1,49152})"$/;

const readPem = (encoded: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(decodeURIComponent(encoded));
  } catch {
    return undefined;
  }
};

/**
 * Reads the header.
 * @returns the certificate; or a sentence on why the header is not what Envoy writes. It repeats nothing of it.
 */
export const parseForwardedCertificate = (header: string): Result<ClientCertificate, string> => {
  const encoded = ELEMENT.exec(header)?.[1];
  if (encoded === undefined) return err('expected one element with Hash and Cert');
  const certificate = readPem(encoded);
  if (certificate === undefined) return err('Cert holds no X.509 certificate');
  const names = readCertificateNames(certificate.subjectAltName ?? '');
  if (names === undefined) return err('the subject alternative names of the certificate cannot be read');
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return ok({
    'spki-sha256': [createHash('sha256').update(key).digest('base64')],
    'san-uri': names.uri,
    'san-dns': names.dns,
  });
};

/** Whether the certificate is one of those bound to a publisher. */
export const isBound = (
  certificate: ClientCertificate,
  bound: readonly PublisherCertificate[] | undefined,
): boolean => (bound ?? []).some(({ kind, value }) => certificate[kind].includes(value));
