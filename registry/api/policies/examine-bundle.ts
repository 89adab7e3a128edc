// What a bundle must be before it is kept: an archive that says one thing, signed where the tenant demands it, and a
// policy that passes its trial. One is tried at a time: a trial may use a processor for as long as it lasts.

import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Problem } from '#registry/api/problem.ts';
import type { StoredPolicyBundle } from '#registry/store/policy-bundle.ts';
import { readSignedBundle } from '#runtime/policy/bundle.ts';
import { tryPolicy } from '#runtime/policy/try-policy.ts';

/** Bundles that wait for their trial. */
const MAX_WAITING = 4;

const BUSY: Problem = {
  status: 429,
  code: 'too-many-requests',
  detail: 'Other bundles are being tried.',
  headers: { 'retry-after': '10' },
};

const refusal = (fault: string): Problem => ({
  status: 422,
  code: 'policy-refused',
  detail: 'The bundle is not fit to judge calls.',
  errors: [{ pointer: '', message: fault }],
});

export type ExamineBundle = (
  bytes: Buffer,
  facts: { readonly tenant: Tenant; readonly nowMs: number },
) => Promise<Result<Omit<StoredPolicyBundle, 'number'>, Problem>>;

const examine: ExamineBundle = async (bytes, { tenant, nowMs }) => {
  const { keys = [], requireSignature = false } = tenant.policy ?? {};
  const read = await readSignedBundle(bytes, { keys, nowMs });
  if (!read.ok) return err(refusal(read.error));
  const { bundle, signer } = read.value;
  if (requireSignature && signer === undefined)
    return err(refusal('is not signed, and the tenant demands it'));
  const tried = await tryPolicy(bundle);
  if (!tried.ok) return err(refusal(tried.error));
  return ok({
    digest: bundle.digest,
    revision: bundle.revision,
    size: bytes.length,
    at: new Date(nowMs).toISOString(),
    bytes,
    ...(signer === undefined ? {} : { signedBy: signer.thumbprint, kid: signer.kid }),
  });
};

/** Examines one bundle after the other. */
export const createExamination = (): ExamineBundle => {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (bytes, facts) => {
    if (waiting >= MAX_WAITING) return err(BUSY);
    waiting += 1;
    const examined = last.then(() => examine(bytes, facts));
    last = examined.catch(() => undefined);
    return examined.finally(() => {
      waiting -= 1;
    });
  };
};
