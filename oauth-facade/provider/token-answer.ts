// What the provider's token endpoint answers, judged: its own tokens, or which error of OAuth the client is to be told.
// Its sentences stay here: they name people, tenants and requests. Pure.

import { decodeJwt } from 'jose';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { type Refusal, refusal, refuse } from '#oauth-facade/refusal.ts';

export type ProviderTokens = {
  readonly accessToken: Secret;
  readonly refreshToken?: Secret;
  readonly expiresIn?: number;
  /** As the provider says it. */
  readonly scope?: string;
  readonly idToken?: Secret;
};

const parse = (body: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const textOf = (answer: JsonObject, name: string): string | undefined => {
  const value = answer[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const readTokens = (answer: JsonObject): Result<ProviderTokens, Refusal> => {
  const accessToken = textOf(answer, 'access_token');
  // A token that is bound to a key (DPoP) would be bound to ours.
  if (accessToken === undefined || textOf(answer, 'token_type')?.toLowerCase() !== 'bearer')
    return refuse('server_error', 'The identity provider answers with no bearer token.');
  const { expires_in: expiresIn } = answer;
  const refreshToken = textOf(answer, 'refresh_token');
  const idToken = textOf(answer, 'id_token');
  const scope = textOf(answer, 'scope');
  return ok({
    accessToken: new Secret(accessToken),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
    ...(idToken === undefined ? {} : { idToken: new Secret(idToken) }),
    ...(typeof expiresIn === 'number' && expiresIn > 0 ? { expiresIn: Math.floor(expiresIn) } : {}),
    ...(scope === undefined ? {} : { scope }),
  });
};

/** The person or the client can mend these; everything else is between the façade and the provider. */
const TOLD: Readonly<Record<string, Refusal>> = {
  invalid_grant: refusal('invalid_grant', 'The identity provider takes this no longer: sign in again.'),
  interaction_required: refusal('invalid_grant', 'The identity provider wants the person to sign in again.'),
  login_required: refusal('invalid_grant', 'The identity provider wants the person to sign in again.'),
  consent_required: refusal('invalid_grant', 'Consent is missing at the identity provider.'),
  invalid_scope: refusal('invalid_scope', 'The identity provider refuses a scope.'),
};

const AWAY = refusal('temporarily_unavailable', 'The identity provider cannot be asked at the moment.');

const readRefusal = (status: number, answer: JsonObject | undefined): Refusal => {
  const error = (answer === undefined ? undefined : textOf(answer, 'error')) ?? 'none';
  const detail = `status ${status}, error ${/^[a-z_]{1,64}$/.test(error) ? error : 'of no known form'}`;
  if (status === 429 || status >= 500 || error === 'temporarily_unavailable') return { ...AWAY, detail };
  const told = Object.hasOwn(TOLD, error) ? TOLD[error] : undefined;
  return { ...(told ?? refusal('server_error', 'The identity provider refuses the gateway.')), detail };
};

/** @returns the tokens, or what the client is told; `detail` is for the log and holds nothing of the provider's sentences */
export const judgeTokenAnswer = ({
  status,
  body,
}: {
  readonly status: number;
  readonly body: string;
}): Result<ProviderTokens, Refusal> => {
  const answer = parse(body);
  if (status === 200 && answer !== undefined) return readTokens(answer);
  const refused = readRefusal(status, answer);
  return refuse(refused.error, refused.sentence, refused);
};

/**
 * Whether the code belongs to the sign-in that was begun (OpenID Connect Core §3.1.3.7, point 11). The id token comes from the
 * provider itself over TLS, which stands for its signature (point 6).
 * @param isAsked `openid` was asked for, so that there must be one
 */
export const isOfSignIn = (idToken: Secret | undefined, nonce: string, isAsked: boolean): boolean => {
  if (idToken === undefined) return !isAsked;
  try {
    return decodeJwt(idToken.reveal())['nonce'] === nonce;
  } catch {
    return false;
  }
};
