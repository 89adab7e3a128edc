import { describe, expect, it } from 'vitest';
import { createActivePeople } from '#ext-authz/revocation/active-people.ts';

const token = (oid: string, issuedAt = 100, expiresAt = 1_000) => ({ oid, issuedAt, expiresAt });

describe('people who hold tokens', () => {
  it('are taken in turn, each once before anybody a second time', () => {
    const people = createActivePeople();
    for (const oid of ['a', 'b', 'c']) people.note(token(oid));
    expect(people.take(2, 200)).toEqual(['a', 'b']);
    expect(people.take(2, 200)).toEqual(['c', 'a']);
    expect(people.take(10, 200)).toEqual(['b', 'c', 'a']);
  });

  it('are forgotten when the last token that was seen has ended', () => {
    const people = createActivePeople();
    people.note(token('a', 100, 300));
    people.note(token('a', 120, 500));
    expect(people.find('a', 499)).toMatchObject({ oldestIssuedAt: 100 });
    expect(people.find('a', 500)).toBeUndefined();
    expect(people.take(10, 500)).toEqual([]);
  });

  it('are of no interest once their tokens are ended, until a newer one is seen', () => {
    const people = createActivePeople();
    people.note(token('a', 100));
    people.ended('a', 150);
    expect(people.find('a', 200)).toBeUndefined();
    people.note(token('a', 150));
    expect(people.find('a', 200)).toBeUndefined();
    people.note(token('a', 151));
    expect(people.find('a', 200)).toMatchObject({ oldestIssuedAt: 151, endedUntil: 150 });
  });

  it('keep a token that was issued after the end', () => {
    const people = createActivePeople();
    people.note(token('a', 160));
    people.ended('a', 150);
    expect(people.find('a', 200)).toMatchObject({ oldestIssuedAt: 160 });
  });

  it('are at most as many as they may be', () => {
    const people = createActivePeople(2);
    for (const oid of ['a', 'b', 'c']) people.note(token(oid));
    people.note(token('c', 90));
    expect(people.take(10, 200)).toEqual(['b', 'c']);
  });
});
