// The signature of a manifest and the manifest itself, and the parts of a token before anybody believes them: read without
// a throw, and read as JSON.parse and jose read them.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { looksLikeJwt, parseTokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { lintManifest } from '#registry/manifest/lint/lint.ts';
import { parseManifest } from '#registry/manifest/parse-manifest.ts';
import { parseSignatureHeader } from '#registry/manifest/signature-header.ts';
import { demandOneReading, hasPrototypeKey } from '#test/fuzz/json-agreement.ts';
import { anyBytes, changed, demand, type Target } from '#test/fuzz/target.ts';

const JSON_SNIPPETS = [
  ...[
    '"alg":"none",',
    '"alg":"HS256",',
    '"alg":"ES256",',
    '"crit":["b64","x"],',
    '"b64":true,',
    '"kid":"other",',
  ],
  ...[
    '"iss":"https://evil.example",',
    '"__proto__":{},',
    '"aud":"",',
    '"exp":1e99,',
    '9007199254740993',
    '\\ud800',
  ],
  ...[
    '"server":"other",',
    '"schemaVersion":"1",',
    '"tools":[],',
    '\ufeff',
    '\0',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    '\\',
    'null',
  ],
];

/** Parts of a JWS, each text or JSON in base64url, with the dots where they belong or not. */
const compact = (corpus: readonly Buffer[]): fc.Arbitrary<Buffer> => {
  const part = changed(corpus, JSON_SNIPPETS).map((bytes) => bytes.toString('base64url'));
  return fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('.', '..', ' .', '.='))
    .map(([parts, between]) => Buffer.from(parts.join(between)));
};

const texts = (corpus: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 5, arbitrary: compact(corpus.filter((each) => each[0] === 0x7b)) },
    { weight: 4, arbitrary: changed(corpus, ['.', '..', '=', ' ', 'A', '-', '_', '+', '/']) },
    { weight: 1, arbitrary: anyBytes },
  );

export const signatureHeader: Target = {
  name: 'signature-header',
  shortRuns: 3_000,
  inputs: texts,
  holds: (bytes) => {
    const value = bytes.toString('latin1');
    const read = parseSignatureHeader(value);
    if (!read.ok) return demand(read.error.code !== undefined, 'a refusal without a code');
    const decoded = Buffer.from(read.value.protected, 'base64url');
    demandOneReading(decoded, JSON.parse(decoded.toString('utf8')));
    const theirs = decodeProtectedHeader({ protected: read.value.protected, payload: '', signature: '' });
    demand(isDeepStrictEqual({ ...theirs }, { ...read.value.header }), 'jose reads another header');
    demand(value === `${read.value.protected}..${read.value.signature}`, 'something of it was not read');
  },
};

export const tokenParts: Target = {
  name: 'token-parts',
  shortRuns: 3_000,
  inputs: texts,
  holds: (bytes) => {
    const token = bytes.toString('latin1');
    looksLikeJwt(token);
    const read = parseTokenHint(token);
    if (!read.ok) return demand(read.error.kind === 'deny', 'a refusal that is none');
    const [header, payload] = [decodeProtectedHeader(token), decodeJwt(token)];
    const { algorithm, kid, iss } = read.value;
    demand(header.alg === algorithm && header.kid === kid && payload.iss === iss, 'jose reads another token');
    demand(!/^(?:none|HS)/i.test(algorithm), 'an algorithm that proves nothing');
  },
};

export const manifestBytes: Target = {
  name: 'manifest',
  shortRuns: 1_500,
  inputs: (corpus) =>
    fc.oneof({ weight: 9, arbitrary: changed(corpus, JSON_SNIPPETS) }, { weight: 1, arbitrary: anyBytes }),
  holds: (bytes) => {
    const read = parseManifest(bytes);
    if (!read.ok) return demand(read.error.faults.length > 0, 'a refusal that names nothing');
    const sent: unknown = JSON.parse(bytes.toString('utf8'));
    demandOneReading(bytes, sent);
    demand(!hasPrototypeKey(sent), 'took a key __proto__');
    const { server, version } = sent as { server: unknown; version: unknown };
    const { manifest } = read.value;
    demand(manifest.server === server && manifest.version === version, 'another server or version');
    for (const { pointer } of lintManifest(read.value, []))
      demand(pointer === '' || pointer.startsWith('/'), `a finding points nowhere: ${pointer}`);
  },
};
