// A text in a message and where it stands.

import type { JsonPath } from '#ext-proc/message/edit-json.ts';

export type TextPlace = {
  /** Of the string in the message. */
  readonly path: JsonPath;
  /** Where that string is a JSON text: of the value in it. */
  readonly inner?: JsonPath;
  readonly text: string;
  /** True: the text is the name of the member that the path leads to. */
  readonly isKey: boolean;
  /** True where people and models read it; false where a program may rely on its form, and nothing is added to it. */
  readonly isProse: boolean;
  /** Name of the member it is the value of, where that says that the value is a secret; else empty. */
  readonly lead: string;
};
