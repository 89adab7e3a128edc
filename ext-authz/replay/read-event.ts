// One line of the decision log as a question with the answer that was given. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

export type RecordedDecision = {
  readonly decisionId: string;
  readonly path: 'mcp/authz/decision' | 'mcp/authz/visible';
  /** `name@revision` of the policy that answered. */
  readonly revision: string;
  readonly input: JsonObject;
  /** Absent: it failed. */
  readonly result?: JsonObject;
  /** Pointers to what was kept out of the log. */
  readonly erased: readonly string[];
};

const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});

const revisionOf = (event: JsonObject): string => {
  const [first] = Object.entries(object(event['bundles']));
  return first === undefined ? 'unknown' : `${first[0]}@${String(object(first[1])['revision'] ?? '')}`;
};

const strings = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** The error says what the line is not. */
export const readEvent = (line: string): Result<RecordedDecision, string> => {
  const event = parse(line);
  if (!isJsonObject(event)) return err('is no JSON object');
  const { path, input, result } = event;
  if (path !== 'mcp/authz/decision' && path !== 'mcp/authz/visible')
    return err('is no decision of this gateway');
  if (!isJsonObject(input)) return err('has no input');
  return ok({
    decisionId: String(event['decision_id'] ?? ''),
    path,
    revision: revisionOf(event),
    input,
    ...(isJsonObject(result) ? { result } : {}),
    erased: strings(event['erased']),
  });
};
