// Arguments of a tool call against the input schema that was approved for the tool. It comes after the policy, the
// switches and the assurance: to a caller without the tool, its schema must not be told by refusals. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { findTool } from '#core/find-tool.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import type { JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { CheckMode } from '#core/response-guard.ts';
import type { ServerVersion, Tool } from '#core/server.ts';
import type { Place } from '#ext-authz/locate.ts';
import { judgeBySchema } from '#runtime/json-schema/judge-by-schema.ts';
import { faultPointer, type SchemaVerdict } from '#runtime/json-schema/verdict.ts';

/** What is told of arguments that do not fit, by the schema's own words: never a value, never a key of the caller's. */
export type ArgumentsFinding = {
  readonly mode: Exclude<CheckMode, 'off'>;
  readonly verdict: Exclude<SchemaVerdict['kind'], 'valid'>;
  /** The field: `params.arguments` with a JSON Pointer; or `inputSchema`, where that cannot be used. */
  readonly field: string;
  /** The keyword of the schema that was not met. */
  readonly keyword?: string;
  /** Why the schema cannot be used. */
  readonly cause?: string;
};

export type ArgumentsJudgement = { readonly finding: ArgumentsFinding; readonly refusal: Deny | undefined };

const ARGUMENTS = 'params.arguments';

const describe = (verdict: Exclude<SchemaVerdict, { kind: 'valid' }>): Omit<ArgumentsFinding, 'mode'> => {
  const { kind } = verdict;
  if (kind === 'invalid') {
    const { fault } = verdict;
    return { verdict: kind, field: `${ARGUMENTS}${faultPointer(fault)}`, keyword: fault.keyword };
  }
  return kind === 'unusable'
    ? { verdict: kind, field: 'inputSchema', cause: verdict.cause }
    : { verdict: kind, field: ARGUMENTS };
};

const refuse = ({ verdict, field, keyword, cause }: ArgumentsFinding): Deny =>
  deny('arguments_invalid', {
    public: { field, ...(keyword === undefined ? {} : { keyword }) },
    log: { verdict, ...(cause === undefined ? {} : { cause }) } satisfies JsonObject,
  });

const calledTool = (call: McpCall, version: ServerVersion): Tool | undefined => {
  const target = call.method === 'tools/call' ? call.targets.find(({ kind }) => kind === 'tool') : undefined;
  return target === undefined ? undefined : findTool(version, target.name);
};

/**
 * @param known.bodyLength of the request, bytes: what the work may be in proportion to.
 * @returns undefined where there is nothing to say: the arguments fit, or nobody asks.
 */
export const judgeArguments = (known: {
  readonly place: Pick<Place, 'tenant' | 'server'>;
  readonly call: McpCall;
  readonly version: ServerVersion;
  readonly bodyLength: number;
}): ArgumentsJudgement | undefined => {
  const { place, call, version, bodyLength } = known;
  const mode = responseGuardOf(place.tenant, place.server).arguments;
  const tool = mode === 'off' ? undefined : calledTool(call, version);
  if (mode === 'off' || tool === undefined) return undefined;
  const verdict = judgeBySchema(tool.inputSchema, call.arguments, { textLength: bodyLength });
  if (verdict.kind === 'valid') return undefined;
  const finding = { mode, ...describe(verdict) };
  return { finding, refusal: mode === 'refuse' ? refuse(finding) : undefined };
};
