// What is wrong with a policy, in the form its author can act on: where, what, and what to do about it. Pure.

export type PolicyFault = {
  /** As the author's editor would open it. */
  readonly file: string;
  /** Line of the file, from 1. */
  readonly line: number;
  readonly message: string;
  /** What to do, as an order. */
  readonly remedy: string;
};

/** One fault on one line. */
export const faultLine = ({ file, line, message, remedy }: PolicyFault): string =>
  `${file}:${line}: ${message.replaceAll(/\s*\n\s*/g, ' ')}. ${remedy}.`;
