// How a token request says which application makes it: a secret in the header or in the form (RFC 6749 §2.3.1), or an
// assertion (RFC 7523 §2.2). Knows no grant.

import type { Secret } from '#core/secret.ts';
import { signClientAssertion } from '#ext-authz/token/client-assertion.ts';
import type { LoadedCredential } from '#ext-authz/token/credential.ts';
import type { ExchangeRequest } from '#ext-authz/token/exchanger.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** `application/x-www-form-urlencoded`, as RFC 6749 §2.3.1 has both parts of the credential. */
const formEncode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

/** The value of an Authorization header that holds a client's id and secret. */
export const basicCredential = (clientId: string, secret: Secret): string => {
  const pair = `${formEncode(clientId)}:${formEncode(secret.reveal())}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
};

/** The assertion of a credential that is no secret: signed here, or by whoever renews the file. */
export const assertionOf = async (
  credential: Exclude<LoadedCredential, { kind: 'secret' }>,
  { plan, nowSeconds }: Pick<ExchangeRequest, 'plan' | 'nowSeconds'>,
): Promise<Secret> =>
  credential.kind === 'federated'
    ? credential.assertion
    : signClientAssertion(credential, {
        clientId: plan.application.clientId,
        audience: plan.assertionAudience ?? plan.tokenEndpoint,
        nowSeconds,
      });

export type Authenticated = {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
};

/** What a request adds to itself to be the application's. */
export const authenticateRequest = async (request: ExchangeRequest): Promise<Authenticated> => {
  const { credential, plan } = request;
  const { clientId } = plan.application;
  if (credential.kind !== 'secret') {
    const assertion = await assertionOf(credential, request);
    return {
      headers: {},
      form: {
        client_id: clientId,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion.reveal(),
      },
    };
  }
  // Entra takes both, and its own libraries send the form: what they do is what is tried by everybody.
  const { sentBy = plan.directory === undefined ? 'basic' : 'post' } = credential;
  return sentBy === 'basic'
    ? { headers: { authorization: basicCredential(clientId, credential.secret) }, form: {} }
    : { headers: {}, form: { client_id: clientId, client_secret: credential.secret.reveal() } };
};
