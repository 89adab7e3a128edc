// A bundle of a tenant, read from the archive that `opa build -t wasm` made: the module, its data, its revision, and who
// signed it. What would be ignored is refused: whoever put it there believes that it counts.

import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { PublisherKey } from '#core/publisher.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type ArchiveFiles, openArchive } from '#runtime/policy/archive.ts';
import { type Signer, verifySignature } from '#runtime/policy/signature.ts';
import { judgeModule } from '#runtime/policy/wasm-shape.ts';

const MODULE = 'policy.wasm';

/** Every instance holds its data ten times over; what a call needs belongs into its input. */
const MAX_DATA_BYTES = 1024 * 1024;

const MAX_REVISION_LENGTH = 256;

export type PolicyBundle = {
  /** SHA-256 of the archive, hex. */
  readonly digest: string;
  readonly wasm: Buffer;
  readonly data: JsonObject;
  /** The author's word for it (`opa build --revision`); empty if he gave none. */
  readonly revision: string;
};

export const digestOfBundle = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Rego in it is for people; it was compiled into the module. */
const isKnown = (name: string): boolean =>
  [MODULE, 'data.json', '.manifest', '.signatures.json'].includes(name) || name.endsWith('.rego');

const parseObject = (files: ArchiveFiles, name: string): Result<JsonObject, string> => {
  const file = files.get(name);
  if (file === undefined) return ok({});
  if (file.length > MAX_DATA_BYTES) return err(`holds ${name} of more than ${MAX_DATA_BYTES} bytes`);
  try {
    const value = JSON.parse(file.toString('utf8')) as Json;
    return isJsonObject(value) ? ok(value) : err(`holds ${name} that is no object`);
  } catch {
    return err(`holds ${name} that is no JSON`);
  }
};

const readFiles = (files: ArchiveFiles): Result<Omit<PolicyBundle, 'digest'>, string> => {
  const foreign = [...files.keys()].find((name) => !isKnown(name));
  if (foreign !== undefined) return err(`holds ${foreign}, which would be ignored`);
  const wasm = files.get(MODULE);
  if (wasm === undefined) return err(`holds no /${MODULE}: build it with opa build -t wasm`);
  const sound = judgeModule(wasm);
  if (!sound.ok) return err(`holds /${MODULE}, which ${sound.error}`);
  const manifest = parseObject(files, '.manifest');
  if (!manifest.ok) return manifest;
  const { revision = '' } = manifest.value;
  if (typeof revision !== 'string' || revision.length > MAX_REVISION_LENGTH)
    return err(`has a revision that is no text of up to ${MAX_REVISION_LENGTH} characters`);
  const data = parseObject(files, 'data.json');
  return data.ok ? ok({ wasm, data: data.value, revision }) : data;
};

/** A bundle that was verified when it was uploaded: its bytes are those, by their digest, and nobody signs them anew. */
export const readBundle = async (bytes: Uint8Array): Promise<Result<PolicyBundle, string>> => {
  const files = await openArchive(bytes);
  if (!files.ok) return files;
  const read = readFiles(files.value);
  return read.ok ? ok({ digest: digestOfBundle(bytes), ...read.value }) : read;
};

/** A bundle that is new here, and who signed it, if anybody did. The error says what is wrong, of a subject left out. */
export const readSignedBundle = async (
  bytes: Uint8Array,
  trust: { readonly keys: readonly PublisherKey[]; readonly nowMs: number },
): Promise<Result<{ readonly bundle: PolicyBundle; readonly signer: Signer | undefined }, string>> => {
  const files = await openArchive(bytes);
  if (!files.ok) return files;
  const signer = await verifySignature(files.value, trust);
  if (!signer.ok) return signer;
  const read = readFiles(files.value);
  return read.ok
    ? ok({ bundle: { digest: digestOfBundle(bytes), ...read.value }, signer: signer.value })
    : read;
};
