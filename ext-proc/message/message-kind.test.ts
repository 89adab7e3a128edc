import { describe, expect, it } from 'vitest';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { messageKindOf } from '#ext-proc/message/message-kind.ts';

const kindOf = (message: object, method?: string) => {
  const read = readAnswerMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })), {
    strict: true,
  });
  return read.ok ? messageKindOf(read.value, method) : read.error.fault;
};

const CONTENT = [{ type: 'text', text: 'x' }];

describe('messageKindOf', () => {
  it.each([
    ['tool-result', { result: { content: CONTENT } }, 'tools/call'],
    ['tool-result', { result: { structuredContent: {}, isError: true } }, 'tools/call'],
    ['prompt', { result: { messages: [] } }, 'prompts/get'],
    ['resource', { result: { contents: [] } }, 'resources/read'],
    ['list', { result: { tools: [] } }, 'tools/list'],
    ['list', { result: { tools: [] } }, 'tools/call'],
    ['input-required', { result: { resultType: 'input_required', inputRequests: {} } }, 'tools/call'],
    ['other', { result: {} }, 'ping'],
    ['other', { result: { content: CONTENT } }, undefined],
    ['error', { error: { code: 1, message: 'x' } }, 'tools/call'],
    ['elicitation', { method: 'elicitation/create', params: {} }, 'tools/call'],
    ['progress', { method: 'notifications/progress' }, undefined],
    ['other', { method: 'constructor' }, undefined],
  ])('is %s for %o', (kind, message, method) => {
    expect(kindOf(message, method)).toBe(kind);
  });

  it.each([
    ['an empty list', { tools: [] }],
    ['a claim to ask for input', { resultType: 'input_required' }],
  ])('is not led away from a result by %s beside it', (_, beside) => {
    expect(kindOf({ result: { content: CONTENT, ...beside } }, 'tools/call')).toBe('tool-result');
  });
});
