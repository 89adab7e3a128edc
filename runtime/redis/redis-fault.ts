// An error of Redis or of the way to it as one word. The error itself is never shown: it may carry the command, and with
// that a password.

/** `WRONGPASS`, `OOM`, `ECONNREFUSED`; `FAILED` where nothing is known. */
export const redisFault = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return 'FAILED';
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  return code ?? /^[A-Z]{2,20}\b/.exec(thrown.message)?.[0] ?? 'FAILED';
};
