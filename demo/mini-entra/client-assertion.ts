// Assertions by which an application authenticates: signed with the key of a certificate it has registered, or by a workload
// identity elsewhere that it has named. Every check is one the real thing makes.

import { createHash, X509Certificate } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import { err, ok, type Result } from '#core/result.ts';
import type { DemoApplication, FederatedCredential } from '#demo/directory.ts';
import type { EntraCode, EntraRefusal } from '#demo/mini-entra/entra-error.ts';

/** Longest life of an assertion, seconds. */
const MAX_LIFETIME_SECONDS = 600;

export type AssertionCheck = {
  readonly assertion: string;
  readonly tokenEndpoint: string;
  readonly nowSeconds: number;
};

const refuse = (code: EntraCode): Result<never, EntraRefusal> => err({ code });

const judgeThrown = (thrown: unknown): Result<never, EntraRefusal> => {
  if (thrown instanceof errors.JWTExpired) return refuse(700024);
  if (!(thrown instanceof errors.JWTClaimValidationFailed)) return refuse(700027);
  if (thrown.claim === 'aud') return refuse(700023);
  return refuse(thrown.claim === 'nbf' ? 700024 : 700021);
};

const thumbprintOf = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');

const isTooLong = ({ exp = 0, nbf = 0 }: JWTPayload): boolean => exp - nbf > MAX_LIFETIME_SECONDS;

const judgeSigned = async (
  { clientId, certificates = [] }: DemoApplication,
  { assertion, tokenEndpoint, nowSeconds }: AssertionCheck,
): Promise<Result<true, EntraRefusal>> => {
  const { 'x5t#S256': named } = decodeProtectedHeader(assertion) as { 'x5t#S256'?: string };
  const certificate = certificates.find((pem) => thumbprintOf(pem) === named);
  if (certificate === undefined) return refuse(700027);
  try {
    const { payload } = await jwtVerify(assertion, new X509Certificate(certificate).publicKey, {
      algorithms: ['PS256', 'RS256'],
      issuer: clientId,
      subject: clientId,
      audience: tokenEndpoint,
      requiredClaims: ['exp', 'nbf', 'jti'],
      currentDate: new Date(nowSeconds * 1000),
    });
    return isTooLong(payload) ? refuse(700024) : ok(true);
  } catch (thrown) {
    return judgeThrown(thrown);
  }
};

const judgeFederated = async (
  { issuer, subject, audience, keys }: FederatedCredential,
  { assertion, nowSeconds }: AssertionCheck,
): Promise<Result<true, EntraRefusal>> => {
  const { sub, aud } = decodeJwt(assertion);
  if (sub !== subject) return refuse(700213);
  if (aud !== audience) return refuse(700212);
  try {
    await jwtVerify(assertion, createLocalJWKSet({ keys: [...keys] }), {
      algorithms: ['RS256'],
      issuer,
      requiredClaims: ['exp'],
      currentDate: new Date(nowSeconds * 1000),
    });
    return ok(true);
  } catch (thrown) {
    return judgeThrown(thrown);
  }
};

/**
 * AADSTS700021 (another application), 700023 (audience), 700024 (time), 700027 (signature, or a certificate that is not
 * registered); of workload identities 700211 (issuer), 700213 (subject), 700212 (audience).
 */
export const judgeAssertion = async (
  application: DemoApplication,
  check: AssertionCheck,
): Promise<Result<true, EntraRefusal>> => {
  try {
    const { iss } = decodeJwt(check.assertion);
    if ('x5t#S256' in decodeProtectedHeader(check.assertion)) return await judgeSigned(application, check);
    const federated = application.federatedCredentials?.find(({ issuer }) => issuer === iss);
    return federated === undefined ? refuse(700211) : await judgeFederated(federated, check);
  } catch {
    return refuse(700027);
  }
};
