// The trace a request belongs to, as the caller says it (W3C Trace Context, header `traceparent`). It is believed for
// that alone: which trace our spans are shown in.

export type TraceParent = { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean };

/** Later versions begin like version 00; `ff` is none (W3C Trace Context, §3.2.2). */
const FORM = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const SAMPLED = 1;

/** Undefined where the header is absent or malformed: the span then begins a trace of its own (§4.3). */
export const parseTraceparent = (header: string | undefined): TraceParent | undefined => {
  const [, version, traceId, spanId, flags, rest] = FORM.exec(header ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
};
