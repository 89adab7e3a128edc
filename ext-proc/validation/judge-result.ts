// A tool's result against the output schema that was approved for the tool (MCP 2025-11-25 and later, tools: output
// schema). What the tool itself calls an error is its own, and passes. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { ProtocolEra } from '#core/mcp-call.ts';
import type { Tool } from '#core/server.ts';
import { holdsContent } from '#ext-proc/message/message-kind.ts';
import type { Unfit } from '#ext-proc/validation/unfit-report.ts';
import { judgeBySchema } from '#runtime/json-schema/judge-by-schema.ts';
import { faultPointer, type SchemaVerdict } from '#runtime/json-schema/verdict.ts';

const STRUCTURED = 'structuredContent';
const AT_STRUCTURED = `/${STRUCTURED}`;

const CONTENT: Unfit = { what: 'content', verdict: 'invalid', pointer: '/content' };

const MISSING: Unfit = { what: 'schema', verdict: 'invalid', pointer: AT_STRUCTURED, keyword: 'required' };

const own = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/**
 * True for a result that is no outcome of the tool: its error, or a question to the user. That kind of question is of the
 * stateless era; a legacy client would read the result as any other, and so may a client that finds content in it.
 */
const isNoOutcome = (result: JsonObject, era: ProtocolEra): boolean => {
  if (own(result, 'isError') === true) return true;
  const asks = era === 'stateless' && own(result, 'resultType') === 'input_required';
  return asks && !holdsContent(result);
};

const isBlock = (block: Json): boolean => isJsonObject(block) && typeof own(block, 'type') === 'string';

const hasContent = (result: JsonObject): boolean => {
  const content = own(result, 'content');
  return content === undefined || (Array.isArray(content) && (content as readonly Json[]).every(isBlock));
};

const unfitFrom = (verdict: SchemaVerdict): Unfit | undefined => {
  if (verdict.kind === 'valid') return undefined;
  const unfit: Unfit = { what: 'schema', verdict: verdict.kind };
  if (verdict.kind === 'exhausted') return unfit;
  if (verdict.kind === 'unusable') return { ...unfit, cause: verdict.cause };
  const { fault } = verdict;
  return { ...unfit, pointer: `${AT_STRUCTURED}${faultPointer(fault)}`, keyword: fault.keyword };
};

const judgeStructured = (result: JsonObject, schema: JsonObject, textLength: number): Unfit | undefined => {
  const structured = own(result, STRUCTURED);
  return structured === undefined ? MISSING : unfitFrom(judgeBySchema(schema, structured, { textLength }));
};

export type ResultJudgement = {
  /** True if there was a schema to hold it against. */
  readonly bySchema: boolean;
  readonly unfit: Unfit | undefined;
};

/**
 * @param known.textLength of the message, characters.
 * @returns undefined where there is nothing to judge.
 */
export const judgeResult = (
  result: JsonObject,
  known: { readonly tool: Tool | undefined; readonly era: ProtocolEra; readonly textLength: number },
): ResultJudgement | undefined => {
  if (isNoOutcome(result, known.era)) return undefined;
  const schema = known.tool?.outputSchema;
  const bySchema = schema !== undefined;
  if (!hasContent(result)) return { bySchema, unfit: CONTENT };
  return { bySchema, unfit: bySchema ? judgeStructured(result, schema, known.textLength) : undefined };
};

/** The check of structured content against a tool's schema; undefined for a tool without one. */
export const fitsSchema = ({ outputSchema }: Tool): ((structured: Json) => boolean) | undefined =>
  outputSchema === undefined
    ? undefined
    : (structured) => {
        const textLength = JSON.stringify(structured).length;
        return judgeBySchema(outputSchema, structured, { textLength }).kind === 'valid';
      };
