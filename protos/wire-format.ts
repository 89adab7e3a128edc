// The few pieces of protobuf's wire format that are written by hand, where a message is put together of parts that are
// encoded already (protobuf.dev, "encoding": length-delimited fields).

const LENGTH_DELIMITED = 2;

const varint = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
};

/** What stands before so many bytes of a length-delimited field. */
export const fieldHead = (field: number, length: number): Buffer =>
  Buffer.from([...varint(field * 8 + LENGTH_DELIMITED), ...varint(length)]);

export const stringField = (field: number, text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([fieldHead(field, bytes.length), bytes]);
};
