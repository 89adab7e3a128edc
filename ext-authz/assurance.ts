// Whether the person behind a call has signed in surely enough for it: what the binding asks of its issuer's tokens, held
// against what the token says. Pure. How the client is told is in response/challenge.ts.

import { type Deny, deny, type PublicFacts } from '#core/decision.ts';
import { heldScopes } from '#core/held-scopes.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { AssuranceRule, McpServer } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';

type Asked = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  readonly identity: Identity;
  readonly call: McpCall;
};

/** What is said inside a WebSocket nobody sees: whoever opens one has to be good for every tool. */
const isFor = ({ tools }: AssuranceRule, { kind, targets }: McpCall): boolean =>
  tools === undefined ||
  kind === 'upgrade' ||
  targets.some((target) => target.kind === 'tool' && tools.includes(target.name));

const findUnmet = ({ server, identity, call }: Asked): AssuranceRule | undefined =>
  server.bindings
    .filter(
      ({ issuerId, audiences }) => issuerId === identity.issuerId && audiences.includes(identity.audience),
    )
    .flatMap(({ requiredAssurance = [] }) => requiredAssurance)
    .find((rule) => isFor(rule, call) && !rule.anyOf.some((value) => identity.assurance.includes(value)));

/** Entra's claims challenge (base64 of its JSON), for the context that is asked for first. */
const claimsFor = ({ anyOf: [value] }: AssuranceRule): string =>
  Buffer.from(JSON.stringify({ access_token: { acrs: { essential: true, value } } })).toString('base64');

/** Entra knows no `acr_values`, and a client that did not say it can answer claims would come back with the same token. */
const askFor = (rule: AssuranceRule, { tenant, identity }: Asked): PublicFacts => {
  if (findIssuer(tenant, identity.issuerId)?.kind !== 'entra') return { acrValues: rule.anyOf };
  return identity.claimsChallenges ? { claims: claimsFor(rule) } : {};
};

/**
 * @returns undefined where every rule for the call is met; assurance_insufficient with what to ask for; app_only_refused for
 * an application, which never signs in and must not be the way around a person who would have to.
 */
export const judgeAssurance = (asked: Asked): Deny | undefined => {
  const unmet = findUnmet(asked);
  if (unmet === undefined) return undefined;
  const log = { needed: unmet.anyOf, held: asked.identity.assurance };
  return asked.identity.kind === 'app'
    ? deny('app_only_refused', { log })
    : deny('assurance_insufficient', {
        public: { ...askFor(unmet, asked), heldScopes: heldScopes(asked.server, asked.identity) },
        log,
      });
};
