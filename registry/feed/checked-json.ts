// JSON of another process, believed as far as a schema goes.

import { err, ok, type Result } from '#core/result.ts';

/** A value from its bytes; whatever is wrong with it, it is unreadable. */
export const parseChecked = <T>(
  check: { Check(value: unknown): boolean },
  bytes: Uint8Array,
): Result<T, 'unreadable'> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return check.Check(value) ? ok(value as T) : err('unreadable');
  } catch {
    return err('unreadable');
  }
};
