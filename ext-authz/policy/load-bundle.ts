// From a digest to a policy that may judge: its bytes from the disk or from the registry, read, and tried unless it has
// judged here before. Two are tried at a time: each has a thread of its own for as long as it takes.

import { err, ok, type Result } from '#core/result.ts';
import type { BundleFiles } from '#ext-authz/policy/bundle-files.ts';
import { type PolicyBundle, readBundle } from '#runtime/policy/bundle.ts';
import { tryPolicy } from '#runtime/policy/try-policy.ts';

const MAX_TRIALS = 2;

export type BundleName = { readonly tenant: string; readonly digest: string };

/** `mayPass`: what stood in the way may be gone the next time. */
export type LoadFault = { readonly message: string; readonly mayPass: boolean };

export type LoadBundle = (
  name: BundleName,
  options: { readonly isProven: boolean },
) => Promise<Result<PolicyBundle, LoadFault>>;

/** At most so many at once, in the order in which they came. */
const createSlots = (count: number) => {
  let free = count;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
};

const FETCH_FAULTS = {
  unknown: 'the registry has no such bundle',
  unreachable: 'the registry did not bring the bundle',
} as const;

/** @param parts.fetchBundle asks the registry; what it gives is of the digest. */
export const createBundleLoader = (parts: {
  readonly files: BundleFiles;
  readonly fetchBundle: (name: BundleName) => Promise<Result<Buffer, keyof typeof FETCH_FAULTS>>;
}): LoadBundle => {
  const inSlot = createSlots(MAX_TRIALS);
  const find = async (name: BundleName): Promise<Result<Buffer, LoadFault>> => {
    const kept = await parts.files.read(name.digest);
    if (kept !== undefined) return ok(kept);
    const fetched = await parts.fetchBundle(name);
    if (!fetched.ok) return err({ message: FETCH_FAULTS[fetched.error], mayPass: true });
    await parts.files.keep(name.digest, fetched.value);
    return fetched;
  };
  return async (name, { isProven }) => {
    const bytes = await find(name);
    if (!bytes.ok) return bytes;
    const bundle = await readBundle(bytes.value);
    if (!bundle.ok) return err({ message: bundle.error, mayPass: false });
    if (isProven) return bundle;
    const tried = await inSlot(() => tryPolicy(bundle.value));
    return tried.ok ? bundle : err({ message: tried.error, mayPass: false });
  };
};
