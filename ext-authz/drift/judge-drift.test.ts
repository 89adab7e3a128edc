// Which calls are refused because a server has changed a tool, and where in a decision that is said.

import { describe, expect, it } from 'vitest';
import { type DriftState, NO_DRIFT, withDrift } from '#core/drift-book.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { DriftMode } from '#core/response-guard.ts';
import { judgeDrift } from '#ext-authz/drift/judge-drift.ts';
import { SERVER, tenant, VERSION } from '#test/support/policy-world.ts';

const drifting = (version: string, tool: string, serverId = SERVER.id): DriftState =>
  withDrift(NO_DRIFT, {
    tenantId: tenant([]).id,
    serverId,
    tools: [{ version, tool, since: '2026-01-01T12:00:00.000Z' }],
  });

const callTo = (...names: readonly string[]): McpCall =>
  ({ kind: 'request', targets: names.map((name) => ({ kind: 'tool', name })) }) as unknown as McpCall;

const judge = (
  state: DriftState,
  call: McpCall,
  modes: { readonly tenant?: DriftMode; readonly server?: DriftMode } = {},
) =>
  judgeDrift(state, {
    place: {
      tenant: { ...tenant([]), ...(modes.tenant && { responseGuard: { drift: modes.tenant } }) },
      server: { ...SERVER, ...(modes.server && { responseGuard: { drift: modes.server } }) },
    },
    version: VERSION,
    call,
  })?.reason;

describe('a call to a tool that drifts', () => {
  const state = drifting(VERSION.version, 'purge');

  it('is refused where nobody wants it otherwise, with what the log may know', () => {
    const denial = judgeDrift(state, {
      place: { tenant: tenant([]), server: SERVER },
      version: VERSION,
      call: callTo('purge'),
    });
    expect(denial).toMatchObject({
      reason: 'tool_drifted',
      logFacts: { version: VERSION.version, tool: 'purge', since: '2026-01-01T12:00:00.000Z' },
    });
  });

  it.each([
    [{ tenant: 'pinned' }, undefined],
    [{ tenant: 'report' }, undefined],
    [{ tenant: 'hide' }, 'tool_drifted'],
    [{ tenant: 'report', server: 'hide' }, 'tool_drifted'],
    [{ tenant: 'hide', server: 'pinned' }, undefined],
  ] as const)('with the modes %j: %s', (modes, reason) => {
    expect(judge(state, callTo('purge'), modes)).toBe(reason);
  });

  it('is what counts: another tool, version or server that drifts refuses nothing', () => {
    expect(judge(state, callTo('create_issue'))).toBeUndefined();
    expect(judge(state, callTo('create_issue', 'purge'))).toBe('tool_drifted');
    expect(judge(drifting('another', 'purge'), callTo('purge'))).toBeUndefined();
    expect(judge(drifting(VERSION.version, 'purge', 'another'), callTo('purge'))).toBeUndefined();
    expect(judge(NO_DRIFT, callTo('purge'))).toBeUndefined();
  });

  it('is no matter of prompts and resources of that name', () => {
    const call = { kind: 'request', targets: [{ kind: 'prompt', name: 'purge' }] } as unknown as McpCall;
    expect(judge(state, call)).toBeUndefined();
  });
});
