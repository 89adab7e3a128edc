// Addresses of the provider with a directory filled in, and the address it sends people back to. Pure.

import { acceptedIssuers, DIRECTORY_PLACEHOLDER } from '#core/issuer.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';

/** Where several directories may sign in, Entra finds out by itself whose somebody is; the gateway judges the token's. */
const ANY_DIRECTORY = 'organizations';

export const fillDirectory = (
  template: string,
  { directoryTenants }: { readonly directoryTenants: readonly string[] },
): string => {
  const [only = ANY_DIRECTORY] = directoryTenants;
  return template.replaceAll(DIRECTORY_PLACEHOLDER, directoryTenants.length === 1 ? only : ANY_DIRECTORY);
};

/**
 * Registered at the provider. Each issuer has one of its own, so that an answer of one provider cannot come in where another's
 * is awaited, whether it names itself or not (RFC 9700 §4.4.2.2).
 */
export const callbackUrl = ({ url }: Pick<Fronted, 'url'>): string => `${url}/callback`;

/** Whether an `iss` beside a code (RFC 9207) is the provider's; one that is not there is, too. */
export const isProvider = ({ issuer }: Pick<Fronted, 'issuer'>, iss: string | undefined): boolean =>
  iss === undefined || acceptedIssuers(issuer).includes(iss);
