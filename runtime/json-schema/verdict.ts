// What comes of holding a value against a JSON Schema. No verdict holds a byte of the value: a place in it is told by
// the names the schema itself uses.

/** Why a schema is not used at all. */
export type UnusableCause =
  /** More values, text or depth than are read. */
  | 'size'
  /** `$schema` names a dialect that is not known here. */
  | 'dialect'
  /** A reference that leads out of the schema, to nothing, or to two things. */
  | 'reference'
  /** A regular expression that has no linear-time form (look-around, back-reference), or too many of them. */
  | 'pattern'
  /** A keyword with a value that it cannot have. */
  | 'keyword';

/** `key`: a member or an index; `named` is false where the name is the sender's own and no word of the schema. */
export type FaultStep = { readonly key: string | number; readonly named: boolean };

/** The first fault that was found. */
export type SchemaFault = {
  /** The keyword that was not met; `false` where the schema is that. */
  readonly keyword: string;
  /** From the root to the value at fault; of `required` it leads to the member that is missing. */
  readonly path: readonly FaultStep[];
};

export type SchemaVerdict =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid'; readonly fault: SchemaFault }
  | { readonly kind: 'unusable'; readonly cause: UnusableCause }
  /** The work it takes is out of all proportion to the value. */
  | { readonly kind: 'exhausted' };

/** Longest pointer that is told, characters. */
const MAX_POINTER = 256;

const tokenOf = ({ key, named }: FaultStep): string =>
  named ? String(key).replaceAll('~', '~0').replaceAll('/', '~1') : '*';

/**
 * Where a fault is, as a JSON Pointer (RFC 6901) in which `*` stands for every name that is not the schema's own: keys of
 * a map may be addresses of people.
 */
export const faultPointer = ({ path }: SchemaFault): string =>
  path
    .map((step) => `/${tokenOf(step)}`)
    .join('')
    .slice(0, MAX_POINTER);
