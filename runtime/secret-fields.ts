// The second fence around what is logged: members whose names say that they hold a credential, left by a library in an error
// or a request. What must never be printed is a Secret already. Every line passes here, so it copies only what it changes.

const CENSOR = '[redacted]';

const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'token',
  'assertion',
  'client_secret',
  'access_token',
  'password',
  'cookie',
]);

/** As deep as the headers in the request in what is logged. */
const DEPTH = 3;

/** Members that others do not see (an error's message, a text an object makes of itself) must not get lost or come to light. */
const copyOf = (value: object): Record<string, unknown> | undefined => {
  if ('toJSON' in value) return undefined;
  if (!(value instanceof Error)) return { ...value };
  const { name, message, stack } = value;
  return { ...{ name, message, stack }, ...(value as object) };
};

const fence = (value: unknown, depth: number): unknown => {
  if (typeof value !== 'object' || value === null || depth === 0 || ArrayBuffer.isView(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const kept = SECRET_FIELDS.has(name) ? CENSOR : fence(member, depth - 1);
    if (kept === member) continue;
    copy ??= copyOf(value);
    if (copy === undefined) return CENSOR;
    copy[name] = kept;
  }
  return copy ?? value;
};

/** The same object where it holds no such member within three levels; else a copy in which they are censored. */
export const withoutSecretFields = (logged: Record<string, unknown>): Record<string, unknown> => {
  const kept = fence(logged, DEPTH);
  return typeof kept === 'object' ? (kept as Record<string, unknown>) : { redacted: kept };
};
