import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_BUNDLE_BYTES, openArchive } from '#runtime/policy/archive.ts';
import { archiveOf, type TarEntry, tarOf } from '#test/support/tenant-bundle.ts';

const FILE: TarEntry = { name: '/data.json', content: '{}' };

const faultOf = async (bytes: Uint8Array): Promise<string> => {
  const opened = await openArchive(bytes);
  return opened.ok ? 'opened' : opened.error;
};

describe('openArchive', () => {
  it('finds files by plain names, however the archive begins them', async () => {
    const opened = await openArchive(
      archiveOf([
        { name: './', type: '5' },
        FILE,
        { name: './mcp/a.rego', content: 'package a' },
        { name: 'policy.wasm', content: Buffer.alloc(513, 1) },
      ]),
    );
    expect(opened.ok && [...opened.value].map(([name, { length }]) => [name, length])).toEqual([
      ['data.json', 2],
      ['mcp/a.rego', 9],
      ['policy.wasm', 513],
    ]);
  });

  it.each([
    '../data.json',
    '/../data.json',
    'a/../../data.json',
    'a/./data.json',
    '//data.json',
    'a//data.json',
    'a\\data.json',
    '..',
    'data.json\n',
    'dаta.json',
    '',
  ])('refuses the name %j', async (name) => {
    expect(await faultOf(archiveOf([{ name, content: '{}' }]))).toMatch(/no plain name/);
  });

  it.each([
    ['a symbolic link', { name: 'data.json', type: '2', linkName: '/etc/passwd' }],
    ['a hard link', { name: 'data.json', type: '1', linkName: 'policy.wasm' }],
    ['a device', { name: 'data.json', type: '3' }],
    ['a pipe', { name: 'data.json', type: '6' }],
    ['a name in another notation', { name: 'pax', type: 'x', content: '20 path=data.json\n' }],
    ['a long name in another notation', { name: '././@LongLink', type: 'L', content: 'data.json' }],
    ['a file with holes', { name: 'data.json', type: 'S' }],
  ] as const)('refuses %s', async (_what, entry) => {
    expect(await faultOf(archiveOf([entry]))).toMatch(/neither a file nor a folder/);
  });

  it.each([
    ['twice the same', [FILE, FILE]],
    ['the same in two spellings', [FILE, { name: './data.json', content: '{"a": 1}' }]],
  ] as const)('refuses a file that is there %s', async (_how, entries) => {
    expect(await faultOf(archiveOf(entries))).toBe('holds data.json twice');
  });

  it('refuses what unpacks to far more than it is', async () => {
    const bomb = archiveOf([{ name: 'data.json', content: Buffer.alloc(17 * 1024 * 1024) }]);
    expect(bomb.length).toBeLessThan(100_000);
    expect(await faultOf(bomb)).toMatch(/unpacks to more than/);
  });

  it('refuses what is too long before it opens it', async () => {
    expect(await faultOf(Buffer.alloc(MAX_BUNDLE_BYTES + 1))).toMatch(/is longer than/);
  });

  it('refuses too many files', async () => {
    const files = Array.from({ length: 501 }, (_, at) => ({ name: `${at}.rego`, content: '' }));
    expect(await faultOf(archiveOf(files))).toMatch(/more than 500 files/);
  });

  it.each([
    ['is no gzip', Buffer.from('PK\x03\x04'), /not gzip/],
    ['is cut off', archiveOf([FILE]).subarray(0, 40), /not gzip/],
    ['is empty', Buffer.alloc(0), /not gzip/],
    [
      'says a file is longer than the archive',
      archiveOf([{ ...FILE, size: '77777777777\0' }]),
      /ends within/,
    ],
    ['says a length as base 256', archiveOf([{ ...FILE, size: '\x80\0\0\0\0\0\0\0\0\0\0\x02' }]), /how long/],
    ['says a negative length', archiveOf([{ ...FILE, size: '-0000000001\0' }]), /how long/],
    [
      'goes on after its end',
      gzipSync(Buffer.concat([tarOf([FILE]), tarOf([{ name: 'b.rego', content: '' }])])),
      /goes on after its end/,
    ],
    [
      'has a header that was changed',
      gzipSync(Buffer.from(tarOf([FILE]).toString('latin1').replace('data', 'date'), 'latin1')),
      /wrong checksum/,
    ],
  ])('refuses one that %s', async (_what, bytes, fault) => {
    expect(await faultOf(bytes)).toMatch(fault);
  });
});
