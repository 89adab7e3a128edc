// Reads files out of what `opa build` writes: a gzipped tar archive with short names. Nothing is unpacked to disk.

import { gunzipSync } from 'node:zlib';
import { GatewayError } from '#core/gateway-error.ts';

const BLOCK_BYTES = 512;

const textAt = (archive: Buffer, start: number, length: number): string =>
  archive.toString('utf8', start, start + length).replace(/\0.*$/s, '');

/**
 * The content of the file called `name` (as in `/policy.wasm`).
 * @throws GatewayError `policy_failed` if the archive does not hold it.
 */
export const readFromBundle = (gzipped: Buffer, name: string): Buffer => {
  const archive = gunzipSync(gzipped);
  for (let offset = 0; offset + BLOCK_BYTES <= archive.length; ) {
    const size = Number.parseInt(textAt(archive, offset + 124, 12), 8) || 0;
    const start = offset + BLOCK_BYTES;
    if (textAt(archive, offset, 100) === name) return archive.subarray(start, start + size);
    offset = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  throw new GatewayError('policy_failed', `the bundle holds no ${name}`);
};
