// What a fuzz target is: bytes that anybody may send, how they are made, and what must hold of whatever they are. Every
// input is bytes, so that one corpus of plain files serves all targets and a finding is kept as it was met.

import fc from 'fast-check';

export type Target = {
  /** Of `--only`, and of its folder in the corpus. */
  readonly name: string;
  /** How often the short run of the suite tries it. */
  readonly shortRuns: number;
  /** @param corpus what was kept of it. */
  readonly inputs: (corpus: readonly Buffer[]) => fc.Arbitrary<Buffer>;
  /** @throws what does not hold */
  readonly holds: (input: Buffer) => void | Promise<void>;
};

/** Stops a property with what does not hold. */
export const demand = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

type Edit = { readonly at: number; readonly cut: number; readonly put: Buffer };

const edited = (bytes: Buffer, { at, cut, put }: Edit): Buffer => {
  const start = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
};

/** Most edits of one input: a text that is broken in many places is refused at the first. */
const MAX_EDITS = 4;
const MAX_CUT = 12;

/**
 * Known inputs with a few places changed: what lies one step beside what is accepted is where readers come to disagree.
 * @param snippets what is worth putting in.
 */
export const changed = (known: readonly Buffer[], snippets: readonly string[]): fc.Arbitrary<Buffer> => {
  const put = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('', ...snippets).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)) },
  );
  const edit = fc.record({ at: fc.nat(4_000), cut: fc.nat(MAX_CUT), put });
  return fc
    .tuple(fc.constantFrom(Buffer.alloc(0), ...known), fc.array(edit, { maxLength: MAX_EDITS }))
    .map(([bytes, edits]) => edits.reduce(edited, bytes));
};

/** Bytes of any kind. */
export const anyBytes: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 64 })
  .map((bytes) => Buffer.from(bytes));

/** A value as the bytes of its JSON. */
export const asJson = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<Buffer> =>
  values.map((value) => Buffer.from(JSON.stringify(value)));
