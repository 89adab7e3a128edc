// One exchange built by MSAL. A client per exchange, never kept: MSAL's cache is keyed without the assertion, scans
// linearly, and hands one user's throttling to the next. So MSAL writes the request, and only that; assertions of
// certificates are signed without it, because it would address them to the cloud it thinks it speaks to.

import { ConfidentialClientApplication, type INetworkModule, LogLevel } from '@azure/msal-node';
import { err } from '#core/result.ts';
import { assertionOf } from '#ext-authz/token/client-authentication.ts';
import type { ExchangeRequest, Exchanger } from '#ext-authz/token/exchanger.ts';
import { tokenFromAnswer } from '#ext-authz/token/provider-answer.ts';
import { createProviderNetwork } from '#ext-authz/token/provider-network.ts';
import type { EndpointOptions } from '#ext-authz/token/token-endpoint.ts';

/** A cloud whose metadata MSAL has built in; the network module sends the request to the issuer's endpoint. */
const KNOWN_AUTHORITY = 'https://login.microsoftonline.com';

type Acquire = (client: ConfidentialClientApplication, request: ExchangeRequest) => Promise<unknown>;

/** MSAL's own code only: its message may quote the provider's description, which names users. */
const errorCodeOf = (thrown: unknown): string => {
  const code = (thrown as { errorCode?: unknown } | null)?.errorCode;
  return typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : 'unknown_error';
};

const credentialFor = async (request: ExchangeRequest) =>
  request.credential.kind === 'secret'
    ? { clientSecret: request.credential.secret.reveal() }
    : { clientAssertion: (await assertionOf(request.credential, request)).reveal() };

const clientFor = async (request: ExchangeRequest, networkClient: INetworkModule) =>
  new ConfidentialClientApplication({
    auth: {
      clientId: request.plan.application.clientId,
      authority: `${KNOWN_AUTHORITY}/${request.plan.directory ?? ''}`,
      ...(await credentialFor(request)),
    },
    system: {
      networkClient,
      disableInternalRetries: true,
      // MSAL's log could quote a request; nothing of it is wanted.
      loggerOptions: {
        logLevel: LogLevel.Error,
        piiLoggingEnabled: false,
        loggerCallback: () => undefined,
      },
    },
  });

/**
 * An exchanger that lets MSAL write the request.
 * @param acquire the one MSAL call; its result is not read, the provider's own answer is.
 */
export const createMsalExchanger =
  (options: EndpointOptions, acquire: Acquire): Exchanger =>
  async (request) => {
    const network = createProviderNetwork({ ...options, tokenEndpoint: request.plan.tokenEndpoint });
    let rejection: string | undefined;
    try {
      await acquire(await clientFor(request, network.module), request);
    } catch (thrown) {
      rejection = errorCodeOf(thrown);
    }
    const heard = network.heard();
    if (heard === undefined) return err({ kind: 'unsent', detail: rejection ?? 'no request was made' });
    if (!heard.ok) return heard;
    const answer = tokenFromAnswer(heard.value, request.nowSeconds);
    return answer.ok && rejection !== undefined
      ? err({ kind: 'unreadable', status: heard.value.status })
      : answer;
  };
