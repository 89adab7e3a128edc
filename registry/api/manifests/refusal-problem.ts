// The problem document of each reason for which a manifest is refused: one type, one status, one sentence.

import { MAX_FAULTS, type Problem } from '#registry/api/problem.ts';
import type { ManifestRefusal, ManifestRefusalCode } from '#registry/manifest/refusal.ts';

type Answer = readonly [status: number, detail: string];

const ANSWERS: Readonly<Record<ManifestRefusalCode, Answer>> = {
  'signature-missing': [401, 'A manifest is sent with its detached signature in X-JWS-Signature.'],
  'signature-malformed': [400, 'The signature cannot be read.'],
  'signature-parameter-invalid': [400, 'A parameter of the protected header is not valid.'],
  'signature-key-unknown': [401, 'The key of the signature is not known here.'],
  'signature-key-out-of-time': [401, 'The key of the signature is not valid at this time.'],
  'signature-invalid': [401, 'The signature is not good.'],
  'signature-expired': [401, 'The signature has expired.'],
  'signature-not-yet-valid': [401, 'The signature is not valid yet.'],
  'signature-too-long-lived': [400, 'The signature would be valid for too long.'],
  'signature-audience-mismatch': [401, 'The signature was made for somebody else.'],
  'signature-replayed': [409, 'This signature was used before. Sign again.'],
  'publisher-certificate-required': [403, 'This tenant takes manifests over mutual TLS only.'],
  'publisher-certificate-not-bound': [403, 'The client certificate does not speak for this publisher.'],
  'manifest-not-json': [400, 'The manifest is not JSON that can be read in one way only.'],
  'manifest-schema-version-unknown': [422, 'The schema version of the manifest is not known here.'],
  'manifest-invalid': [422, 'The manifest does not fit its schema.'],
  'manifest-publisher-not-bound': [403, 'The publisher is not bound to this server.'],
  'manifest-lint-failed': [422, 'The manifest holds what may not be published.'],
  'manifest-endpoint-not-allowed': [422, 'An endpoint lies outside what the admin allowed for the server.'],
  'manifest-version-not-higher': [409, 'A version of this server may not go down.'],
  'manifest-version-taken': [409, 'A published version never changes. Publish a higher one.'],
};

const CHALLENGE = { 'www-authenticate': 'Signature realm="registry"' };

export const problemFromManifest = ({ code, faults }: ManifestRefusal): Problem => {
  const [status, detail] = ANSWERS[code];
  return {
    status,
    code,
    detail,
    errors: faults.slice(0, MAX_FAULTS),
    // RFC 9110 §15.5.2: a 401 says how to authenticate.
    ...(status === 401 ? { headers: CHALLENGE } : {}),
  };
};
