// A server's own secret, the same for every caller, out of its file. It is in no cache but this process's memory, and there
// for a few seconds: calls are many, and a secret that was changed is to be used soon.

import { LRUCache } from 'lru-cache';
import { type Deny, deny } from '#core/decision.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { isVisibleAscii } from '#core/visible-ascii.ts';
import type { StaticPlan } from '#ext-authz/token/exchange-plan.ts';
import type { SecretStore } from '#runtime/secret-files.ts';

/** How long a secret is sent that is in its file no more. */
const KEPT_SECONDS = 5;

/** Secrets held at once. */
const MAX_ENTRIES = 1_000;

export type StaticToken = {
  readonly token: Secret;
  readonly source: 'static';
  readonly header?: string;
};

type Asking = { readonly tenant: Tenant; readonly server: McpServer; readonly nowSeconds: number };

export type StaticTokens = {
  /** The secret of a plan; `exchange_misconfigured` with the fault of its file, which is looked at again at once. */
  read(plan: StaticPlan, asking: Asking): Promise<Result<StaticToken, Deny>>;
};

/** Has read nothing yet. */
export const createStaticTokens = (secrets: SecretStore): StaticTokens => {
  const known = new LRUCache<string, { readonly token: Secret; readonly at: number }>({ max: MAX_ENTRIES });

  const find = async ({ secretName }: StaticPlan, { tenant, nowSeconds }: Asking) => {
    const key = JSON.stringify([tenant.id, secretName]);
    const held = known.get(key);
    // Counted both ways, as a clock may be set back.
    if (held !== undefined && Math.abs(nowSeconds - held.at) < KEPT_SECONDS) return ok(held.token);
    const text = await secrets.read(tenant.id, secretName);
    if (text.ok && !isVisibleAscii(text.value.reveal())) return err('not_visible_ascii');
    if (text.ok) known.set(key, { token: text.value, at: nowSeconds });
    return text;
  };

  return {
    read: async (plan, asking) => {
      const token = await find(plan, asking);
      if (!token.ok)
        return err(deny('exchange_misconfigured', { log: { secret: plan.secretName, fault: token.error } }));
      const { header } = plan;
      return ok({ token: token.value, source: 'static', ...(header === undefined ? {} : { header }) });
    },
  };
};
