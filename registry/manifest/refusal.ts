// Why a manifest is refused: one code for each reason, which becomes the type of the problem document, and the field.

import { err, type Result } from '#core/result.ts';
import type { Fault } from '#registry/commands/outcome.ts';

export const MANIFEST_REFUSAL_CODES = [
  'signature-missing',
  'signature-malformed',
  'signature-parameter-invalid',
  'signature-key-unknown',
  'signature-key-out-of-time',
  'signature-invalid',
  'signature-expired',
  'signature-not-yet-valid',
  'signature-too-long-lived',
  'signature-audience-mismatch',
  'signature-replayed',
  'publisher-certificate-required',
  'publisher-certificate-not-bound',
  'manifest-not-json',
  'manifest-schema-version-unknown',
  'manifest-invalid',
  'manifest-publisher-not-bound',
  'manifest-lint-failed',
  'manifest-endpoint-not-allowed',
  'manifest-version-not-higher',
  'manifest-version-taken',
] as const;

export type ManifestRefusalCode = (typeof MANIFEST_REFUSAL_CODES)[number];

export type ManifestFault = Fault & {
  /** Absent: the pointer leads into the manifest. */
  readonly in?: 'header';
  /** The rule of the lint that says so. */
  readonly code?: string;
};

export type ManifestRefusal = {
  readonly code: ManifestRefusalCode;
  readonly faults: readonly ManifestFault[];
};

export const refuse = (
  code: ManifestRefusalCode,
  faults: readonly ManifestFault[],
): Result<never, ManifestRefusal> => err({ code, faults });

/** Header of the detached signature, in lower case. */
export const SIGNATURE_HEADER = 'x-jws-signature';

/** A refusal about the signature: `parameter` of its protected header, or the whole of it. */
export const refuseSignature = (
  code: ManifestRefusalCode,
  message: string,
  parameter?: string,
): Result<never, ManifestRefusal> => {
  const pointer = `/${SIGNATURE_HEADER}${parameter === undefined ? '' : `/${parameter}`}`;
  return refuse(code, [{ in: 'header', pointer, message }]);
};
