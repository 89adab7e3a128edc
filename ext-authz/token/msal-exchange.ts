// One exchange built by MSAL. A client per exchange, never kept: MSAL's cache is keyed without the assertion, scans
// linearly, and hands one user's throttling to the next. So MSAL writes the request, and only that.

import { ConfidentialClientApplication, LogLevel } from '@azure/msal-node';
import { err } from '#core/result.ts';
import type { ExchangeRequest, Exchanger } from '#ext-authz/token/exchanger.ts';
import { tokenFromAnswer } from '#ext-authz/token/provider-answer.ts';
import { createProviderNetwork } from '#ext-authz/token/provider-network.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';

/** A cloud whose metadata MSAL has built in; the network module sends the request to the issuer's endpoint. */
const KNOWN_AUTHORITY = 'https://login.microsoftonline.com';

export type MsalOptions = { readonly fetch: EgressGuard['fetch']; readonly timeoutMs?: number };

type Acquire = (client: ConfidentialClientApplication, request: ExchangeRequest) => Promise<unknown>;

/** MSAL's own code only: its message may quote the provider's description, which names users. */
const errorCodeOf = (thrown: unknown): string => {
  const code = (thrown as { errorCode?: unknown } | null)?.errorCode;
  return typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : 'unknown_error';
};

/**
 * An exchanger that lets MSAL write the request.
 * @param acquire the one MSAL call; its result is not read, the provider's own answer is.
 */
export const createMsalExchanger =
  (options: MsalOptions, acquire: Acquire): Exchanger =>
  async (request) => {
    const network = createProviderNetwork({ ...options, tokenEndpoint: request.tokenEndpoint });
    let rejection: string | undefined;
    try {
      const client = new ConfidentialClientApplication({
        auth: {
          clientId: request.clientId,
          authority: `${KNOWN_AUTHORITY}/${request.directory}`,
          clientSecret: request.clientSecret.reveal(),
        },
        system: {
          networkClient: network.module,
          disableInternalRetries: true,
          // MSAL's log could quote a request; nothing of it is wanted.
          loggerOptions: {
            logLevel: LogLevel.Error,
            piiLoggingEnabled: false,
            loggerCallback: () => undefined,
          },
        },
      });
      await acquire(client, request);
    } catch (thrown) {
      rejection = errorCodeOf(thrown);
    }
    const heard = network.heard();
    if (heard === undefined) return err({ kind: 'unsent', detail: rejection ?? 'no request was made' });
    if ('kind' in heard) return err(heard);
    const answer = tokenFromAnswer(heard, request.nowSeconds);
    return answer.ok && rejection !== undefined ? err({ kind: 'unreadable', status: heard.status }) : answer;
  };
