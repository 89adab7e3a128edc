// What a module may be made of, read from its bytes before anything compiles it: code that runs in the memory it is
// given. A memory of its own, or tables without number, would have no bound that anybody has set. Reads sections
// (WebAssembly Core 2.0, 5.5) and no code.

import { err, ok, type Result } from '#core/result.ts';

const MAGIC = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** Sections by id that are counted: OPA's compiler writes one table, and imports its memory. */
const BOUNDS: Readonly<Record<number, { readonly what: string; readonly most: number }>> = {
  4: { what: 'tables', most: 1 },
  5: { what: 'memories of its own', most: 0 },
};

/** Ids up to the data count; what is newer (tags, for one) no policy needs. */
const LAST_SECTION = 12;

/** An unsigned LEB128 of up to 32 bits at `offset`, and where it ends; undefined if it does not end in time. */
const readNumber = (bytes: Uint8Array, offset: number): { value: number; end: number } | undefined => {
  let value = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = bytes[offset + at];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { value, end: offset + at + 1 };
  }
  return undefined;
};

type Section = { readonly id: number; readonly content: Uint8Array; readonly end: number };

const readSection = (bytes: Uint8Array, offset: number): Section | undefined => {
  const id = bytes[offset];
  const size = readNumber(bytes, offset + 1);
  if (id === undefined || size === undefined || size.end + size.value > bytes.length) return undefined;
  const end = size.end + size.value;
  return { id, content: bytes.subarray(size.end, end), end };
};

const judgeSection = ({ id, content }: Section): string | undefined => {
  if (id > LAST_SECTION) return `has a section of unknown kind ${id}`;
  const bound = BOUNDS[id];
  if (bound === undefined) return undefined;
  const count = readNumber(content, 0)?.value ?? Number.POSITIVE_INFINITY;
  return count > bound.most ? `has ${count} ${bound.what}` : undefined;
};

/** Nothing against the module; or what, of a subject left out: `has 1 memories of its own`. */
export const judgeModule = (bytes: Uint8Array): Result<true, string> => {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) return err('is no WebAssembly module');
  for (let offset = MAGIC.length; offset < bytes.length; ) {
    const section = readSection(bytes, offset);
    if (section === undefined) return err('ends within a section');
    const fault = judgeSection(section);
    if (fault !== undefined) return err(fault);
    offset = section.end;
  }
  return ok(true);
};
