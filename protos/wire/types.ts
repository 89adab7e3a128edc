// Wire types of protobuf and the tags made of them. The few messages that are read and written by hand name their
// fields with these.

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const START_GROUP = 3;
export const END_GROUP = 4;
export const FIXED32 = 5;

/** Tag of a string, bytes or message field. */
export const delimited = (field: number): number => field * 8 + LENGTH_DELIMITED;

/** Tag of a whole number, enum or bool. */
export const varint = (field: number): number => field * 8 + VARINT;

/** Tag of a double. */
export const fixed64 = (field: number): number => field * 8 + FIXED64;
