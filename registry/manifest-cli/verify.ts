// `manifest:verify`: what the registry would say of these bytes and this signature, or did say when it took them.
// Needs no registry: the public key comes as `manifest:keygen` printed it.

import type { PublisherKey } from '#core/publisher.ts';
import { authenticateManifest } from '#registry/manifest/judge-manifest.ts';
import { lintManifest } from '#registry/manifest/lint/lint.ts';
import { parseManifest } from '#registry/manifest/parse-manifest.ts';
import { parseSignatureHeader } from '#registry/manifest/signature-header.ts';
import { tenantAudience } from '#registry/manifest/verify-signature.ts';
import {
  type Command,
  describeFinding,
  readArguments,
  readBytes,
  readJwk,
  stop,
} from '#registry/manifest-cli/command.ts';

const USAGE =
  'usage: npm run -s manifest:verify -- <manifest> --signature <file> --key <public key file> --tenant <id> [--at <RFC 3339 time>]';

const momentOf = (at: string | undefined, nowSeconds: number): number => {
  const ms = at === undefined ? nowSeconds * 1_000 : Date.parse(at);
  return Number.isNaN(ms) ? stop('--at is no time, e.g. 2026-01-31T12:00:00Z') : Math.floor(ms / 1_000);
};

/** Whom the key belongs to is the registry's knowledge; here it may speak for the server the manifest names. */
const publisherOf = (key: PublisherKey, bytes: Buffer) => {
  const parsed = parseManifest(bytes);
  return {
    id: 'holder-of-the-key',
    displayName: 'Holder of the key',
    keys: [key],
    servers: parsed.ok ? [parsed.value.manifest.server] : [],
  };
};

export const verify: Command = async (args, nowSeconds) => {
  const { options, files } = readArguments(args, {
    options: ['signature', 'key', 'tenant', 'at'],
    files: 1,
    usage: USAGE,
  });
  const [file] = files;
  const { signature: signatureFile, key: keyFile, tenant, at } = options;
  if (file === undefined || signatureFile === undefined || keyFile === undefined || tenant === undefined)
    return stop(USAGE);
  const key = (await readJwk(keyFile)) as unknown as PublisherKey;
  if (typeof key.kid !== 'string' || typeof key.jwk?.alg !== 'string')
    return stop('--key is what manifest:keygen prints: {"kid": …, "jwk": {…, "alg": …}}');
  const bytes = await readBytes(file);
  const signature = (await readBytes(signatureFile)).toString('utf8').trim();
  const result = await authenticateManifest(
    { bytes, signature },
    {
      publishers: [publisherOf(key, bytes)],
      audiences: audiencesFor(tenant, signature),
      nowSeconds: momentOf(at, nowSeconds),
    },
  );
  if (!result.ok) {
    const { code, faults } = result.error;
    return {
      output: '',
      notes: faults.map(({ pointer, message }) => `${code}: ${pointer} ${message}`),
      failed: true,
    };
  }
  const { manifest, digest, kid } = result.value;
  return {
    output: JSON.stringify({ server: manifest.server, version: manifest.version, digest, kid }),
    notes: lintManifest(result.value, []).map(describeFinding),
    failed: false,
  };
};

/** The URL of a registry is as good an audience as the tenant, and only that registry knows its own. */
const audiencesFor = (tenant: string, signature: string): string[] => {
  const parts = parseSignatureHeader(signature);
  const named = parts.ok ? parts.value.header.aud : '';
  return [tenantAudience(tenant), ...(/^https?:/.test(named) ? [named] : [])];
};
