// Unit tests of response-guard-rule.ts: what is refused, and which field is to blame.

import { describe, expect, it } from 'vitest';
import type { FindingRule, ServerResponseGuard } from '#core/response-guard.ts';
import { responseGuardRule } from '#registry/commands/rules/response-guard-rule.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TENANT = sampleTenant('acme');

const blamed = (responseGuard: ServerResponseGuard): readonly string[] =>
  responseGuardRule({
    ...TENANT,
    servers: TENANT.servers.map((server) => ({ ...server, responseGuard })),
  }).map(({ resource, pointer }) => {
    expect(resource).toBe('servers/tracker');
    return pointer.replace('/responseGuard/', '');
  });

const finding = (rule: Partial<FindingRule>): ServerResponseGuard => ({
  findings: [{ detector: 'pii', action: 'redact', ...rule }],
});

const redacting = (...patterns: readonly string[]): ServerResponseGuard => ({
  redactions: patterns.map((pattern, index) => ({ name: `r${index}`, pattern })),
});

describe('the settings of the response guard', () => {
  it.each<[string, ServerResponseGuard]>([
    ['nothing', {}],
    ['modes', { drift: 'pinned', results: 'report', unreadable: 'report', maxAnswerBytes: 2_048 }],
    ['a detector with kinds of its own', finding({ kinds: ['email', 'iban'], tools: ['create_issue'] })],
    ['a plug-in with kinds nobody here knows', finding({ detector: 'plugin:acme', kinds: ['acme-code'] })],
    ['countries for personal data', finding({ countries: ['DE', 'GB'] })],
    [
      'hosts for links',
      finding({ detector: 'exfiltration', allowedHosts: ['docs.example.com', '*.example.net'] }),
    ],
    [
      'redactions by pattern and by pointer',
      {
        redactions: [
          { name: 'codes', pattern: 'AC-[0-9]{6}' },
          { name: 'owners', pointer: '/items/*/owner', tools: ['create_issue'] },
          { name: 'all', pointer: '' },
        ],
      },
    ],
    [
      'changes of headers of its own',
      {
        headers: [
          { action: 'add', name: 'x-checked', value: 'yes' },
          { action: 'remove', name: 'x-debug' },
          { action: 'rename', name: 'x-old', to: 'x-new' },
        ],
      },
    ],
    [
      'extractions',
      {
        extractions: [
          { name: 'state', pointer: '/state', header: 'x-state', values: ['open'] },
          { name: 'kind', pointer: '/items/0/kind', label: true, values: ['bug'] },
        ],
      },
    ],
  ])('may be %s', (_what, settings) => {
    expect(blamed(settings)).toEqual([]);
  });

  it.each<[string, ServerResponseGuard, readonly string[]]>([
    ['a detector nobody has', finding({ detector: 'pi' }), ['findings/0/detector']],
    ['a member of every object as one', finding({ detector: 'constructor' }), ['findings/0/detector']],
    ['a kind it never finds', finding({ kinds: ['email', 'jwt'] }), ['findings/0/kinds/1']],
    [
      'options nobody reads',
      finding({ detector: 'secrets', countries: ['DE'], allowedHosts: ['a.example'] }),
      ['findings/0/allowedHosts', 'findings/0/countries'],
    ],
    [
      'options of one built-in for a plug-in',
      finding({ detector: 'plugin:acme', countries: ['DE'] }),
      ['findings/0/countries'],
    ],
    ['a country whose ids nobody knows', finding({ countries: ['DE', 'ZZ'] }), ['findings/0/countries/1']],
    [
      'what is no host',
      finding({
        detector: 'exfiltration',
        allowedHosts: ['a.example', 'https://b.example', '*', 'C.example'],
      }),
      ['findings/0/allowedHosts/1', 'findings/0/allowedHosts/2', 'findings/0/allowedHosts/3'],
    ],
    ['a tool nobody has', finding({ tools: ['create_issue', 'drop'] }), ['findings/0/tools/1']],
    [
      'what RE2 cannot do',
      redacting('(a)\\1', '(?=a)b', '('),
      [0, 1, 2].map((i) => `redactions/${i}/pattern`),
    ],
    ['what matches nothing', redacting('a*', '\\b', '^'), [0, 1, 2].map((i) => `redactions/${i}/pattern`)],
    [
      'patterns that fill the memory of every ext-proc',
      redacting(...Array.from({ length: 30 }, () => 'a{1000}')),
      ['redactions'],
    ],
    [
      'a redaction by both, or by none',
      { redactions: [{ name: 'a' }, { name: 'b', pattern: 'x', pointer: '/x' }] },
      ['redactions/0', 'redactions/1'],
    ],
    [
      'a pointer deeper than any answer',
      { redactions: [{ name: 'a', pointer: '/a'.repeat(65) }] },
      ['redactions/0/pointer'],
    ],
    [
      'one name twice',
      {
        redactions: [
          { name: 'a', pattern: 'x' },
          { name: 'a', pattern: 'y' },
        ],
      },
      ['redactions'],
    ],
    [
      'headers that are not a server’s to change',
      {
        headers: [
          ...[
            'set-cookie',
            'server',
            'content-type',
            'mcp-session-id',
            'x-envoy-upstream',
            'cache-control',
            'upgrade',
          ].map((name) => ({ action: 'remove' as const, name })),
          { action: 'rename', name: 'x-a', to: 'location' },
          { action: 'rename', name: 'x-a', to: 'x-a' },
        ],
      },
      [...[0, 1, 2, 3, 4, 5, 6].map((index) => `headers/${index}/name`), 'headers/7/to', 'headers/8/to'],
    ],
    [
      'an extraction to nowhere, to both, from several places, into a header of ours',
      {
        extractions: [
          { name: 'a', pointer: '/a', values: ['x'] },
          { name: 'b', pointer: '/a', header: 'x-b', label: true, values: ['x'] },
          { name: 'c', pointer: '/items/*/a', label: true, values: ['x'] },
          { name: 'd', pointer: '/a', header: 'x-mcpgw-version', values: ['x'] },
        ],
      },
      ['extractions/0', 'extractions/1', 'extractions/2/pointer', 'extractions/3/header'],
    ],
  ])('may not be %s', (_what, settings, pointers) => {
    expect(blamed(settings)).toEqual(pointers);
  });

  it('of a tenant may name tools of any server, and no other', () => {
    const responseGuard = {
      findings: [{ detector: 'pii', action: 'mark' as const, tools: ['create_issue', 'drop'] }],
    };
    expect(responseGuardRule({ ...TENANT, responseGuard })).toMatchObject([
      { resource: 'tenant', pointer: '/responseGuard/findings/0/tools/1' },
    ]);
    expect(responseGuardRule({ ...TENANT, servers: [], responseGuard })).toEqual([]);
  });
});
