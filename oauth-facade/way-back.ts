// Addresses that lead back to a client: its own redirect URI with a code or an error, its state, and who answers (RFC 9207).
// Only for clients a person has consented to. Pure.

import type { Authorization } from '#oauth-facade/authorize/authorization.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import type { Refusal } from '#oauth-facade/refusal.ts';

const back = (
  { url }: Pick<Fronted, 'url'>,
  { redirectUri, state }: Pick<Authorization, 'redirectUri' | 'state'>,
  answer: Readonly<Record<string, string>>,
): string => {
  const address = new URL(redirectUri);
  const query = { ...answer, ...(state === undefined ? {} : { state }), iss: url };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address.href;
};

export const codeBack = (fronted: Fronted, authorization: Authorization, code: string): string =>
  back(fronted, authorization, { code });

export const refusedBack = (
  fronted: Fronted,
  authorization: Authorization,
  { error, sentence }: Refusal,
): string => back(fronted, authorization, { error, error_description: sentence });
