// Authorization code with PKCE (RFC 6749 §4.1, RFC 7636): what MCP clients do. The person has signed in already.

import { err, ok } from '#core/result.ts';
import { isVerifierOf } from '#demo/mini-entra/codes.ts';
import type { Grant } from '#demo/mini-entra/grants/grant.ts';

/** AADSTS900144, 70008 (spent, late or unknown), 70000 (of another client or place), 50148 (verifier), 9010010 (resource). */
export const authorizationCode: Grant = async ({ codes, client, directory, form, requested, nowSeconds }) => {
  const code = form.get('code');
  if (code === undefined) return err({ code: 900144 });
  const facts = codes.redeem(code, nowSeconds);
  if (facts === undefined) return err({ code: 70008 });
  const isSamePlace = facts.tid === directory.tid && facts.redirectUri === form.get('redirect_uri');
  if (facts.client !== client || !isSamePlace) return err({ code: 70000 });
  if (!isVerifierOf(facts.challenge, form.get('code_verifier'))) return err({ code: 50148 });
  const { resource } = facts;
  if (resource !== form.get('resource') || (resource !== undefined && resource !== requested.named))
    return err({ code: 9010010 });
  return ok({
    user: facts.user,
    signedIn: { facts, atSeconds: nowSeconds },
    ...(facts.claims === undefined ? {} : { claims: facts.claims }),
  });
};
