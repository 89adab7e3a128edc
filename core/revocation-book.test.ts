// Which credentials a mark refuses, and that no other tenant's, issuer's or person's is ever hit by one that looks alike.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CredentialFacts, Revocation, RevocationTarget } from '#core/revocation.ts';
import { createRevocationBook } from '#core/revocation-book.ts';

const NOON = 1_767_268_800;
const TID = '11111111-1111-4111-8111-111111111111';
const OID = '22222222-2222-4222-8222-222222222222';

const mark = (target: RevocationTarget, change: Partial<Revocation> = {}): Revocation => ({
  id: 'mark',
  tenantId: 'acme',
  target,
  notBefore: NOON,
  source: 'operator',
  reason: 'laptop stolen',
  at: '2026-01-01T12:00:00.000Z',
  until: NOON + 600_000,
  ...change,
});

const caller = (change: Partial<CredentialFacts> = {}): CredentialFacts => ({
  issuerId: 'home',
  subject: 'mallory',
  issuedAt: NOON - 1,
  ...change,
});

const bookOf = (...marks: readonly Revocation[]) => {
  const book = createRevocationBook();
  for (const each of marks) book.take(each, NOON);
  return book;
};

const isRefused = (target: RevocationTarget, facts: CredentialFacts, tenantId = 'acme'): boolean =>
  bookOf(mark(target)).find(tenantId, facts) !== undefined;

const subject: RevocationTarget = { kind: 'subject', issuerId: 'home', subject: 'mallory' };
const person: RevocationTarget = { kind: 'directory-user', tid: TID, oid: OID };
const token: RevocationTarget = { kind: 'token', issuerId: 'home', tokenId: 'a1' };

describe('a mark', () => {
  it('refuses what began before its second, and lets in what began with it', () => {
    expect(isRefused(subject, caller({ issuedAt: NOON - 1 }))).toBe(true);
    expect(isRefused(subject, caller({ issuedAt: NOON }))).toBe(false);
  });

  it('on a person of a directory means him by whichever issuer, in either case', () => {
    const facts = caller({ issuerId: 'another', subject: 'pairwise', tid: TID, oid: OID });
    expect(isRefused(person, facts)).toBe(true);
    expect(isRefused({ ...person, oid: OID.toUpperCase() }, facts)).toBe(true);
    expect(isRefused(person, { ...facts, tid: OID })).toBe(false);
    expect(isRefused(person, caller({ subject: OID }))).toBe(false);
  });

  it('on a subject means those in whose name he acts, too', () => {
    expect(isRefused(subject, caller({ subject: 'ada', actor: 'mallory' }))).toBe(true);
    expect(isRefused(subject, caller({ subject: 'ada', actor: 'eve' }))).toBe(false);
  });

  it('on a token refuses that one whenever it began, and leaves sessions alone', () => {
    expect(isRefused(token, caller({ tokenId: 'a1', issuedAt: NOON + 100 }))).toBe(true);
    expect(isRefused(token, caller({ tokenId: 'a2' }))).toBe(false);
    expect(isRefused(token, caller())).toBe(false);
    expect(bookOf(mark(token)).sessionsFrom('acme', caller({ tokenId: 'a1' }))).toBe(0);
  });

  it('ends sessions from before it, whatever the token they are used with', () => {
    const book = bookOf(mark(subject), mark(person, { notBefore: NOON + 60 }));
    expect(book.sessionsFrom('acme', caller({ issuedAt: NOON + 100 }))).toBe(NOON);
    expect(book.sessionsFrom('acme', caller({ tid: TID, oid: OID }))).toBe(NOON + 60);
    expect(book.sessionsFrom('acme', caller({ subject: 'ada' }))).toBe(0);
    expect(book.sessionsFrom('beta', caller())).toBe(0);
  });
});

describe('the book', () => {
  it('keeps the latest of a target, in whichever order they come', () => {
    const [early, late] = [mark(subject), mark(subject, { notBefore: NOON + 60 })];
    for (const marks of [
      [early, late],
      [late, early],
    ])
      expect(bookOf(...marks).sessionsFrom('acme', caller())).toBe(NOON + 60);
  });

  it('takes nothing twice and nothing that has ended', () => {
    const book = createRevocationBook();
    expect(book.take(mark(subject), NOON)).toBe(true);
    expect(book.take(mark(subject), NOON)).toBe(false);
    expect(book.take(mark(person, { until: NOON }), NOON)).toBe(false);
    expect(book.size()).toBe(1);
  });

  it('lets go of what has ended, and its log then is another one', () => {
    const book = createRevocationBook();
    const of = (subjectId: string, until: number) =>
      mark({ kind: 'subject', issuerId: 'home', subject: subjectId }, { until });
    book.take(of('first', NOON + 10), NOON);
    const before = book.log();
    for (let count = 0; count < 1_000; count += 1) book.take(of(`person-${count}`, NOON + 100), NOON + 20);
    const after = book.log();
    expect(after.entries).not.toBe(before.entries);
    expect(before.entries[0]).toMatchObject({ target: { subject: 'first' } });
    expect(book.find('acme', caller({ subject: 'first' }))).toBeUndefined();
    expect(book.find('acme', caller({ subject: 'person-1' }))).toBeDefined();
    expect(book.find('acme', caller({ subject: 'person-999' }))).toBeDefined();
  });

  // Few and hostile values, so that equal ones meet often: quotes and commas are what JSON could be led astray by.
  const name = fc.constantFrom('a', 'b', 'a","b', '["subject","a","b"]', TID, OID);
  const target = fc.oneof(
    fc.record({ kind: fc.constant('subject' as const), issuerId: name, subject: name }),
    fc.record({ kind: fc.constant('directory-user' as const), tid: name, oid: name }),
    fc.record({ kind: fc.constant('token' as const), issuerId: name, tokenId: name }),
  );
  const facts = fc.record(
    { issuerId: name, subject: name, actor: name, tid: name, oid: name, tokenId: name, issuedAt: fc.nat(3) },
    { requiredKeys: ['issuerId', 'subject', 'issuedAt'] },
  );

  /** The rule in plain words, without keys. */
  const means = (wanted: RevocationTarget, held: CredentialFacts): boolean => {
    if (wanted.kind === 'subject')
      return (
        wanted.issuerId === held.issuerId &&
        (wanted.subject === held.subject || wanted.subject === held.actor)
      );
    if (wanted.kind === 'directory-user') return wanted.tid === held.tid && wanted.oid === held.oid;
    return wanted.issuerId === held.issuerId && wanted.tokenId === held.tokenId;
  };

  it('never hits another tenant, issuer, directory, person or token', () => {
    const marks = fc.array(fc.record({ tenantId: name, target, notBefore: fc.nat(3) }), { maxLength: 12 });
    fc.assert(
      fc.property(marks, name, facts, (taken, tenantId, held) => {
        const book = bookOf(...taken.map((each) => mark(each.target, each)));
        const meant = taken.filter((each) => each.tenantId === tenantId && means(each.target, held));
        const people = meant.filter((each) => each.target.kind !== 'token');
        const refused =
          meant.length > people.length || people.some(({ notBefore }) => held.issuedAt < notBefore);
        expect(book.find(tenantId, held) !== undefined).toBe(refused);
        expect(book.sessionsFrom(tenantId, held)).toBe(
          people.reduce((latest, { notBefore }) => Math.max(latest, notBefore), 0),
        );
      }),
    );
  });
});
