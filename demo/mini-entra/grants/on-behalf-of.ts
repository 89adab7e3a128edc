// On-Behalf-Of: a middle tier trades the token it was called with for one to the next tier, same user.
// Every check here is one the real thing makes; the gateway's error handling is tested against them.

import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { err, ok, type Result } from '#core/result.ts';
import { isConfidential } from '#demo/directory.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import { type Grant, type GrantRequest, hasConsent } from '#demo/mini-entra/grants/grant.ts';

const verifyAssertion = async (request: GrantRequest): Promise<Result<JWTPayload, EntraRefusal>> => {
  const assertion = request.form.get('assertion');
  if (assertion === undefined) return err({ code: 900144 });
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: [...request.keys] }), {
      algorithms: ['RS256'],
      issuer: request.issuer,
      requiredClaims: ['exp', 'iat', 'aud', 'tid', 'oid'],
      currentDate: new Date(request.nowSeconds * 1000),
    });
    return ok(payload);
  } catch (thrown) {
    const isOutOfTime =
      thrown instanceof errors.JWTExpired ||
      (thrown instanceof errors.JWTClaimValidationFailed && thrown.claim === 'nbf');
    return err({ code: isOutOfTime ? 500133 : 50013 });
  }
};

const judgeAssertion = (payload: JWTPayload, request: GrantRequest): EntraRefusal | undefined => {
  if (payload.aud !== request.client.clientId) return { code: 500131 };
  if (payload['tid'] !== request.directory.tid) return { code: 50013 };
  return payload['idtyp'] === 'app' ? { code: 7000114 } : undefined;
};

/** AADSTS50013, 500133, 500131, 7000114, 50034, 50057, 50173, 65001. */
export const onBehalfOf: Grant = async (request) => {
  if (!isConfidential(request.client)) return err({ code: 7000218 });
  if (request.form.get('requested_token_use') !== 'on_behalf_of') return err({ code: 900144 });
  const assertion = await verifyAssertion(request);
  if (!assertion.ok) return assertion;
  const refusal = judgeAssertion(assertion.value, request);
  if (refusal !== undefined) return err(refusal);
  const user = request.world.findUserByOid(request.directory, String(assertion.value['oid']));
  if (user === undefined) return err({ code: 50034 });
  if (!request.world.isEnabled(user)) return err({ code: 50057 });
  if ((assertion.value.iat ?? 0) < request.world.sessionsValidFrom(user)) return err({ code: 50173 });
  return hasConsent(request.client, request.requested.resource) ? ok({ user }) : err({ code: 65001 });
};
