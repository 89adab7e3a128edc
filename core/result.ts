// A step either yields its value or the reason it cannot. Expected refusals travel as values;
// exceptions are for broken machinery only (see gateway-error.ts).

export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });

export const err = <E>(error: E): Result<never, E> => ({ ok: false, error });
