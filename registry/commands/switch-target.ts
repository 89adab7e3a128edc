// What a kill switch is thrown for: from the fields that were sent to a target, and whether a tenant has such a thing.
// A caller nobody has seen yet is fine; a server, tool or issuer that is not there is a slip.

import { acceptedIssuers } from '#core/issuer.ts';
import type { SwitchTarget } from '#core/kill-switch.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findIssuer, findServer, type Tenant } from '#core/tenant.ts';
import type { Fault } from '#registry/commands/outcome.ts';

/** A target as it is sent. */
export type SentTarget = {
  readonly kind: SwitchTarget['kind'];
  readonly serverId?: string;
  readonly tool?: string;
  readonly principal?: string;
  readonly id?: string;
  readonly clientId?: string;
  readonly issuerId?: string;
};

type Field = Exclude<keyof SentTarget, 'kind'>;
type Form = { readonly required: readonly Field[]; readonly optional?: readonly Field[] };

const FORMS: Readonly<Record<SwitchTarget['kind'], Form>> = {
  tenant: { required: [] },
  server: { required: ['serverId'] },
  tool: { required: ['serverId', 'tool'] },
  principal: { required: ['id'], optional: ['issuerId'] },
  application: { required: ['clientId'], optional: ['issuerId'] },
};

/** The other form of a principal: in full, as the decision log shows it. */
const IN_FULL: Form = { required: ['principal'] };

const formOf = ({ kind, principal }: SentTarget): Form =>
  kind === 'principal' && principal !== undefined ? IN_FULL : FORMS[kind];

const judgeFields = (sent: SentTarget): readonly Fault[] => {
  const { required, optional = [] } = formOf(sent);
  const { kind, ...fields } = sent;
  const given = Object.keys(fields) as Field[];
  const missing = required.filter((field) => sent[field] === undefined);
  const foreign = given.filter((field) => ![...required, ...optional].includes(field));
  return [
    ...missing.map((field) => ({ pointer: `/target/${field}`, message: `is required for kind ${kind}` })),
    ...foreign.map((field) => ({ pointer: `/target/${field}`, message: `does not belong to this ${kind}` })),
  ];
};

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Directories write GUIDs in lower case, people and portals also in upper case; compared is what tokens hold. */
const asInTokens = (id: string): string => (GUID.test(id) ? id.toLowerCase() : id);

/** [issuer, directory, object id] or [issuer, subject], as `principalKey` of core/identity.ts writes them. */
const readPrincipal = (text: string): readonly string[] | undefined => {
  try {
    const parts: unknown = JSON.parse(text);
    const isKey =
      Array.isArray(parts) &&
      (parts.length === 2 || parts.length === 3) &&
      parts.every((part) => typeof part === 'string' && part !== '');
    return isKey ? parts : undefined;
  } catch {
    return undefined;
  }
};

const parsePrincipal = (text: string): Result<SwitchTarget, readonly Fault[]> => {
  const parts = readPrincipal(text);
  if (parts !== undefined) return ok({ kind: 'principal', principal: JSON.stringify(parts) });
  const message =
    'expected what the decision log shows as principal: ["issuer","directory","object id"] or ["issuer","subject"]';
  return err([{ pointer: '/target/principal', message }]);
};

const issuerPart = ({ issuerId }: SentTarget) => (issuerId === undefined ? {} : { issuerId });

/** The target that was meant; the error names every field that is missing or does not belong. */
export const parseTarget = (sent: SentTarget): Result<SwitchTarget, readonly Fault[]> => {
  const faults = judgeFields(sent);
  if (faults.length > 0) return err(faults);
  const { kind, serverId = '', tool = '', principal, id = '', clientId = '' } = sent;
  switch (kind) {
    case 'tenant':
      return ok({ kind });
    case 'server':
      return ok({ kind, serverId });
    case 'tool':
      return ok({ kind, serverId, tool });
    case 'principal':
      return principal === undefined
        ? ok({ kind, id: asInTokens(id), ...issuerPart(sent) })
        : parsePrincipal(principal);
    case 'application':
      return ok({ kind, clientId: asInTokens(clientId), ...issuerPart(sent) });
  }
};

const missing = (field: Field, what: string): readonly Fault[] => [
  { pointer: `/target/${field}`, message: `${what} does not exist` },
];

const judgeServer = (
  tenant: Tenant,
  target: Extract<SwitchTarget, { serverId: string }>,
): readonly Fault[] => {
  const server = findServer(tenant, target.serverId);
  if (server === undefined) return missing('serverId', `server ${target.serverId}`);
  if (target.kind === 'server') return [];
  const { tool } = target;
  return server.versions.some(({ tools }) => tools.some(({ name }) => name === tool))
    ? []
    : missing('tool', `a tool ${tool} in any version of server ${target.serverId}`);
};

const judgePrincipal = (tenant: Tenant, principal: string): readonly Fault[] => {
  const iss = readPrincipal(principal)?.[0] ?? '';
  const isKnown = tenant.issuers.some((issuer) => acceptedIssuers(issuer).includes(iss));
  return isKnown ? [] : missing('principal', `a trusted issuer of tokens of ${iss}`);
};

/** Faults of a target that names what the tenant does not have. */
export const judgeTarget = (tenant: Tenant, target: SwitchTarget): readonly Fault[] => {
  if (target.kind === 'tenant') return [];
  if (target.kind === 'server' || target.kind === 'tool') return judgeServer(tenant, target);
  if (target.kind === 'principal' && 'principal' in target) return judgePrincipal(tenant, target.principal);
  return target.issuerId === undefined || findIssuer(tenant, target.issuerId) !== undefined
    ? []
    : missing('issuerId', `issuer ${target.issuerId}`);
};
