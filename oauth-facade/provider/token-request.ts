// Asks the provider's token endpoint, as the client the façade is there, through the egress guard.

import { GatewayError } from '#core/gateway-error.ts';
import type { Result } from '#core/result.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import { fillDirectory } from '#oauth-facade/provider/endpoints.ts';
import { judgeTokenAnswer, type ProviderTokens } from '#oauth-facade/provider/token-answer.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { SecretStore } from '#runtime/secret-files.ts';

type ProviderParts = { readonly fetch: EgressGuard['fetch']; readonly secrets: SecretStore };

/** @param form without the client's own parameters */
export type AskProvider = (
  fronted: Fronted,
  form: Readonly<Record<string, string>>,
) => Promise<Result<ProviderTokens, Refusal>>;

const TIMEOUT_MS = 8_000;
/** Tokens with two hundred groups have some 10 KiB. */
const MAX_BYTES = 128 * 1024;

const post = async (
  { fetch }: ProviderParts,
  url: string,
  form: URLSearchParams,
): Promise<Result<ProviderTokens, Refusal>> => {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    return judgeTokenAnswer(answer);
  } catch (thrown) {
    const detail = GatewayError.from(thrown).message;
    return refuse('temporarily_unavailable', 'The identity provider cannot be reached at the moment.', {
      detail,
    });
  }
};

/** The secret goes into the form: every provider takes it there, Entra's own examples have it so. */
export const createAskProvider =
  (parts: ProviderParts): AskProvider =>
  async ({ tenant, facade, issuer }, form) => {
    const body = new URLSearchParams({ ...form, client_id: facade.clientId });
    if (facade.secretName !== undefined) {
      const secret = await parts.secrets.read(tenant.id, facade.secretName);
      if (!secret.ok)
        return refuse('server_error', 'The gateway has no usable credential at the identity provider.', {
          detail: `secret ${secret.error}`,
        });
      body.set('client_secret', secret.value.reveal());
    }
    return post(parts, fillDirectory(facade.tokenEndpoint, issuer), body);
  };
