// Tokens that are bound to a key, and those who have the token but not the key: against the identity part of ext-authz as
// it runs. Each is refused, and for the reason we name.
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DPOP_ALGORITHMS, type DpopMode } from '#core/dpop.ts';
import type { Reason } from '#core/reason.ts';
import type { Tenant } from '#core/tenant.ts';
import { createReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import { createSharedReplayMemory } from '#ext-authz/identity/shared-dpop-replay.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { openSqliteState } from '#runtime/shared-state/sqlite-state.ts';
import { createProofKey, type ProofFacts, type ProofKey, signProof } from '#test/support/dpop-keys.ts';
import { ENDPOINT_URL, type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import {
  createTestKey,
  NOW,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  testTenant,
} from '#test/support/token-issuer.ts';

const issuerKey = createTestKey('good');

let bench: IdentityBench;
let holder: ProofKey;
let thief: ProofKey;
let token: string;

beforeAll(async () => {
  bench = await startIdentityBench([publishKey(issuerKey)]);
  [holder, thief] = await Promise.all([createProofKey(), createProofKey()]);
  token = await signWith(issuerKey, oidcClaims({ cnf: { jkt: holder.jkt } }));
});
afterAll(() => bench.stop());

const tenantWith = (dpop: DpopMode | undefined, id = 'default'): Tenant => {
  const tenant = testTenant([oidcIssuer(bench.keyServer.url)]);
  const servers = tenant.servers.map((server) => ({
    ...server,
    bindings: server.bindings.map((binding) => ({ ...binding, ...(dpop === undefined ? {} : { dpop }) })),
  }));
  return { ...tenant, id, servers };
};

const request = (): ProofFacts => ({ method: 'POST', url: ENDPOINT_URL, token, nowSeconds: NOW });

type Sent = {
  readonly authorization?: readonly string[];
  readonly proofs: readonly string[];
  readonly dpop?: DpopMode | undefined;
  readonly tenant?: Tenant;
  readonly method?: string;
  readonly nowSeconds?: number;
};

const outcomeOf = async (sent: Sent): Promise<string> => {
  const { authorization = [`DPoP ${token}`], proofs, method = 'POST', nowSeconds = NOW } = sent;
  const tenant = sent.tenant ?? tenantWith('dpop' in sent ? sent.dpop : 'required');
  const headers = { authorization, ...(proofs.length === 0 ? {} : { dpop: proofs }) };
  const result = await bench.present({ headers, tenant, method, nowSeconds });
  return result.ok ? result.value.identity.kind : result.error.reason;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A proof with any header, and a signature of the caller's making. */
const forge = (header: object, sign: (input: string) => string): string => {
  const claims = { jti: randomUUID(), htm: 'POST', htu: ENDPOINT_URL, iat: NOW };
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(input)}`;
};

const changed = (claims: object) => (): Promise<string> => signProof(holder, { ...request(), claims });
const under = (header: object) => (): Promise<string> => signProof(holder, { ...request(), header });

const HOSTILE: readonly [string, () => Promise<string> | string, Reason][] = [
  // Its form
  ['no JWT', () => 'proof', 'dpop_proof_malformed'],
  ['an empty header', () => '', 'dpop_proof_malformed'],
  [
    'two proofs in one header',
    async () => `${await changed({})()}, ${await changed({})()}`,
    'dpop_proof_malformed',
  ],
  ['a type of another JWT', under({ typ: 'JWT' }), 'dpop_proof_malformed'],
  ['the access token itself', () => token, 'dpop_proof_malformed'],
  ['no type', under({ typ: undefined }), 'dpop_proof_malformed'],
  ['a proof of endless length', changed({ x: 'x'.repeat(9_000) }), 'dpop_proof_malformed'],
  [
    'a critical extension',
    () => forge({ typ: 'dpop+jwt', alg: 'ES256', jwk: holder.publicJwk, crit: ['x'], x: 1 }, () => 'AA'),
    'dpop_proof_malformed',
  ],

  // Its algorithm and key
  [
    'alg none',
    () => forge({ typ: 'dpop+jwt', alg: 'none', jwk: holder.publicJwk }, () => ''),
    'dpop_algorithm_refused',
  ],
  [
    'HS256 under a key it brings along',
    () =>
      forge({ typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: 'c2VjcmV0' } }, (input) =>
        createHmac('sha256', 'secret').update(input).digest('base64url'),
      ),
    'dpop_algorithm_refused',
  ],
  [
    'HS256 under the public key',
    () =>
      forge({ typ: 'dpop+jwt', alg: 'HS256', jwk: holder.publicJwk }, (input) =>
        createHmac('sha256', JSON.stringify(holder.publicJwk)).update(input).digest('base64url'),
      ),
    'dpop_algorithm_refused',
  ],
  ['no key', under({ jwk: undefined }), 'dpop_proof_malformed'],
  [
    'a key that is text',
    () => forge({ typ: 'dpop+jwt', alg: 'ES256', jwk: 'x' }, () => 'AA'),
    'dpop_proof_malformed',
  ],
  ['a private key', async () => under({ jwk: await exportJWK(holder.privateKey) })(), 'dpop_proof_malformed'],
  [
    'a symmetric key by an asymmetric name',
    () => forge({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'oct', k: 'AA' } }, () => 'AA'),
    'dpop_proof_malformed',
  ],
  [
    'a type of key out of the prototype',
    () => forge({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'constructor' } }, () => 'AA'),
    'dpop_proof_malformed',
  ],
  ['the key of a thief', () => signProof(thief, request()), 'dpop_key_mismatch'],
  [
    'a signature of a thief under the right key',
    () => signProof(thief, { ...request(), header: { jwk: holder.publicJwk } }),
    'dpop_signature_invalid',
  ],
  [
    'no signature',
    async () => `${(await changed({})()).split('.').slice(0, 2).join('.')}.`,
    'dpop_signature_invalid',
  ],
  [
    'an algorithm the key cannot have',
    () => forge({ typ: 'dpop+jwt', alg: 'RS256', jwk: holder.publicJwk }, () => 'AAAA'),
    'dpop_proof_malformed',
  ],

  // What it is for
  ['another method', changed({ htm: 'GET' }), 'dpop_wrong_request'],
  ['the method in other letters', changed({ htm: 'post' }), 'dpop_wrong_request'],
  ['no method', changed({ htm: undefined }), 'dpop_wrong_request'],
  ['another server', changed({ htu: 'https://gw.example/mcp/reports' }), 'dpop_wrong_request'],
  [
    'the same server of another tenant',
    changed({ htu: 'https://gw.example/t/a/mcp/tracker' }),
    'dpop_wrong_request',
  ],
  ['another host', changed({ htu: 'https://evil.example/mcp/tracker' }), 'dpop_wrong_request'],
  ['another port', changed({ htu: 'https://gw.example:8443/mcp/tracker' }), 'dpop_wrong_request'],
  ['plain HTTP', changed({ htu: 'http://gw.example/mcp/tracker' }), 'dpop_wrong_request'],
  ['a path alone', changed({ htu: '/mcp/tracker' }), 'dpop_wrong_request'],
  ['a path in other letters', changed({ htu: 'https://gw.example/MCP/tracker' }), 'dpop_wrong_request'],
  ['a slash too many', changed({ htu: `${ENDPOINT_URL}/` }), 'dpop_wrong_request'],
  ['a user in the address', changed({ htu: 'https://a:b@gw.example/mcp/tracker' }), 'dpop_wrong_request'],
  ['a backslash', changed({ htu: 'https://gw.example\\mcp\\tracker' }), 'dpop_wrong_request'],
  ['a line break', changed({ htu: 'https://gw.example/mcp/\ntracker' }), 'dpop_wrong_request'],
  ['an escaped slash', changed({ htu: 'https://gw.example/mcp%2Ftracker' }), 'dpop_wrong_request'],
  ['an address that is a list', changed({ htu: [ENDPOINT_URL] }), 'dpop_proof_malformed'],
  ['another token', () => signProof(holder, { ...request(), token: 'other' }), 'dpop_wrong_token'],
  ['no token', changed({ ath: undefined }), 'dpop_wrong_token'],

  // When
  ['a proof of the last minute but one', changed({ iat: NOW - 61 }), 'dpop_proof_untimely'],
  ['a proof of later', changed({ iat: NOW + 61 }), 'dpop_proof_untimely'],
  ['a proof that has ended by itself', changed({ exp: NOW - 1 }), 'dpop_proof_untimely'],
  ['no time', changed({ iat: undefined }), 'dpop_proof_malformed'],
  ['a time that is text', changed({ iat: String(NOW) }), 'dpop_proof_malformed'],
  ['no id', changed({ jti: undefined }), 'dpop_proof_malformed'],
  ['an empty id', changed({ jti: '' }), 'dpop_proof_malformed'],
  ['an endless id', changed({ jti: 'x'.repeat(257) }), 'dpop_proof_malformed'],
];

describe('a hostile proof', () => {
  it('stands beside an honest one that is accepted, once', async () => {
    const proof = await signProof(holder, request());
    expect(await outcomeOf({ proofs: [proof] })).toBe('user');
    expect(await outcomeOf({ proofs: [proof] })).toBe('dpop_proof_replayed');
  });

  it.each(HOSTILE)('is refused: %s', async (_title, make, reason) => {
    expect(await outcomeOf({ proofs: [await make()] })).toBe(reason);
  });

  it('is never repeated in the facts of its refusal, nor is the token', async () => {
    for (const [, make] of HOSTILE) {
      const proof = await make();
      const headers = { authorization: [`DPoP ${token}`], dpop: [proof] };
      const text = JSON.stringify(await bench.present({ headers, tenant: tenantWith('required') }));
      for (const secret of [...proof.split('.'), ...token.split('.')])
        if (secret.length > 20) expect(text).not.toContain(secret);
    }
  });
});

describe('a bound token', () => {
  const honest = (facts: Partial<ProofFacts> = {}): Promise<string> =>
    signProof(holder, { ...request(), ...facts });

  it.each(DPOP_ALGORITHMS.map((algorithm) => [algorithm]))('is proven by %s', async (algorithm) => {
    const key = await createProofKey(algorithm);
    const bound = await signWith(issuerKey, oidcClaims({ cnf: { jkt: key.jkt } }));
    const proof = await signProof(key, { ...request(), token: bound });
    expect(await outcomeOf({ authorization: [`DPoP ${bound}`], proofs: [proof] })).toBe('user');
  });

  it.each([
    ['in capitals', 'HTTPS://GW.EXAMPLE/mcp/tracker'],
    ['with its default port', 'https://gw.example:443/mcp/tracker'],
    ['with a query and a fragment', `${ENDPOINT_URL}?session=1#top`],
    ['with escapes that are not needed', 'https://gw.example/mcp/%74racker'],
    ['with dots', 'https://gw.example/x/../mcp/./tracker'],
  ])('is proven for the same address written otherwise: %s', async (_title, url) => {
    expect(await outcomeOf({ proofs: [await honest({ url })] })).toBe('user');
  });

  it('is proven for every method by itself', async () => {
    for (const method of ['GET', 'DELETE'])
      expect(await outcomeOf({ proofs: [await honest({ method })], method })).toBe('user');
  });

  it('is worth nothing to who stole it', async () => {
    expect(await outcomeOf({ authorization: [`Bearer ${token}`], proofs: [] })).toBe('dpop_scheme_required');
    expect(await outcomeOf({ authorization: [`Bearer ${token}`], proofs: [await honest()] })).toBe(
      'dpop_scheme_required',
    );
    expect(await outcomeOf({ proofs: [] })).toBe('dpop_proof_missing');
    expect(await outcomeOf({ authorization: [`Bearer ${token}`], proofs: [], dpop: 'offered' })).toBe(
      'dpop_scheme_required',
    );
  });

  it('is refused with two proofs, and with a token under each scheme', async () => {
    expect(await outcomeOf({ proofs: [await honest(), await honest()] })).toBe('dpop_proof_malformed');
    const authorization = [`DPoP ${token}`, `Bearer ${token}`];
    expect(await outcomeOf({ authorization, proofs: [await honest()] })).toBe('credential_misplaced');
  });

  it('is refused where the server takes none, however well it is proven', async () => {
    expect(await outcomeOf({ proofs: [await honest()], dpop: undefined })).toBe('token_binding_refused');
    const authorization = [`Bearer ${token}`];
    expect(await outcomeOf({ authorization, proofs: [], dpop: undefined })).toBe('token_binding_refused');
  });

  it.each([
    ['a certificate', { 'x5t#S256': 'x'.repeat(43) }, 'token_not_bound'],
    ['a key and a certificate', { jkt: 'x'.repeat(43), 'x5t#S256': 'x'.repeat(43) }, 'token_binding_refused'],
    ['a key in full', { jwk: { kty: 'EC' } }, 'token_binding_refused'],
    ['nothing', {}, 'claims_invalid'],
    ['a number', { jkt: 7 }, 'claims_invalid'],
    ['text', 'jkt', 'claims_invalid'],
    ['null', null, 'claims_invalid'],
  ])('to %s is refused under either scheme', async (_title, cnf, reason) => {
    const odd = await signWith(issuerKey, oidcClaims({ cnf }));
    for (const authorization of [[`Bearer ${odd}`], [`DPoP ${odd}`]])
      expect(await outcomeOf({ authorization, proofs: [await honest({ token: odd })] })).toBe(reason);
  });

  it('needs a proof with every call, though the token is remembered', async () => {
    for (let i = 0; i < 3; i += 1) expect(await outcomeOf({ proofs: [await honest()] })).toBe('user');
    expect(await outcomeOf({ proofs: [await signProof(thief, request())] })).toBe('dpop_key_mismatch');
    expect(await outcomeOf({ authorization: [`Bearer ${token}`], proofs: [] })).toBe('dpop_scheme_required');
  });

  it('is judged by what the server demands now', async () => {
    expect(await outcomeOf({ proofs: [await honest()], dpop: 'offered' })).toBe('user');
    expect(await outcomeOf({ proofs: [await honest()], dpop: undefined })).toBe('token_binding_refused');
  });
});

describe('a token that is bound to nothing', () => {
  const present = async (scheme: string, dpop: DpopMode | undefined): Promise<string> => {
    const plain = await signWith(issuerKey, oidcClaims());
    const proof = await signProof(holder, { ...request(), token: plain });
    return outcomeOf({ authorization: [`${scheme} ${plain}`], proofs: [proof], dpop });
  };

  it('gains nothing by a proof', async () => {
    expect(await present('DPoP', 'required')).toBe('token_not_bound');
    expect(await present('DPoP', 'offered')).toBe('token_not_bound');
    expect(await present('DPoP', undefined)).toBe('token_binding_refused');
  });

  it('is refused where a bound one is demanded, and taken elsewhere', async () => {
    expect(await present('Bearer', 'required')).toBe('token_not_bound');
    expect(await present('Bearer', 'offered')).toBe('user');
    expect(await present('Bearer', undefined)).toBe('user');
  });
});

describe('a proof that was used', () => {
  it('is known as long as its time lets it through', async () => {
    const early = await signProof(holder, { ...request(), claims: { iat: NOW + 60 } });
    expect(await outcomeOf({ proofs: [early] })).toBe('user');
    for (const later of [1, 60, 120])
      expect(await outcomeOf({ proofs: [early], nowSeconds: NOW + later })).toBe('dpop_proof_replayed');
    expect(await outcomeOf({ proofs: [early], nowSeconds: NOW + 121 })).toBe('dpop_proof_untimely');
  });

  it('lets one through of many at once', async () => {
    const proof = await signProof(holder, request());
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf({ proofs: [proof] })));
    expect(outcomes.filter((outcome) => outcome === 'user')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'dpop_proof_replayed')).toHaveLength(19);
  });

  it('is taken by one of two processes only, whichever of them it is shown first', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mcpgw-proofs-'));
    const logger = createLogger('test', 'silent');
    const open = async (process: string) => {
      const shared = openSqliteState({ path: join(directory, 'state.db'), deadlineMs: 20_000, logger });
      const replays = createSharedReplayMemory({ local: createReplayMemory(), shared, holder: process });
      return { shared, bench: await startIdentityBench([publishKey(issuerKey)], { replays }) };
    };
    const processes = [await open('one'), await open('other')];
    try {
      const proof = await signProof(holder, request());
      const headers = { authorization: [`DPoP ${token}`], dpop: [proof] };
      const results = await Promise.all(
        processes.map((one) => one.bench.present({ headers, tenant: tenantWith('required') })),
      );
      expect(results.map((result) => (result.ok ? 'user' : result.error.reason)).toSorted()).toEqual([
        'dpop_proof_replayed',
        'user',
      ]);
    } finally {
      for (const one of processes) {
        await one.bench.stop();
        await one.shared.stop();
      }
      rmSync(directory, { recursive: true });
    }
  });

  it('passes once while the other processes cannot be asked, and never where every token has to be proven', async () => {
    const shared = createMemoryState(() => performance.now());
    await shared.stop();
    const replays = createSharedReplayMemory({ local: createReplayMemory(), shared, holder: 'process' });
    const alone = await startIdentityBench([publishKey(issuerKey)], { replays });
    try {
      const ask = async (dpop: DpopMode, proof: string): Promise<string> => {
        const headers = { authorization: [`DPoP ${token}`], dpop: [proof] };
        const result = await alone.present({ headers, tenant: tenantWith(dpop) });
        return result.ok ? 'user' : result.error.reason;
      };
      const [one, other] = [await signProof(holder, request()), await signProof(holder, request())];
      expect(await ask('required', one)).toBe('dpop_replay_unknown');
      expect([await ask('offered', other), await ask('offered', other)]).toEqual([
        'user',
        'dpop_proof_replayed',
      ]);
    } finally {
      await alone.stop();
    }
  });

  it('is refused when it cannot be remembered', async () => {
    const replays = createReplayMemory({ perKey: 1, perTenant: 5, total: 5 });
    const small = await startIdentityBench([publishKey(issuerKey)], { replays });
    try {
      const ask = async (): Promise<string> => {
        const headers = { authorization: [`DPoP ${token}`], dpop: [await signProof(holder, request())] };
        const result = await small.present({ headers, tenant: tenantWith('required') });
        return result.ok ? 'user' : result.error.reason;
      };
      expect([await ask(), await ask()]).toEqual(['user', 'dpop_replay_unknown']);
    } finally {
      await small.stop();
    }
  });
});
