// Callers whose directory is watched: each is noted, and none is let in while too little is known of the directory.

import { deny } from '#core/decision.ts';
import { err } from '#core/result.ts';
import type { Authenticator } from '#ext-authz/identity/authenticate.ts';
import type { GraphWatch } from '#ext-authz/revocation/graph-watch.ts';

/** The same authenticator for callers of watched directories; others it leaves as they are. */
export const watchCallers = (
  authenticator: Pick<Authenticator, 'authenticate'>,
  watch: Pick<GraphWatch, 'note' | 'isStale'>,
): Pick<Authenticator, 'authenticate'> => ({
  authenticate: async (call) => {
    const caller = await authenticator.authenticate(call);
    if (!caller.ok) return caller;
    const { identity } = caller.value;
    // Noted also when refused: they are who is to be looked at when Graph is back.
    watch.note(call.tenant.id, identity);
    const isStale = watch.isStale(call.tenant.id, identity, call.nowSeconds);
    return isStale ? err(deny('directory_stale', { log: { directory: identity.tid ?? null } })) : caller;
  },
});
