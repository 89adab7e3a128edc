// What an approval is bound to: everything that could make it another call makes it another question.

import { describe, expect, it } from 'vitest';
import { type ApprovalSubject, approvalDigest } from '#core/call-approval.ts';

const SUBJECT: ApprovalSubject = {
  tenantId: 'acme',
  serverId: 'tracker',
  version: '1.0.0',
  method: 'tools/call',
  targets: ['delete_issue'],
  params: { name: 'delete_issue', arguments: { id: 7, note: 'a' } },
  principal: '["https://login.example.com","ada"]',
  application: 'agent',
  rules: ['destructive'],
};

describe('approvalDigest', () => {
  it('is the same for the same call, whatever the order of its members', () => {
    const params = { arguments: { note: 'a', id: 7 }, name: 'delete_issue' };
    expect(approvalDigest({ ...SUBJECT, params })).toBe(approvalDigest(SUBJECT));
  });

  it.each<[string, Partial<ApprovalSubject>]>([
    ['tenant', { tenantId: 'beta' }],
    ['server', { serverId: 'reports' }],
    ['version', { version: '1.0.1' }],
    ['method', { method: 'prompts/get' }],
    ['target', { targets: ['close_issue'] }],
    ['argument', { params: { name: 'delete_issue', arguments: { id: 8, note: 'a' } } }],
    ['type of an argument', { params: { name: 'delete_issue', arguments: { id: '7', note: 'a' } } }],
    ['caller', { principal: '["https://login.example.com","bob"]' }],
    ['application', { application: 'other' }],
    ['rules', { rules: ['destructive', 'night'] }],
    ['place of a name', { serverId: 'tracker1', version: '.0.0' }],
  ])('differs with another %s', (_name, change) => {
    expect(approvalDigest({ ...SUBJECT, ...change })).not.toBe(approvalDigest(SUBJECT));
  });

  it('differs without an application', () => {
    const { application: _application, ...rest } = SUBJECT;
    expect(approvalDigest(rest)).not.toBe(approvalDigest(SUBJECT));
  });
});
