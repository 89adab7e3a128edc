// Unit and property tests of the chain: whatever one change is made to it, it is found and named; erasure is none.
import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditKeys, deriveAuditKey, pseudonymOf } from '#core/audit/audit-key.ts';
import { appendRecord, type ChainEnd, chainStart } from '#core/audit/record.ts';
import { openRecord, sealEvent } from '#core/audit/subject.ts';
import { unwrapSubjectKey, wrapSubjectKey } from '#core/audit/subject-key.ts';
import type { ChainVerdict } from '#core/audit/verdict.ts';
import { createChainVerifier, type Witness } from '#core/audit/verify-chain.ts';

const key = deriveAuditKey(Buffer.alloc(32, 7));
const other = deriveAuditKey(Buffer.alloc(32, 8));
const keys: AuditKeys = { current: key, all: [key] };
const CHAIN = 'c';

const adaKey = createSecretKey(Buffer.alloc(32, 1));
const ada = { pseudonym: pseudonymOf(key, 'ada'), key: adaKey };

type Written = { readonly lines: string[]; readonly ends: ChainEnd[] };

const write = (count: number, writer = key): Written => {
  const ends = [chainStart(CHAIN)];
  const lines: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const about = { principal: 'ada', fields: { resource: `file:///${number}` } };
    const event = { at: '2026-01-01T00:00:00.000Z', kind: 'decision' as const, body: { number }, about };
    const end = ends[number - 1] as ChainEnd;
    const entry = sealEvent(event, end, { subject: ada, nonce: Buffer.alloc(12, number) });
    const appended = appendRecord(writer, end, entry);
    lines.push(appended.line);
    ends.push(appended.end);
  }
  return { lines, ends };
};

const headOf = ({ ends }: Written): Witness => ({ ...(ends.at(-1) as ChainEnd), by: 'head' });

const verify = (lines: readonly string[], witnesses: readonly Witness[], start?: ChainEnd): ChainVerdict => {
  const verifier = createChainVerifier(keys, { chain: CHAIN, witnesses, ...(start && { start }) });
  for (const line of lines) verifier.take(line);
  return verifier.finish();
};

const faultOf = ({ integrity, completeness }: ChainVerdict): string | undefined =>
  integrity?.fault ?? completeness?.fault;

const RECORDS = 12;
const chain = write(RECORDS);
const position = fc.nat(RECORDS - 1);

describe('a chain as it was written', () => {
  it('is sound', () => {
    const verdict = verify(chain.lines, [headOf(chain)]);
    expect(verdict).toMatchObject({ records: RECORDS, first: 1, last: RECORDS });
    expect(faultOf(verdict)).toBeUndefined();
  });

  it('may begin in the middle where a signed checkpoint says so, and only there', () => {
    const start = chain.ends[5] as ChainEnd;
    expect(faultOf(verify(chain.lines.slice(5), [headOf(chain)], start))).toBeUndefined();
    expect(faultOf(verify(chain.lines.slice(5), [headOf(chain)]))).toBe('beginning_missing');
    expect(faultOf(verify(chain.lines.slice(6), [headOf(chain)], start))).toBe('gap');
  });
});

describe('one change to a chain', () => {
  it('of any one character is found at its record', () => {
    fc.assert(
      fc.property(position, fc.nat(), fc.integer({ min: 1, max: 127 }), (at, where, shift) => {
        const lines = [...chain.lines];
        const line = lines[at] as string;
        const index = where % line.length;
        const changed = String.fromCharCode((line.charCodeAt(index) + shift) % 128);
        lines[at] = line.slice(0, index) + changed + line.slice(index + 1);
        const verdict = verify(lines, [headOf(chain)]);
        expect(['edited', 'malformed', 'key_unknown']).toContain(verdict.integrity?.fault);
        expect(verdict.integrity?.sequence).toBe(at + 1);
      }),
      { numRuns: 500 },
    );
  });

  it('by removal is found where the record is missing', () => {
    fc.assert(
      fc.property(position, (at) => {
        const found = verify(chain.lines.toSpliced(at, 1), [headOf(chain)]).completeness;
        const name = at === 0 ? 'beginning_missing' : at === RECORDS - 1 ? 'tail_missing' : 'gap';
        expect(found).toMatchObject({ fault: name, sequence: at + 1 });
      }),
    );
  });

  it('by truncation is found by what knows how far it went', () => {
    fc.assert(
      fc.property(fc.nat(RECORDS - 1), (kept) => {
        const verdict = verify(chain.lines.slice(0, kept), [headOf(chain)]);
        expect(verdict.completeness).toMatchObject({ fault: 'tail_missing', sequence: kept + 1, by: 'head' });
        expect(verdict.integrity).toBeUndefined();
      }),
    );
  });

  it('by exchange of two records is found', () => {
    fc.assert(
      fc.property(position, position, (one, two) => {
        fc.pre(one !== two);
        const lines = [...chain.lines];
        [lines[one], lines[two]] = [lines[two] as string, lines[one] as string];
        expect(verify(lines, [headOf(chain)]).integrity?.fault).toBe('reordered');
      }),
    );
  });

  it('by repetition of a record is found', () => {
    fc.assert(
      fc.property(position, position, (what, where) => {
        const lines = chain.lines.toSpliced(where + 1, 0, chain.lines[what] as string);
        expect(['duplicated', 'reordered']).toContain(verify(lines, [headOf(chain)]).integrity?.fault);
      }),
    );
  });

  it('in a sealed text is found, though nobody opens it', () => {
    const lines = [...chain.lines];
    lines[3] = (lines[3] as string).replace(
      /"sealed":"(.)/,
      (_, first) => `"sealed":"${first === 'A' ? 'B' : 'A'}`,
    );
    expect(verify(lines, []).integrity).toEqual({ fault: 'edited', sequence: 4 });
  });

  it('by somebody with another key is found', () => {
    expect(verify(write(3, other).lines, []).integrity).toEqual({ fault: 'key_unknown', sequence: 1 });
  });

  it('by somebody with the key, who wrote another history, is found by a checkpoint of the first', () => {
    const event = { at: '2026-01-01T00:00:00.000Z', kind: 'decision' as const, body: { number: 'other' } };
    const forged = appendRecord(key, chain.ends[RECORDS - 1] as ChainEnd, event).line;
    const verdict = verify([...chain.lines.slice(0, -1), forged], [headOf(chain)]);
    expect(verdict.integrity).toEqual({ fault: 'forked', sequence: RECORDS, by: 'head' });
  });
});

describe('the key of a subject', () => {
  const record = () => {
    const verifier = createChainVerifier(keys, { chain: CHAIN, witnesses: [] });
    const read = verifier.take(chain.lines[0] as string);
    if (read === undefined) throw new Error('the first record is not authentic');
    return read;
  };

  it('opens what is sealed under it; without it the chain is as valid as before', () => {
    expect(openRecord(record(), adaKey)).toEqual({ principal: 'ada', resource: 'file:///1' });
    expect(openRecord(record(), undefined)).toBeUndefined();
    expect(faultOf(verify(chain.lines, [headOf(chain)]))).toBeUndefined();
  });

  it('opens nothing of another subject, nor a text moved to another record', () => {
    expect(openRecord(record(), createSecretKey(randomBytes(32)))).toBeUndefined();
    expect(openRecord({ ...record(), sequence: 2 }, adaKey)).toBeUndefined();
  });

  it('is unwrapped for its subject only', () => {
    const random = { nonce: randomBytes(12), secret: randomBytes(32) };
    const wrapped = wrapSubjectKey(key, ada.pseudonym, random);
    expect(unwrapSubjectKey(keys, ada.pseudonym, wrapped)?.export()).toEqual(random.secret);
    expect(unwrapSubjectKey(keys, pseudonymOf(key, 'bob'), wrapped)).toBeUndefined();
    expect(unwrapSubjectKey({ current: other, all: [other] }, ada.pseudonym, wrapped)).toBeUndefined();
  });
});
