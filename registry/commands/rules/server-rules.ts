// What ties a server to its issuers and to the token it sends upstream.

import type { IssuerBinding, McpServer } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { serverName } from '#registry/commands/resources.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import { type LocatedFault, type Rule, repeated } from '#registry/commands/rules/rule.ts';

const located = (server: McpServer, faults: readonly Fault[]): LocatedFault[] =>
  faults.map((fault) => ({ ...fault, resource: serverName(server.id) }));

const judgeExchange = (tenant: Tenant, binding: IssuerBinding, at: string): Fault[] => {
  const faults: Fault[] = [];
  if (binding.oboApplication === undefined)
    faults.push({
      pointer: `${at}/oboApplication`,
      message: 'an upstream token can only be obtained by an application of this audience',
    });
  const issuer = findIssuer(tenant, binding.issuerId);
  if (issuer !== undefined && issuer.kind !== 'entra')
    faults.push({
      pointer: `${at}/issuerId`,
      message: `issuer ${issuer.id} is of kind ${issuer.kind}: only kind entra exchanges tokens`,
    });
  else if (issuer !== undefined && issuer.tokenEndpoint === undefined)
    faults.push({ pointer: `${at}/issuerId`, message: `issuer ${issuer.id} has no tokenEndpoint to ask` });
  return faults;
};

const judgeBinding = (tenant: Tenant, server: McpServer, index: number): Fault[] => {
  const binding = server.bindings[index];
  if (binding === undefined) return [];
  const at = `/bindings/${index}`;
  const unknown: Fault[] =
    findIssuer(tenant, binding.issuerId) === undefined
      ? [{ pointer: `${at}/issuerId`, message: `issuer ${binding.issuerId} does not exist` }]
      : [];
  return server.upstreamAuth.mode === 'none' ? unknown : [...unknown, ...judgeExchange(tenant, binding, at)];
};

/** Every issuer a server accepts exists, is named once, and can exchange tokens where the server's mode needs it. */
export const bindingRule: Rule = (tenant) =>
  tenant.servers.flatMap((server) =>
    located(server, [
      ...server.bindings.flatMap((_, index) => judgeBinding(tenant, server, index)),
      ...repeated(server.bindings.map((binding) => binding.issuerId)).map((issuerId) => ({
        pointer: '/bindings',
        message: `issuer ${issuerId} is bound twice: give one binding several audiences instead`,
      })),
    ]),
  );

/** What a scope belongs to: `api://tracker` of `api://tracker/read`; a bare scope stands for itself. */
const resourceOf = (scope: string): string =>
  scope.includes('/') ? scope.slice(0, scope.lastIndexOf('/')) : '';

const judgeScopes = ({ mode, scopes }: McpServer['upstreamAuth']): Fault[] => {
  const pointer = '/upstreamAuth/scopes';
  if (mode === 'none')
    return scopes.length === 0 ? [] : [{ pointer, message: 'mode none asks for no token, so for no scope' }];
  if (scopes.length === 0) return [{ pointer, message: `mode ${mode} needs the scopes to ask for` }];
  // One resource, or a token meant for one service would be asked for under another's name.
  return new Set(scopes.map(resourceOf)).size === 1
    ? []
    : [{ pointer, message: 'all scopes must belong to the one resource behind this server' }];
};

/** The token sent upstream is for the one resource behind the server. */
export const upstreamAuthRule: Rule = eachServer((server) => judgeScopes(server.upstreamAuth));
