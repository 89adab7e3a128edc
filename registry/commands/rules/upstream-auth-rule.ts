// What a server says of the token it is sent, held against its mode: each member means something, and there is one resource
// behind it. Whether its issuers can give such a token is judged with its bindings.

import type { TokenMode, UpstreamAuth } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

type Member = Exclude<keyof UpstreamAuth, 'mode' | 'scopes' | 'appOnly'>;

/** Modes in which a member says anything. `resource` in mode obo would be a second name for what the scopes name. */
const MODES_OF: Readonly<Record<Member, readonly TokenMode[]>> = {
  resource: ['token-exchange', 'client-credentials'],
  tokenAudience: ['obo', 'token-exchange', 'client-credentials'],
  actor: ['token-exchange'],
  secret: ['static'],
};

const judgeMembers = (auth: UpstreamAuth): readonly Fault[] =>
  (Object.keys(MODES_OF) as Member[])
    .filter((member) => auth[member] !== undefined && !MODES_OF[member].includes(auth.mode))
    .map((member) => ({
      pointer: `/upstreamAuth/${member}`,
      message: `says nothing in mode ${auth.mode}, only in ${MODES_OF[member].join(', ')}`,
    }));

/** What a scope belongs to: `api://tracker` of `api://tracker/read`; a bare scope stands for itself. */
const resourceOf = (scope: string): string =>
  scope.includes('/') ? scope.slice(0, scope.lastIndexOf('/')) : '';

const judgeScopes = ({ mode, scopes, resource }: UpstreamAuth): readonly Fault[] => {
  const pointer = '/upstreamAuth/scopes';
  if (mode === 'none' || mode === 'static')
    return scopes.length === 0
      ? []
      : [{ pointer, message: `mode ${mode} asks for no token, so for no scope` }];
  if (scopes.length === 0 && resource === undefined)
    return [{ pointer, message: `mode ${mode} needs the scopes to ask for` }];
  // One resource, or a token meant for one service would be asked for under another's name.
  return new Set(scopes.map(resourceOf)).size <= 1
    ? []
    : [{ pointer, message: 'all scopes must belong to the one resource behind this server' }];
};

const judgeNeeds = ({ mode, resource, secret }: UpstreamAuth): readonly Fault[] => {
  if (mode === 'static' && secret === undefined)
    return [{ pointer: '/upstreamAuth/secret', message: 'mode static needs the secret to send' }];
  if (mode === 'token-exchange' && resource === undefined)
    return [
      {
        pointer: '/upstreamAuth/resource',
        message: 'mode token-exchange needs the resource that the token is to be for',
      },
    ];
  return [];
};

/** The token sent upstream is for the one resource behind the server. */
export const upstreamAuthRule: Rule = eachServer(({ upstreamAuth }) => [
  ...judgeMembers(upstreamAuth),
  ...judgeNeeds(upstreamAuth),
  ...judgeScopes(upstreamAuth),
]);
