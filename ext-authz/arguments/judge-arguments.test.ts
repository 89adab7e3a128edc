import { describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { CheckMode } from '#core/response-guard.ts';
import { judgeArguments } from '#ext-authz/arguments/judge-arguments.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';

const SCHEMA = {
  type: 'object',
  properties: { priority: { enum: ['low', 'high'] }, labels: { additionalProperties: { type: 'string' } } },
  required: ['title'],
} satisfies JsonObject;

const callOf = (args: JsonObject, method = 'tools/call'): McpCall => ({
  kind: 'request',
  era: 'legacy',
  protocolVersion: '2025-11-25',
  method,
  targets: [{ kind: 'tool', name: 'create_issue' }],
  arguments: args,
  params: {},
});

const judge = (call: McpCall, { inputSchema = SCHEMA as JsonObject, mode = 'refuse' as CheckMode } = {}) => {
  const tools = [pinnedTool('create_issue', { inputSchema })];
  const { tenant, server, version } = answerRules({ tools, guard: { arguments: mode } });
  const place = { tenant, server };
  return judgeArguments({ place, call, version, bodyLength: 1000 });
};

describe('judgeArguments', () => {
  it('has nothing to say of arguments that fit', () => {
    expect(judge(callOf({ title: 'x', priority: 'low' }))).toBeUndefined();
  });

  it.each<[JsonObject, string, string]>([
    [{}, 'params.arguments/title', 'required'],
    [{ title: 'x', priority: 'urgent' }, 'params.arguments/priority', 'enum'],
    [{ title: 'x', labels: { 'alice@example.com': 1 } }, 'params.arguments/labels/*', 'type'],
  ])('refuses %j by the names of the schema alone', (args, field, keyword) => {
    const judged = judge(callOf(args));
    expect(judged?.refusal).toMatchObject({ reason: 'arguments_invalid', publicFacts: { field, keyword } });
    expect(judged?.finding).toEqual({ mode: 'refuse', verdict: 'invalid', field, keyword });
  });

  it('lets them pass where they are only to be reported, and says so', () => {
    const judged = judge(callOf({}), { mode: 'report' });
    expect(judged).toEqual({
      finding: { mode: 'report', verdict: 'invalid', field: 'params.arguments/title', keyword: 'required' },
      refusal: undefined,
    });
  });

  it('looks at nothing where nobody asks, and at no other method', () => {
    expect(judge(callOf({}), { mode: 'off' })).toBeUndefined();
    expect(judge(callOf({}, 'prompts/get'))).toBeUndefined();
  });

  it('does not let a tool be called whose schema cannot be used, and says that it is the schema', () => {
    const judged = judge(callOf({}), { inputSchema: { $ref: 'https://evil.example/schema' } });
    expect(judged?.refusal).toMatchObject({
      reason: 'arguments_invalid',
      publicFacts: { field: 'inputSchema' },
      logFacts: { verdict: 'unusable', cause: 'reference' },
    });
  });

  it('does not go on for ever', () => {
    const judged = judge(callOf({}), { inputSchema: { $ref: '#' } });
    expect(judged?.refusal?.logFacts).toEqual({ verdict: 'exhausted' });
  });
});
