// Refresh token (RFC 6749 §6): the same person goes on, at the same client, for what was consented to.

import { err, ok } from '#core/result.ts';
import { type Grant, hasConsent } from '#demo/mini-entra/grants/grant.ts';

/** AADSTS900144, 70000 (unknown, or of another client), 50057, 50173, 9010010 (resource), 65001. */
export const refreshToken: Grant = async ({ world, refreshTokens, client, directory, form, requested }) => {
  const token = form.get('refresh_token');
  if (token === undefined) return err({ code: 900144 });
  const signedIn = refreshTokens.find(token);
  if (signedIn === undefined || signedIn.facts.client !== client || signedIn.facts.tid !== directory.tid)
    return err({ code: 70000 });
  const { user } = signedIn.facts;
  if (!world.isEnabled(user)) return err({ code: 50057 });
  if (signedIn.atSeconds < world.sessionsValidFrom(user)) return err({ code: 50173 });
  const resource = form.get('resource');
  if (resource !== undefined && resource !== requested.named) return err({ code: 9010010 });
  return hasConsent(client, requested.resource) ? ok({ user, signedIn }) : err({ code: 65001 });
};
