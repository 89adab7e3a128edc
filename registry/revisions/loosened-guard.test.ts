// Unit tests of loosened-guard.ts: what a change of the response guard's settings takes away.

import { describe, expect, it } from 'vitest';
import type { FindingRule, ServerResponseGuard } from '#core/response-guard.ts';
import { loosenedServerGuard, loosenedTenantGuard } from '#registry/revisions/loosened-guard.ts';

const PII: FindingRule = { detector: 'pii', action: 'redact' };
const MAIL: FindingRule = { detector: 'pii', kinds: ['email'], action: 'allow' };
const LINKS: FindingRule = { detector: 'exfiltration', action: 'block', allowedHosts: ['a.example'] };

const finding = (...findings: readonly FindingRule[]): ServerResponseGuard => ({ findings });

const said = (before: ServerResponseGuard, after: ServerResponseGuard, tenant: ServerResponseGuard = {}) =>
  loosenedServerGuard({ responseGuard: tenant }, { responseGuard: before }, { responseGuard: after });

describe('what is loosened', () => {
  it.each<[string, ServerResponseGuard, ServerResponseGuard]>([
    ['drift is report, and was hide', {}, { drift: 'report' }],
    ['drift is report, and was pinned', { drift: 'pinned' }, { drift: 'report' }],
    ['arguments is off, and was refuse', {}, { arguments: 'off' }],
    ['results is off, and was report', { results: 'report' }, { results: 'off' }],
    ['unreadable is report, and was refuse', {}, { unreadable: 'report' }],
    ['requestState is pass, and was seal', {}, { requestState: 'pass' }],
    ['maxAnswerBytes is raised', { maxAnswerBytes: 2_048 }, {}],
    [
      'maxAnswerBytes is lowered, and unreadable is report',
      { unreadable: 'report' },
      { unreadable: 'report', maxAnswerBytes: 2_048 },
    ],
    ['findings of pii need not be met with redact', finding(PII), {}],
    ['findings of pii need not be met with redact', finding(PII), finding({ ...PII, action: 'mark' })],
    ['findings of pii need not be met with redact', finding(PII), finding({ ...PII, tools: ['a'] })],
    ['findings of pii need not be met with redact', finding(PII), finding(MAIL, PII)],
    ['findings of pii need not be met with redact', finding(PII, MAIL), finding(MAIL, PII)],
    [
      'links to b.example are allowed',
      finding(LINKS),
      finding(LINKS, { ...LINKS, allowedHosts: ['b.example'] }),
    ],
    [
      'redaction codes is dropped or changed',
      { redactions: [{ name: 'codes', pattern: 'AC-\\d+' }] },
      { redactions: [{ name: 'codes', pattern: 'AC-\\d' }] },
    ],
    [
      'header server: remove is dropped or changed',
      { headers: [{ action: 'remove', name: 'server' }] },
      { headers: [{ action: 'add', name: 'x-a', value: 'b' }] },
    ],
    [
      'extraction owner tells a value outside of its answer',
      {},
      { extractions: [{ name: 'owner', pointer: '/owner', label: true, values: ['a'] }] },
    ],
  ])('says: %s', (message, before, after) => {
    expect(said(before, after)).toEqual([message]);
  });

  it.each<[string, ServerResponseGuard, ServerResponseGuard]>([
    ['a stricter mode', { drift: 'report', results: 'off' }, { results: 'report' }],
    ['what is said that was so anyway', {}, { drift: 'hide', arguments: 'refuse' }],
    ['a stronger action', finding(PII), finding({ ...PII, action: 'block' })],
    ['a rule more', finding(PII), finding(LINKS, PII, { detector: 'secrets', action: 'block' })],
    ['an exception that is gone', finding(MAIL, PII), finding(PII)],
    ['an exception behind the rule', finding(PII), finding(PII, MAIL)],
    ['a redaction more', {}, { redactions: [{ name: 'codes', pattern: 'AC-\\d+' }] }],
  ])('says nothing of %s', (_what, before, after) => {
    expect(said(before, after)).toEqual([]);
  });

  it('of a server is what its own settings do beside those of the tenant', () => {
    const tenant: ServerResponseGuard = { drift: 'report', findings: [PII] };
    expect(said({ drift: 'hide' }, {}, tenant)).toEqual(['drift is report, and was hide']);
    expect(said({}, finding(MAIL), tenant)).toEqual(['findings of pii need not be met with redact']);
    expect(said({}, { drift: 'report' }, tenant)).toEqual([]);
    expect(loosenedTenantGuard({}, { responseGuard: tenant })).toEqual(['drift is report, and was hide']);
    expect(loosenedTenantGuard({ responseGuard: tenant }, {})).toEqual([
      'findings of pii need not be met with redact',
    ]);
  });
});
