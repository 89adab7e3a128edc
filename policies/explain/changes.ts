// What would turn a refusal into an allow: for each reason the one change that answers it, and the input as it would be
// then, so that it can be asked again. Nothing here is a promise; the policy is asked. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';

export type Change =
  | { readonly kind: 'grant'; readonly grant: JsonObject; readonly subjects: readonly JsonObject[] }
  | { readonly kind: 'pin'; readonly tool: string; readonly server: string; readonly version: string }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  | { readonly kind: 'limit'; readonly limit: JsonObject; readonly value: Json }
  | {
      readonly kind: 'rule';
      readonly constraint: string;
      readonly file: string;
      readonly line: number;
    };

export type NextStep = {
  readonly changes: readonly Change[];
  /** The input with the changes made; absent where nobody can say how it would look. */
  readonly input?: JsonObject;
};

const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
const strings = (value: Json | undefined): readonly string[] =>
  list(value).filter((item) => typeof item === 'string');

/** Subjects by which a grant would reach the caller; ids of whoever is no member need their issuer. */
const subjectsOf = (input: JsonObject): readonly JsonObject[] => {
  const identity = object(input['identity']);
  const isMember = identity['relation'] === 'home' && identity['guest'] === false;
  const issuer: JsonObject = isMember ? {} : { issuerId: String(identity['issuerId'] ?? '') };
  const of = (kind: string, ids: readonly string[]) => ids.map((id) => ({ kind, id, ...issuer }));
  const own =
    identity['kind'] === 'app'
      ? of('application', strings([identity['app'] ?? null]))
      : of('user', strings([identity['oid'] ?? identity['subject'] ?? null]));
  return [...of('group', strings(identity['groups'])), ...of('role', strings(identity['roles'])), ...own];
};

const KINDS = { tool: 'tools', prompt: 'prompts', resource: 'resources' } as const;

const targetsOf = (input: JsonObject): readonly JsonObject[] =>
  list(object(input['call'])['targets']).filter(isJsonObject);

const grantFor = (input: JsonObject): JsonObject => {
  const named = (kind: string) =>
    targetsOf(input)
      .filter((target) => target['kind'] === kind)
      .map((target) => String(target['name']));
  const names = Object.entries(KINDS).map(([kind, member]) => [member, named(kind)] as const);
  return { serverId: String(object(input['server'])['id'] ?? ''), ...Object.fromEntries(names) };
};

const byGrant = (input: JsonObject): NextStep => {
  const [grant, subjects] = [grantFor(input), subjectsOf(input)];
  const added = { id: 'wanted', subjects, tools: [], prompts: [], resources: [], ...grant };
  return {
    changes: [{ kind: 'grant', grant, subjects }],
    input: { ...input, grants: [...list(input['grants']), added] },
  };
};

const byPin = (input: JsonObject): NextStep => {
  const server = object(input['server']);
  const tool = String(targetsOf(input).find((target) => target['kind'] === 'tool')?.['name'] ?? '');
  const pinned = { name: tool, tags: [], requiredScopes: [], constraints: [] };
  const change = {
    kind: 'pin',
    tool,
    server: String(server['id']),
    version: String(server['version']),
  } as const;
  return { changes: [change], input: { ...input, tool: pinned } };
};

const byScopes = (input: JsonObject, decision: JsonObject): NextStep => {
  const identity = object(input['identity']);
  const held = strings(identity['scopes']);
  const missing = strings(decision['requiredScopes']).filter((scope) => !held.includes(scope));
  return {
    changes: [{ kind: 'scopes', scopes: missing }],
    input: { ...input, identity: { ...identity, scopes: [...held, ...missing] } },
  };
};

const namesIn = (decision: JsonObject): readonly string[] =>
  strings(decision['explain']).flatMap((item) =>
    item.startsWith('constraint/') ? [item.slice('constraint/'.length)] : [],
  );

const byConstraints = (input: JsonObject, decision: JsonObject, held: readonly RegoRule[]): NextStep => {
  const tool = object(input['tool']);
  const limits = list(tool['constraints']).filter(isJsonObject);
  const values = object(object(input['call'])['values']);
  const names = namesIn(decision);
  const broken = limits.filter(({ name }) => names.includes(String(name)));
  const rules = held.filter(({ adds }) => adds !== undefined && names.includes(adds));
  const changes: readonly Change[] = [
    ...broken.map((limit) => ({
      kind: 'limit' as const,
      limit,
      value: values[String(limit['pointer'])] ?? null,
    })),
    ...rules.map(({ adds = '', file, line }) => ({ kind: 'rule' as const, constraint: adds, file, line })),
  ];
  if (rules.length > 0 || broken.length === 0) return { changes };
  const kept = limits.filter((limit) => !broken.includes(limit));
  return { changes, input: { ...input, tool: { ...tool, constraints: kept } } };
};

/** What answers this refusal; no changes where nothing is known to. */
export const nextStep = (input: JsonObject, decision: JsonObject, held: readonly RegoRule[]): NextStep => {
  switch (decision['reason']) {
    case 'caller_not_granted':
    case 'tool_not_granted':
    case 'target_not_granted':
      return byGrant(input);
    case 'tool_unknown':
      return byPin(input);
    case 'scope_insufficient':
      return byScopes(input, decision);
    case 'constraint_violated':
      return byConstraints(input, decision, held);
    default:
      return { changes: [] };
  }
};
