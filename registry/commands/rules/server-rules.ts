// What ties a server to its issuers, also those that are to give the token it is sent.

import type { IssuerKind, TrustedIssuer } from '#core/issuer.ts';
import type { McpServer, TokenMode, UpstreamAuth } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { serverName } from '#registry/commands/resources.ts';
import { type LocatedFault, type Rule, repeated } from '#registry/commands/rules/rule.ts';

const located = (server: McpServer, faults: readonly Fault[]): LocatedFault[] =>
  faults.map((fault) => ({ ...fault, resource: serverName(server.id) }));

type ExchangingMode = Exclude<TokenMode, 'none' | 'static'>;

/** Kinds of issuers that know how to. */
const KINDS_FOR: Readonly<Record<ExchangingMode, readonly IssuerKind[]>> = {
  obo: ['entra'],
  'token-exchange': ['oidc'],
  'client-credentials': ['entra', 'oidc'],
};

const judgeIssuer = (
  issuer: TrustedIssuer,
  { mode, scopes }: UpstreamAuth & { readonly mode: ExchangingMode },
): string | undefined => {
  const named = `issuer ${issuer.id}`;
  if (!KINDS_FOR[mode].includes(issuer.kind))
    return `${named} is of kind ${issuer.kind}: mode ${mode} needs kind ${KINDS_FOR[mode].join(' or ')}`;
  if (issuer.tokenEndpoint === undefined) return `${named} has no tokenEndpoint to ask`;
  return issuer.kind === 'entra' && scopes.length === 0
    ? `${named} is of kind entra, where the scopes name the resource, and there are none`
    : undefined;
};

const judgeExchange = (
  tenant: Tenant,
  { upstreamAuth, bindings }: McpServer,
  index: number,
): readonly Fault[] => {
  const { mode } = upstreamAuth;
  const binding = bindings[index];
  if (mode === 'none' || mode === 'static' || binding === undefined) return [];
  const at = `/bindings/${index}`;
  const issuer = findIssuer(tenant, binding.issuerId);
  const fault = issuer === undefined ? undefined : judgeIssuer(issuer, { ...upstreamAuth, mode });
  return [
    ...(binding.oboApplication === undefined
      ? [
          {
            pointer: `${at}/oboApplication`,
            message: 'an upstream token can only be obtained by an application of this audience',
          },
        ]
      : []),
    ...(fault === undefined ? [] : [{ pointer: `${at}/issuerId`, message: fault }]),
  ];
};

const judgeBinding = (tenant: Tenant, server: McpServer, index: number): Fault[] => {
  const binding = server.bindings[index];
  if (binding === undefined) return [];
  const at = `/bindings/${index}`;
  const unknown: Fault[] =
    findIssuer(tenant, binding.issuerId) === undefined
      ? [{ pointer: `${at}/issuerId`, message: `issuer ${binding.issuerId} does not exist` }]
      : [];
  return [...unknown, ...judgeExchange(tenant, server, index)];
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
