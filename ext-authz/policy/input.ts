// What a policy is asked, made from what ext-authz knows: lean, because turning JSON in and out is most of what an
// evaluation costs. Knows nothing of Rego or WASM. Pure. The same shape is policies/input.schema.json.

import { type Deny, deny } from '#core/decision.ts';
import { findTool } from '#core/find-tool.ts';
import type { Identity } from '#core/identity.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { McpCall, McpListKind } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ArgumentConstraint, McpServer, ServerVersion, Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { type GrantPart, withCalledNames } from '#ext-authz/policy/called-names.ts';
import { findGrants } from '#ext-authz/policy/grant-index.ts';
import { findByPointer, findVariantOnPath, parsePointer } from '#ext-authz/policy/json-pointer.ts';

export type RequestFacts = {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly ip?: string | undefined;
  readonly session?: string | undefined;
  /** Id of the request, by which what is logged of it elsewhere is found. */
  readonly id?: string | undefined;
};

export type PolicyQuestion = {
  readonly tenant: Tenant;
  readonly server: McpServer;
  /** The version the call is judged by and routed to. */
  readonly version: ServerVersion;
  readonly identity: Identity;
  readonly call: McpCall;
  readonly request: RequestFacts;
};

export type PolicyInput = JsonObject;

const present = (fields: Readonly<Record<string, Json | undefined>>): JsonObject => {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  return kept;
};

const identityPart = (identity: Identity): JsonObject => {
  const { issuer, issuerId, relation, subject, tid, oid, kind, app, actor, agent } = identity;
  const { guest, groups, roles, scopes, assurance } = identity;
  const who = { issuer, issuerId, relation, subject, tid, oid, kind, app, actor, agent };
  return present({ ...who, guest, groups, roles, scopes, assurance });
};

const toolFacts = ({ name, annotations, tags, requiredScopes }: Tool): JsonObject =>
  present({ name, annotations, tags, requiredScopes });

const limitFacts = (limit: ArgumentConstraint): JsonObject => {
  const { name, pointer, oneOf, maximum, maxLength, prefix, exceptGroups } = limit;
  return present({ name, pointer, oneOf, maximum, maxLength, prefix, exceptGroups });
};

/** Scopes of the binding by which the token was accepted; a tool's own come on top. */
const bindingScopes = ({ server, identity }: PolicyQuestion): readonly string[] => {
  const { issuerId, audience } = identity;
  const matching = server.bindings.filter(
    (binding) => binding.issuerId === issuerId && binding.audiences.includes(audience),
  );
  return [...new Set(matching.flatMap((binding) => binding.requiredScopes))];
};

/**
 * Kinds of lists the answer may hold: a list method's own; on the legacy GET stream all of them, because a resumed
 * stream can repeat the answer to an earlier list call.
 */
export const listKinds = (call: McpCall): readonly McpListKind[] => {
  if (call.list !== undefined) return [call.list];
  return call.kind === 'stream' ? ['tools', 'prompts', 'resources', 'resourceTemplates'] : [];
};

const serverPart = (question: PolicyQuestion): JsonObject =>
  present({
    id: question.server.id,
    version: question.version.version,
    requiredScopes: bindingScopes(question),
  });

const grantsPart = ({ tenant, server, identity }: PolicyQuestion): readonly GrantPart[] =>
  findGrants(tenant, server.id, identity).map(({ id, subjects, tools, prompts, resources }) => ({
    id,
    subjects,
    tools,
    prompts,
    resources,
  }));

/** What of an input stays as it is while neither the caller's token nor the server nor the grants change. */
type Standing = {
  /** Held weakly: a caller who does not come back must not keep the grants of his day, and all indexes of them. */
  readonly of: readonly [WeakRef<McpServer>, WeakRef<ServerVersion>, WeakRef<Tenant['grants']>];
  readonly parts: {
    readonly identity: JsonObject;
    readonly server: JsonObject;
    readonly grants: readonly GrantPart[];
  };
};

/** Callers whose standing is kept, about a kilobyte each; when it is full it begins anew. */
const MAX_STANDINGS = 5_000;

const standings = new Map<Identity, Standing>();

const isOf = ({ of }: Standing, { server, version, tenant }: PolicyQuestion): boolean =>
  of[0].deref() === server && of[1].deref() === version && of[2].deref() === tenant.grants;

/**
 * What of the call's input hangs on nothing but the caller's token, the server, its version and the tenant's grants: the very
 * same object for as long as these are, and as it is kept.
 */
export const lastingParts = (question: PolicyQuestion): Standing['parts'] => {
  const { tenant, server, version, identity } = question;
  const known = standings.get(identity);
  if (known !== undefined && isOf(known, question)) return known.parts;
  const parts = {
    identity: identityPart(identity),
    server: serverPart(question),
    grants: grantsPart(question),
  };
  if (standings.size >= MAX_STANDINGS) standings.clear();
  const of = [new WeakRef(server), new WeakRef(version), new WeakRef(tenant.grants)] as const;
  standings.set(identity, { of, parts });
  return parts;
};

/** A list is told which tools there are; nothing else is. */
const withTools = (server: JsonObject, { version, call }: PolicyQuestion): JsonObject =>
  listKinds(call).includes('tools') ? { ...server, tools: version.tools.map(toolFacts) } : server;

/** The pinned tool the call names; none if it names none or one that is not pinned in this version. */
const calledTool = ({ version, call }: PolicyQuestion): Tool | undefined => {
  const name = call.targets.find((target) => target.kind === 'tool')?.name;
  return name === undefined ? undefined : findTool(version, name);
};

const limitsOf = (server: McpServer, tool: Tool | undefined): readonly ArgumentConstraint[] =>
  tool === undefined ? [] : server.constraints.filter((limit) => limit.tool === tool.name);

const toolParts = new WeakMap<
  Tool,
  { readonly limits: McpServer['constraints']; readonly part: JsonObject }
>();

const toolPart = (server: McpServer, tool: Tool): JsonObject => {
  const known = toolParts.get(tool);
  if (known?.limits === server.constraints) return known.part;
  const constraints = limitsOf(server, tool).map(limitFacts);
  const part = { ...toolFacts(tool), constraints };
  toolParts.set(tool, { limits: server.constraints, part });
  return part;
};

/** Whether a limit looks at the arguments of the call. */
export const hasLimits = ({ server, call }: Pick<PolicyQuestion, 'server' | 'call'>): boolean =>
  call.targets.some(
    ({ kind, name }) => kind === 'tool' && server.constraints.some(({ tool }) => tool === name),
  );

// `1e400` reads as Infinity and would be sent on as null, which a limit may allow, while the server gets 1e400.
const isExact = (value: Json): boolean => {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every((member: Json) => isExact(member));
};

const argumentsInvalid = (...members: readonly string[]): Result<never, Deny> => {
  const field = ['params.arguments', ...members].join('.').slice(0, 128);
  return err(deny('params_invalid', { public: { field } }));
};

type Values = Readonly<Record<string, Json>>;

/** What each limit's pointer leads to; a pointer that leads nowhere is left out. */
const resolveValues = (
  limits: readonly ArgumentConstraint[],
  callArguments: JsonObject,
): Result<Values, Deny> => {
  const values: [string, Json][] = [];
  for (const { name, pointer } of limits) {
    const tokens = parsePointer(pointer);
    if (!tokens.ok) return err(deny('policy_failed', { log: { constraint: name, fault: tokens.error } }));
    const variant = findVariantOnPath(callArguments, tokens.value);
    if (variant !== undefined) return argumentsInvalid(variant);
    const value = findByPointer(callArguments, tokens.value);
    if (value === undefined) continue;
    if (!isExact(value)) return argumentsInvalid();
    values.push([pointer, value]);
  }
  return ok(Object.fromEntries(values));
};

/** A list shows names that nobody called, so it is told them all. */
const grantsTold = (
  grants: readonly GrantPart[],
  call: McpCall,
  options: { readonly calledNamesOnly?: boolean },
): readonly GrantPart[] =>
  options.calledNamesOnly === true && listKinds(call).length === 0
    ? withCalledNames(grants, call.targets)
    : grants;

/**
 * The input for one call.
 * @param options.withArguments whether the policy reads the arguments whole; otherwise only the values that
 *   constraints point at are sent. `calledNamesOnly`: the policy looks up in grants what is called and nothing else, so
 *   other names are left out of them.
 * @returns the input; or params_invalid for a number no policy could judge, or for a constrained argument written in
 *   another case; or policy_failed for a constraint whose
 *   pointer cannot be read.
 */
export const buildPolicyInput = (
  question: PolicyQuestion,
  options: { readonly withArguments: boolean; readonly calledNamesOnly?: boolean },
): Result<PolicyInput, Deny> => {
  const { tenant, server, call, request } = question;
  const tool = calledTool(question);
  const limits = limitsOf(server, tool);
  const values = resolveValues(limits, call.arguments);
  if (!values.ok) return values;
  const sentArguments = options.withArguments ? call.arguments : undefined;
  if (sentArguments !== undefined && !isExact(sentArguments)) {
    return argumentsInvalid();
  }
  const { kind, method, list, targets } = call;
  const { ip, session, id } = request;
  const parts = lastingParts(question);
  return ok(
    present({
      tenant: tenant.id,
      identity: parts.identity,
      server: withTools(parts.server, question),
      tool: tool && toolPart(server, tool),
      grants: grantsTold(parts.grants, call, options) as unknown as JsonObject,
      call: present({ kind, method, list, targets, arguments: sentArguments, values: values.value }),
      request: present({ time: new Date(request.nowMs).toISOString(), ip, session, id }),
    }),
  );
};
