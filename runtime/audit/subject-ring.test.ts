// Tests of subject-ring.ts on a real directory: who comes at the same time, who is erased meanwhile, and that the event
// loop goes on.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pseudonymOf } from '#core/audit/audit-key.ts';
import type { Subject } from '#core/audit/subject.ts';
import { auditKeyFile, auditKeysOf } from '#runtime/audit/audit-keys.ts';
import { createSubjectRing, eraseSubject, type SubjectRing } from '#runtime/audit/subject-ring.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-ring-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const subjects = () => join(directory, 'subjects');
const keys = () => auditKeysOf(ensureKeyFile(auditKeyFile(join(directory, 'audit.key'))));
const start = () => createSubjectRing(keys(), subjects());

const keyOf = async (ring: SubjectRing, principal: string): Promise<string> => {
  const { key } = (await ring.subjectsOf(new Set([principal]))).get(principal) as Subject;
  return key.export().toString('hex');
};

describe('the ring of subjects', () => {
  it('gives one key to a subject, whoever asks and however many at once', async () => {
    const rings = [start(), start(), start()];
    const found = await Promise.all([...rings, ...rings].map((ring) => keyOf(ring, 'ada')));
    expect(new Set(found).size).toBe(1);
    expect(await keyOf(start(), 'ada')).toBe(found[0]);
    expect(readdirSync(subjects())).toEqual([pseudonymOf(keys().current, 'ada')]);
  });

  it('lets the event loop go on while the disk takes the keys of many new ones', async () => {
    const principals = new Set(Array.from({ length: 100 }, (_item, index) => `person ${index}`));
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      immediate = setImmediate(turn);
    };
    let immediate = setImmediate(turn);
    expect((await start().subjectsOf(principals)).size).toBe(100);
    clearImmediate(immediate);
    expect(turns).toBeGreaterThan(20);
  });

  it('writes with no key that was erased while others were made', async () => {
    const ring = start();
    const before = await keyOf(ring, 'ada');
    const asked = ring.subjectsOf(new Set(['ada', 'bob']));
    eraseSubject(keys(), subjects(), 'ada');
    const after = ((await asked).get('ada') as Subject).key.export().toString('hex');
    expect(after).not.toBe(before);
    expect(await keyOf(start(), 'ada')).toBe(after);
  });

  it('fails where the key of a subject is there and does not open', async () => {
    const ring = start();
    writeFileSync(join(subjects(), pseudonymOf(keys().current, 'ada')), randomBytes(10).toString('hex'));
    await expect(ring.subjectsOf(new Set(['ada']))).rejects.toThrow();
  });
});
