// The key of the demo's publisher: made at the first start, kept in a file only its owner can read. The registry gets
// its public half, as it would from a team in another building.

import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PublisherKey } from '#core/publisher.ts';

export const PUBLISHER_KID = 'demo-publisher-1';

export const publisherKeyFile = (localDirectory: string): string =>
  join(localDirectory, 'publisher', `${PUBLISHER_KID}.jwk`);

type PrivateJwk = { readonly crv: string; readonly x: string; readonly y: string };

/** The public half of the key in `localDirectory`, which is made if there is none. */
export const ensurePublisherKey = (localDirectory: string): PublisherKey => {
  const file = publisherKeyFile(localDirectory);
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const secret = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', kid: PUBLISHER_KID };
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify(secret)}\n`, { mode: 0o600 });
  }
  chmodSync(file, 0o600);
  const { crv, x, y } = JSON.parse(readFileSync(file, 'utf8')) as PrivateJwk;
  return { kid: PUBLISHER_KID, jwk: { kty: 'EC', alg: 'ES256', crv, x, y } };
};
