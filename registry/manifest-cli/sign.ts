// `manifest:sign`: lints a manifest and prints the value of X-JWS-Signature for its exact bytes. What the registry
// would refuse for itself is not signed.

import { randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import type { SignatureAlgorithm } from '#core/signature-algorithm.ts';
import { SIGNATURE_ALGORITHMS } from '#core/signature-algorithm.ts';
import { errorsOf, lintManifest } from '#registry/manifest/lint/lint.ts';
import { parseManifest } from '#registry/manifest/parse-manifest.ts';
import { signManifest } from '#registry/manifest/sign-manifest.ts';
import { MAX_LIFETIME_SECONDS, tenantAudience } from '#registry/manifest/verify-signature.ts';
import {
  type Command,
  describeFinding,
  type Options,
  readArguments,
  readBytes,
  readJwk,
  stop,
} from '#registry/manifest-cli/command.ts';

const USAGE =
  'usage: npm run -s manifest:sign -- <manifest> --key <private JWK file> --tenant <id> [--kid <name>] [--lifetime <seconds>]';

const DEFAULT_LIFETIME = '600';

const isAlgorithm = (alg: unknown): alg is SignatureAlgorithm =>
  SIGNATURE_ALGORITHMS.some((known) => known === alg);

const headerOf = (jwk: object, options: Options, nowSeconds: number) => {
  const { alg, kid: ownKid, d } = jwk as Readonly<Record<string, unknown>>;
  const kid = options['kid'] ?? ownKid;
  if (typeof d !== 'string' || !isAlgorithm(alg)) return stop('--key holds no private JWK with an alg');
  if (typeof kid !== 'string') return stop('the key has no kid; name it with --kid');
  const lifetime = Number(options['lifetime'] ?? DEFAULT_LIFETIME);
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > MAX_LIFETIME_SECONDS)
    return stop(`--lifetime is a number of seconds from 1 to ${MAX_LIFETIME_SECONDS}`);
  const aud = tenantAudience(options['tenant'] ?? '');
  return { alg, kid, aud, iat: nowSeconds, exp: nowSeconds + lifetime, jti: randomUUID() };
};

const lint = (bytes: Buffer): { readonly notes: string[]; readonly failed: boolean } => {
  const manifest = parseManifest(bytes);
  if (!manifest.ok)
    return {
      notes: manifest.error.faults.map(({ pointer, message }) => `error: ${pointer} ${message}`),
      failed: true,
    };
  const findings = lintManifest(manifest.value, []);
  return { notes: findings.map(describeFinding), failed: errorsOf(findings).length > 0 };
};

export const sign: Command = async (args, nowSeconds) => {
  const { options, files } = readArguments(args, {
    options: ['key', 'tenant', 'kid', 'lifetime'],
    files: 1,
    usage: USAGE,
  });
  const [file] = files;
  if (file === undefined || options['key'] === undefined || options['tenant'] === undefined)
    return stop(USAGE);
  const jwk = await readJwk(options['key']);
  const header = headerOf(jwk, options, nowSeconds);
  const bytes = await readBytes(file);
  const { notes, failed } = lint(bytes);
  if (failed) return { output: '', notes: [...notes, 'not signed'], failed };
  const output = await signManifest(bytes, jwk as JWK, header).catch(() =>
    stop('the key cannot sign with its alg'),
  );
  return { output, notes, failed };
};
