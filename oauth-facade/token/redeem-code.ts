// Grant `authorization_code`: the client shows that it is the one that asked, and gets what the provider gives for the code.

import { createHash, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';
import { clientDigest } from '#oauth-facade/authorize/authorization.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import type { Parameters } from '#oauth-facade/http/parameters.ts';
import { type FacadeParts, nowSecondsOf } from '#oauth-facade/parts.ts';
import { callbackUrl } from '#oauth-facade/provider/endpoints.ts';
import { resourceAsked } from '#oauth-facade/provider/sign-in.ts';
import { isOfSignIn } from '#oauth-facade/provider/token-answer.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import { CODE_SECONDS, type Code } from '#oauth-facade/token/code.ts';
import { claimOnce } from '#oauth-facade/token/once.ts';
import type { Granted } from '#oauth-facade/token/refresh-handle.ts';
import { dropFamily } from '#oauth-facade/token/refresh-line.ts';

/** RFC 7636 §4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

const isVerifierOf = (challenge: string, verifier: string | undefined): boolean => {
  if (verifier === undefined || !VERIFIER.test(verifier)) return false;
  const digest = createHash('sha256').update(verifier).digest();
  return timingSafeEqual(digest, Buffer.from(challenge, 'base64url'));
};

const judgeBinding = ({ authorization }: Code, given: Parameters): Result<true, Refusal> => {
  const { client, redirectUri, challenge, resource } = authorization;
  if (clientDigest(given.get('client_id') ?? '') !== client)
    return refuse('invalid_grant', 'The code was given to another client.');
  if (given.get('redirect_uri') !== redirectUri)
    return refuse('invalid_grant', 'redirect_uri is not the one the code was asked with.');
  if (!isVerifierOf(challenge, given.get('code_verifier')))
    return refuse('invalid_grant', 'code_verifier does not match code_challenge.');
  return (given.get('resource') ?? resource) === resource
    ? ok(true)
    : refuse('invalid_target', 'resource is not the one the code was asked for.');
};

/**
 * All of a code is judged before it is spent, so that whoever has seen it in passing cannot spend it for its owner. Spent twice
 * by somebody who has the verifier too, it takes the tokens that came of it along (RFC 6749 §4.1.2).
 */
const spend = async (parts: FacadeParts, code: Code): Promise<Result<true, Refusal>> => {
  const once = await claimOnce(parts.state, `code ${code.id}`, CODE_SECONDS * 2);
  if (!once.ok) return once;
  if (once.value) return ok(true);
  await dropFamily(parts, code.id);
  return refuse('invalid_grant', 'The code was used before; what came of it is refreshed no longer.', {
    detail: 'replay',
  });
};

export const redeemCode = async (
  parts: FacadeParts,
  fronted: Fronted,
  given: Parameters,
): Promise<Result<Granted, Refusal>> => {
  const code = parts.sealer.open<Code>('code', fronted.ref, given.get('code') ?? '');
  if (code === undefined || code.untilSeconds <= nowSecondsOf(parts))
    return refuse('invalid_grant', 'The code is not known here, or too old.');
  const bound = judgeBinding(code, given);
  if (!bound.ok) return bound;
  const spent = await spend(parts, code);
  if (!spent.ok) return spent;
  const { authorization, verifier, nonce, providerCode, id } = code;
  const tokens = await parts.askProvider(fronted, {
    grant_type: 'authorization_code',
    code: providerCode,
    redirect_uri: callbackUrl(fronted),
    code_verifier: verifier,
    ...resourceAsked(fronted, authorization.resource),
  });
  if (!tokens.ok) return err(tokens.error);
  if (!isOfSignIn(tokens.value.idToken, nonce, fronted.facade.scopes.includes('openid')))
    return refuse('server_error', 'The identity provider answers for another sign-in.', { detail: 'nonce' });
  const { client, resource, scopes, refreshes } = authorization;
  const family = { id, client, resource, scopes, refreshes, sinceSeconds: nowSecondsOf(parts) };
  return ok({ tokens: tokens.value, family, handleId: parts.newId() });
};
