// What a tool handler is given and returns, free of any SDK: both servers are built on different ones.

import type { JsonObject } from '#core/json.ts';
import type { TokenFacts } from '#demo/servers/token-check.ts';

export type ToolResult = {
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
};

export type ToolArguments = Readonly<Record<string, unknown>>;

/** Structured content repeated as text, for clients that read only that. */
export const structured = (value: JsonObject): ToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(value, null, 2) }],
  structuredContent: { ...value },
});

/** A failure of the tool itself: the model reads it and can try again. */
export const toolError = (text: string): ToolResult => ({ content: [{ type: 'text', text }], isError: true });

/** The answer of `whoami`. */
export const whoami = ({ digest: _digest, ...facts }: TokenFacts): ToolResult => structured(facts);
