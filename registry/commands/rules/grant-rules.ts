// A grant must be about something that exists and give something.

import type { Grant } from '#core/grant.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { grantName } from '#registry/commands/resources.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

type Known = { readonly servers: ReadonlySet<string>; readonly issuers: ReadonlySet<string> };

const judgeGrant = (known: Known, grant: Grant): Fault[] => {
  const faults: Fault[] = [];
  if (!known.servers.has(grant.serverId))
    faults.push({ pointer: '/serverId', message: `server ${grant.serverId} does not exist` });
  for (const [index, { issuerId }] of grant.subjects.entries()) {
    if (issuerId !== undefined && !known.issuers.has(issuerId))
      faults.push({
        pointer: `/subjects/${index}/issuerId`,
        message: `issuer ${issuerId} does not exist`,
      });
  }
  if (grant.tools.length + grant.prompts.length + grant.resources.length === 0)
    faults.push({ pointer: '', message: 'a grant names at least one tool, prompt or resource' });
  return faults;
};

/** Every grant's server and issuers exist, and it gives something. */
export const grantRule: Rule = ({ servers, issuers, grants }) => {
  const known: Known = {
    servers: new Set(servers.map(({ id }) => id)),
    issuers: new Set(issuers.map(({ id }) => id)),
  };
  return grants.flatMap((grant) =>
    judgeGrant(known, grant).map((fault) => ({ ...fault, resource: grantName(grant.id) })),
  );
};
