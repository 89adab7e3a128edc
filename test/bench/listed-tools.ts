// Tools as a server lists them, with schemas and descriptions of the usual size, for benches of what is done to lists.

import type { JsonObject } from '#core/json.ts';
import type { Tool } from '#core/server.ts';
import { pinnedTool } from '#test/support/answer-rules.ts';

/** About half a KiB each in a list. */
export const benchTools = (count: number): readonly Tool[] =>
  Array.from({ length: count }, (_, at) =>
    pinnedTool(`tool_${at}`, {
      title: `Tool ${at}`,
      description: `Does what tool ${at} does, and says so in a sentence or two that a model can choose it by.`,
      inputSchema: {
        type: 'object',
        properties: {
          id: { type: 'integer', minimum: 1, description: 'Number of the issue.' },
          status: { type: 'string', enum: ['open', 'closed'], description: 'Only issues of this status.' },
          limit: { type: 'integer', minimum: 1, maximum: 50, description: 'Most issues to return.' },
        },
        required: ['id'],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: true },
    }),
  );

/** As a server lists them: what only a manifest says of a tool is not in it. */
export const entriesOf = (tools: readonly Tool[]): readonly JsonObject[] =>
  tools.map(
    ({ requiredScopes: _scopes, tags: _tags, idempotent: _idempotent, ...entry }) => entry as JsonObject,
  );

/** The answer to `tools/list`. */
export const listAnswer = (entries: readonly JsonObject[], id = 'call-1'): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: { tools: entries } }));
