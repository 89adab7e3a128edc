import { describe, expect, it } from 'vitest';
import { pii } from '#ext-proc/sanitation/detectors/pii.ts';
import { foundIn } from '#test/support/found-in.ts';

const ALL = { countries: ['BE', 'DE', 'ES', 'FR', 'GB', 'IT', 'NL', 'PL', 'SE', 'US'] };

describe('data of people, wherever they are from', () => {
  it.each([
    ['email', 'alice.o+tag@mail.example.co.uk'],
    ['email', 'jürgen@bücher.example'],
    ['phone', '+49 (0)30 1234567'],
    ['phone', '+1 415-555-0100'],
    ['phone', '+33123456789'],
    ['card', '4111 1111 1111 1111'],
    ['card', '5555555555554444'],
    ['card', '3782-822463-10005'],
    ['card', '6011111111111117'],
    ['iban', 'DE89 3704 0044 0532 0130 00'],
    ['iban', 'GB29NWBK60161331926819'],
    ['iban', 'FR14 2004 1010 0505 0001 3M02 606'],
    ['iban', 'NL91ABNA0417164300'],
  ])('finds a %s: %s', async (kind, text) => {
    expect(await foundIn(pii, `It is ${text}, as told.`)).toEqual([`${kind}: ${text}`]);
    expect(await foundIn(pii, text)).toEqual([`${kind}: ${text}`]);
  });

  it.each([
    ['a card with a wrong check digit', '4111 1111 1111 1112'],
    ['a number that no issuer has', '9111 1111 1111 1111'],
    ['a card in a longer number', '41111111111111110 and 1-4111111111111111 and x4111111111111111'],
    ['an IBAN with a wrong check', 'DE88 3704 0044 0532 0130 00'],
    ['an IBAN of the wrong length', 'DE89 3704 0044 0532 0130'],
    ['a login', 'git@github.com:owner/repository.git and root@host.example'],
    ['a package and a decorator', 'name@1.2.3 @scope/name @Injectable()'],
    ['a sum', 'up by +120000000 and 1+1234567'],
    ['ids and times', '550e8400-e29b-41d4-a716-446655440000 2026-11-26T14:31:00+01:00 1764167460123'],
    ['versions and addresses', '10.20.30.40:8080 v1.22.333 sha256:0123456789abcdef'],
  ])('lets be %s', async (_, text) => {
    expect(await foundIn(pii, text)).toEqual([]);
  });
});

describe('numbers of the countries that are asked for', () => {
  it.each([
    ['DE', 'national-id', '86095742719'],
    ['DE', 'national-id', '65 170839 J 003'],
    ['FR', 'national-id', '1 84 12 76 451 089 46'],
    ['FR', 'national-id', '255081416802538'],
    ['ES', 'national-id', '12345678Z'],
    ['ES', 'national-id', 'X1234567L'],
    ['IT', 'national-id', 'RSSMRA85T10A562S'],
    ['BE', 'national-id', '85.07.30-033.28'],
    ['BE', 'national-id', '17073003384'],
    ['PL', 'national-id', '44051401359'],
    ['SE', 'national-id', '811218-9876'],
    ['SE', 'national-id', '198112189876'],
    ['GB', 'national-id', 'AB 12 34 56 C'],
    ['GB', 'national-id', 'AB123456C'],
    ['US', 'national-id', '536-90-4399'],
    ['US', 'phone', '415-555-0100'],
    ['US', 'phone', '(415) 555-0100'],
    ['GB', 'phone', '020 7946 0958'],
    ['FR', 'phone', '01 23 45 67 89'],
    ['DE', 'phone', '0170/1234567'],
    ['ES', 'phone', '612 345 678'],
    ['IT', 'phone', '347 1234567'],
    ['NL', 'phone', '06-12345678'],
    ['BE', 'phone', '0470 12 34 56'],
    ['PL', 'phone', '512 345 678'],
    ['SE', 'phone', '070-123 45 67'],
  ])('of %s: a %s, %s', async (country, kind, text) => {
    expect(await foundIn(pii, `No. ${text}, as told.`, { countries: [country] })).toEqual([
      `${kind}: ${text}`,
    ]);
    expect(await foundIn(pii, `No. ${text}, as told.`)).toEqual([]);
  });

  it.each([
    ['NL', 'BSN: 111222333', '111222333'],
    ['GB', 'NHS number 943 476 5919', '943 476 5919'],
    ['US', 'SSN 536904399', '536904399'],
  ])('of %s with the word that says so: %s', async (country, text, part) => {
    expect(await foundIn(pii, text, { countries: [country] })).toEqual([`national-id: ${part}`]);
    expect(await foundIn(pii, `Order ${part}`, { countries: [country] })).toEqual([]);
  });

  it.each([
    ['another check digit', '86095742718 12345678A X1234567A 44051401358 811218-9875 85.07.30-033.27'],
    ['another check digit', 'RSSMRA85T10A562T 1 84 12 76 451 089 47'],
    ['no date', '815218-9873'],
    ['areas that are not given out', '000-12-3456 666-12-3456 900-12-3456 123-00-4567'],
    ['prefixes that are not given out', 'GB123456C BG 12 34 56 C'],
    ['parts of something else', 'ID-44051401359 x811218-9876 2026-11-26 12:30:45'],
  ])('lets be what has %s: %s', async (_, text) => {
    expect(await foundIn(pii, text, ALL)).toEqual([]);
  });
});
