// The step that keeps what one caller was given out of caches that others are served from (MCP 2026-07-28, caching). Lists
// are seen to where they are cut.

import { ok } from '#core/result.ts';
import { editMessage, resultOf } from '#ext-proc/message/answer-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';

export const CACHE_SCOPE = 'cacheScope';
export const PRIVATE = 'private';

/** What a caller may read was judged for him: a result that calls itself public is made private. */
export const cacheStep: MessageStep = (message, { kind }) => {
  if (kind === 'list') return ok(message);
  const result = resultOf(message);
  if (result === undefined || !Object.hasOwn(result, CACHE_SCOPE)) return ok(message);
  if (result[CACHE_SCOPE] === PRIVATE) return ok(message);
  return ok(editMessage(message, [{ path: ['result', CACHE_SCOPE], value: PRIVATE }]));
};
