// Unit tests of repeatable.ts: what may run twice, method by method.

import { describe, expect, it } from 'vitest';
import type { McpCall } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';
import { isSafeToRepeat } from '#ext-authz/repeatable.ts';

const tool = (name: string, idempotent: boolean) => ({ name, idempotent });
const version = { tools: [tool('read', true), tool('write', false)] } as unknown as ServerVersion;

const callOf = (method: string, more: Partial<McpCall> = {}): McpCall =>
  ({ kind: 'request', era: 'stateless', method, targets: [], ...more }) as McpCall;
const toolCall = (...names: string[]): McpCall =>
  callOf('tools/call', { targets: names.map((name) => ({ kind: 'tool', name })) });

describe('isSafeToRepeat()', () => {
  it.each([
    'tools/list',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'prompts/list',
    'prompts/get',
    'completion/complete',
    'server/discover',
  ])('lets %s, which only reads, run again', (method) => {
    expect(isSafeToRepeat(version, callOf(method))).toBe(true);
  });

  it.each([
    'initialize',
    'resources/subscribe',
    'resources/unsubscribe',
    'logging/setLevel',
    'subscriptions/listen',
    'notifications/cancelled',
    'tasks/get',
  ])('does not let %s run again', (method) => {
    for (const era of ['legacy', 'stateless'] as const)
      expect(isSafeToRepeat(version, callOf(method, { era }))).toBe(false);
  });

  it('lets a tool run again exactly where it is pinned as idempotent', () => {
    expect(isSafeToRepeat(version, toolCall('read'))).toBe(true);
    expect(isSafeToRepeat(version, toolCall('write'))).toBe(false);
    expect(isSafeToRepeat(version, toolCall('unknown'))).toBe(false);
    expect(isSafeToRepeat(version, toolCall())).toBe(false);
    expect(
      isSafeToRepeat(version, callOf('tools/call', { targets: [{ kind: 'prompt', name: 'read' }] })),
    ).toBe(false);
  });

  it('repeats nothing within a session, and nothing that is no request', () => {
    expect(isSafeToRepeat(version, { ...toolCall('read'), sessionId: 's' })).toBe(false);
    for (const kind of ['notification', 'response', 'stream', 'session-end'] as const)
      expect(isSafeToRepeat(version, { ...callOf('tools/list'), kind })).toBe(false);
  });
});
