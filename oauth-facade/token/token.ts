// `/token`: what the client gets is the provider's own access token, as it is. The façade signs nothing.

import { err, ok, type Result } from '#core/result.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { type Parameters, parseParameters } from '#oauth-facade/http/parameters.ts';
import { jsonReply, type Reply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import type { FacadeParts } from '#oauth-facade/parts.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import { redeemCode } from '#oauth-facade/token/redeem-code.ts';
import { refresh } from '#oauth-facade/token/refresh.ts';
import { type Granted, sealHandle } from '#oauth-facade/token/refresh-handle.ts';

const FORM = 'application/x-www-form-urlencoded';

const runGrant = async (
  parts: FacadeParts,
  fronted: Fronted,
  given: Parameters,
): Promise<Result<Granted, Refusal>> => {
  switch (given.get('grant_type')) {
    case 'authorization_code':
      return redeemCode(parts, fronted, given);
    case 'refresh_token':
      return refresh(parts, fronted, given);
    default:
      return refuse('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token.');
  }
};

const answer = (parts: FacadeParts, fronted: Fronted, granted: Granted): Reply => {
  const { accessToken, expiresIn, scope } = granted.tokens;
  const handle = sealHandle(parts, fronted, granted);
  return jsonReply(200, {
    access_token: accessToken.reveal(),
    token_type: 'Bearer',
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
    ...(scope === undefined ? {} : { scope }),
    ...(handle === undefined ? {} : { refresh_token: handle }),
  });
};

export const token = async (
  parts: FacadeParts,
  fronted: Fronted,
  request: Request,
): Promise<Result<Reply, Refusal>> => {
  if (request.mediaType !== FORM) return refuse('invalid_request', `The body must be ${FORM}.`);
  const given = parseParameters(request.body);
  if (!given.ok) return given;
  const granted = await runGrant(parts, fronted, given.value);
  return granted.ok ? ok(answer(parts, fronted, granted.value)) : err(granted.error);
};
