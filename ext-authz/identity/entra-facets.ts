// Entra's claims of numbers about who acts: several values with blanks between, of which the unknown ones mean nothing yet.
// Pure.

import type { AgentRole } from '#core/identity.ts';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { parseScopes } from '#ext-authz/identity/claim-values.ts';

/** Values of `xms_act_fct` and `xms_sub_fct`. */
const AGENT = '11';
const ACCOUNT_OF_AN_AGENT = '13';

/** Value of `xms_idrel`. */
const GUEST = '5';

export type EntraFacets = {
  /** Absent: no AI agent, as far as the token says. */
  readonly agent?: AgentRole;
  readonly guest: boolean;
};

const agentOf = (actor: readonly string[], subject: readonly string[]): AgentRole | undefined => {
  if (subject.includes(ACCOUNT_OF_AN_AGENT)) return 'own-account';
  if (subject.includes(AGENT)) return 'alone';
  return actor.includes(AGENT) ? 'for-person' : undefined;
};

/** @returns what the facets say, or the name of a claim of another shape: what it hides could be an agent. */
export const readFacets = (payload: JsonObject): Result<EntraFacets, string> => {
  const actor = parseScopes(payload, 'xms_act_fct');
  const subject = parseScopes(payload, 'xms_sub_fct');
  const relation = parseScopes(payload, 'xms_idrel');
  if (!actor.ok) return err(actor.error);
  if (!subject.ok) return err(subject.error);
  if (!relation.ok) return err(relation.error);
  const agent = agentOf(actor.value, subject.value);
  return ok({ guest: relation.value.includes(GUEST), ...(agent === undefined ? {} : { agent }) });
};
