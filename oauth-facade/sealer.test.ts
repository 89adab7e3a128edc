// Unit tests of sealer.ts: what is sealed opens for its purpose, at its façade, under any key that is kept.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { facadeKeyFile } from '#oauth-facade/facade-keys.ts';
import { createSealer } from '#oauth-facade/sealer.ts';
import { addKey, ensureKeyFile } from '#runtime/key-file.ts';
import { openKeyRing } from '#runtime/key-ring.ts';
import { createLogger } from '#runtime/logger.ts';

const FACADE = { tenantId: 'acme', issuerId: 'idp' };
const CONTENT = { code: 'of the provider' };

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mcpgw-facade-keys-'));
});
afterEach(() => rmSync(place, { recursive: true }));

const keyFile = () => facadeKeyFile(join(place, 'facade.key'));

const sealer = () => {
  ensureKeyFile(keyFile());
  const logger = createLogger('test', 'error', { write: () => undefined });
  return createSealer(openKeyRing(keyFile(), { name: 'keys', logger, nowMs: Date.now }), randomBytes);
};

it('opens what it sealed, for the same purpose and façade only', () => {
  const { seal, open } = sealer();
  const text = seal('code', FACADE, CONTENT);
  expect(open('code', FACADE, text)).toEqual(CONTENT);
  expect(open('refresh', FACADE, text)).toBeUndefined();
  expect(open('code', { ...FACADE, tenantId: 'other' }, text)).toBeUndefined();
  expect(open('code', { ...FACADE, issuerId: 'other' }, text)).toBeUndefined();
  expect(text).not.toContain(Buffer.from('provider').toString('base64url'));
});

it('is another text each time', () => {
  const { seal } = sealer();
  expect(seal('code', FACADE, CONTENT)).not.toBe(seal('code', FACADE, CONTENT));
});

it('opens what an older key sealed, in every process, until that key is dropped', () => {
  const text = sealer().seal('client', FACADE, CONTENT);
  addKey(keyFile());
  expect(sealer().open('client', FACADE, text)).toEqual(CONTENT);
  addKey(keyFile(), 0);
  expect(sealer().open('client', FACADE, text)).toBeUndefined();
});
