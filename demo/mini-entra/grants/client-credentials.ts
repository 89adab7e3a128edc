// Client credentials (RFC 6749 §4.4): an application acts for itself.

import { err, ok } from '#core/result.ts';
import { isConfidential } from '#demo/directory.ts';
import { type Grant, hasConsent } from '#demo/mini-entra/grants/grant.ts';

/** AADSTS7000218 for a public client, 1002012 for anything but `/.default`, 501051 where no role was assigned. */
export const clientCredentials: Grant = async ({ client, requested }) => {
  if (!isConfidential(client)) return err({ code: 7000218 });
  if (!requested.isDefault) return err({ code: 1002012 });
  return hasConsent(client, requested.resource) ? ok({}) : err({ code: 501051 });
};
