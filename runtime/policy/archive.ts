// Opens what `opa build` writes: a gzipped tar of a few files with plain names. It comes from outside, so it is opened in
// memory, up to a size, and what could mean a file elsewhere, or two things under one name, is no archive. Knows nothing
// of policies.

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { err, ok, type Result } from '#core/result.ts';

/** Longest archive read, bytes: the default policy has 70 KB, and every process that judges by one keeps it. */
export const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

/** All files together, bytes: a kilobyte of gzip can say a megabyte of zeros. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

const MAX_FILES = 500;

const BLOCK_BYTES = 512;

/** By name without a leading slash: `policy.wasm`. */
export type ArchiveFiles = ReadonlyMap<string, Buffer>;

const inflate = async (bytes: Uint8Array): Promise<Result<Buffer, string>> => {
  try {
    return ok(await promisify(gunzip)(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }));
  } catch (thrown) {
    const isTooLarge = (thrown as { readonly code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    return err(isTooLarge ? `unpacks to more than ${MAX_UNPACKED_BYTES} bytes` : 'is not gzip');
  }
};

const textAt = (block: Buffer, start: number, length: number): string => {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
};

/** Octal, as every tar writer can; a number in another notation could be read as another size. */
const numberAt = (block: Buffer, start: number, length: number): number | undefined => {
  const text = textAt(block, start, length).trim();
  return /^[0-7]{1,11}$/.test(text) ? Number.parseInt(text, 8) : undefined;
};

/** POSIX ustar: the sum of all bytes, with the field of the sum itself as spaces. */
const isWhole = (block: Buffer): boolean => {
  const spaces = 8 * 0x20;
  const sum = block.reduce((total, byte, at) => (at >= 148 && at < 156 ? total : total + byte), spaces);
  return numberAt(block, 148, 8) === sum;
};

const nameIn = (block: Buffer): string => {
  const isUstar = textAt(block, 257, 5) === 'ustar';
  const prefix = isUstar ? textAt(block, 345, 155) : '';
  return prefix === '' ? textAt(block, 0, 100) : `${prefix}/${textAt(block, 0, 100)}`;
};

/** Neither a way out of the bundle nor a second spelling of a name. */
const plainName = (name: string): string | undefined => {
  const plain = name.replace(/^\.?\//, '');
  const isPlain = /^[A-Za-z0-9._/ -]+$/.test(plain);
  const parts = plain.split('/');
  return isPlain && parts.every((part) => !['', '.', '..'].includes(part)) ? plain : undefined;
};

type Entry = { readonly name: string; readonly kind: 'file' | 'folder'; readonly size: number };

const KINDS: Readonly<Record<string, Entry['kind']>> = { '0': 'file', '\0': 'file', '5': 'folder' };

const readEntry = (block: Buffer): Result<Entry, string> => {
  if (!isWhole(block)) return err('holds a header with a wrong checksum');
  const name = nameIn(block);
  const kind = KINDS[String.fromCharCode(block[156] ?? 0)];
  if (kind === undefined) return err(`holds ${JSON.stringify(name)}, which is neither a file nor a folder`);
  const size = numberAt(block, 124, 12);
  if (size === undefined) return err(`does not say how long ${JSON.stringify(name)} is`);
  if (kind === 'folder') return ok({ name, kind, size });
  const plain = plainName(name);
  return plain === undefined
    ? err(`holds ${JSON.stringify(name)}, which is no plain name of a file`)
    : ok({ name: plain, kind, size });
};

type Member = Entry & { readonly content: Buffer; readonly end: number };

const readMember = (tar: Buffer, offset: number): Result<Member, string> => {
  const start = offset + BLOCK_BYTES;
  const entry = readEntry(tar.subarray(offset, start));
  if (!entry.ok) return entry;
  const { name, size } = entry.value;
  if (start + size > tar.length) return err(`ends within ${name}`);
  const end = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  return ok({ ...entry.value, content: tar.subarray(start, start + size), end });
};

/** What follows the last file; anything but zeros would be a part that others may read. */
const isEnd = (tar: Buffer, offset: number): boolean =>
  offset + BLOCK_BYTES > tar.length || tar.subarray(offset, offset + BLOCK_BYTES).every((byte) => byte === 0);

const readFiles = (tar: Buffer): Result<ArchiveFiles, string> => {
  const files = new Map<string, Buffer>();
  let offset = 0;
  while (!isEnd(tar, offset)) {
    const member = readMember(tar, offset);
    if (!member.ok) return member;
    const { name, kind, content, end } = member.value;
    if (files.has(name)) return err(`holds ${name} twice`);
    if (kind === 'file') files.set(name, content);
    if (files.size > MAX_FILES) return err(`holds more than ${MAX_FILES} files`);
    offset = end;
  }
  const hasMore = tar.subarray(offset).some((byte) => byte !== 0);
  return hasMore ? err('goes on after its end') : ok(files);
};

/** The files of an archive. The error says what is wrong with it, of a subject left out: `holds x twice`. */
export const openArchive = async (bytes: Uint8Array): Promise<Result<ArchiveFiles, string>> => {
  if (bytes.length > MAX_BUNDLE_BYTES) return err(`is longer than ${MAX_BUNDLE_BYTES} bytes`);
  const tar = await inflate(bytes);
  return tar.ok ? readFiles(tar.value) : tar;
};
