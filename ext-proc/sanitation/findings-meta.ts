// What a message says of its own findings: kinds and counts in its `_meta`, for whoever reads it by program. A server
// cannot say it in our place.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import type { JsonEdit } from '#ext-proc/message/edit-json.ts';
import type { FindingCount } from '#ext-proc/sanitation/finding-report.ts';

/** A name of MCP's form for keys of `_meta`: a prefix of ours, a name. */
export const FINDINGS_META = 'mcp-security-gateway/findings';

/** An error of JSON-RPC has no `_meta`. */
const ROOTS = ['result', 'params'] as const;

/** The edit that tells of what was marked or redacted, or takes out what only a server said. */
export const metaEdits = ({ value }: AnswerMessage, counts: readonly FindingCount[]): readonly JsonEdit[] => {
  const root = ROOTS.find((name) => isJsonObject(value[name]));
  if (root === undefined) return [];
  const told = counts
    .filter(({ action }) => action === 'mark' || action === 'redact')
    .map((count): JsonObject => ({ ...count }));
  const meta = (value[root] as JsonObject)['_meta'];
  if (isJsonObject(meta)) {
    const isToldAlready = Object.hasOwn(meta, FINDINGS_META);
    if (told.length === 0 && !isToldAlready) return [];
    return [{ path: [root, '_meta', FINDINGS_META], value: told.length === 0 ? undefined : told }];
  }
  return told.length === 0 ? [] : [{ path: [root, '_meta'], value: { [FINDINGS_META]: told } }];
};
