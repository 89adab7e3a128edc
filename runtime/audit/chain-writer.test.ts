// The chain of a process on a real file system, with the kernel's own full device where a disk is full.
import { generateKeyPairSync } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveAuditKey } from '#core/audit/audit-key.ts';
import { checkpointSigner, readCheckpoint } from '#core/audit/checkpoint.ts';
import type { AuditEvent } from '#core/audit/subject.ts';
import { isSound } from '#core/audit/verdict.ts';
import type { AuditConfiguration } from '#runtime/audit/audit-configuration.ts';
import { auditKeyFile, auditKeysOf, signingKeyFile } from '#runtime/audit/audit-keys.ts';
import { createAuditMetrics } from '#runtime/audit/audit-metrics.ts';
import { chainsIn, checkpointsIn, segmentsIn } from '#runtime/audit/chain-directory.ts';
import { createChainFiles } from '#runtime/audit/chain-files.ts';
import { type AuditChain, openAuditChain } from '#runtime/audit/chain-writer.ts';
import { startProcessChain } from '#runtime/audit/process-chain.ts';
import { openSegmentFile, type SegmentFile } from '#runtime/audit/segment-file.ts';
import { createSubjectRing, eraseSubject, findSubjectKey } from '#runtime/audit/subject-ring.ts';
import { type Outside, verifyProcess } from '#runtime/audit/verify-process.ts';
import { addKey, readKeyFile } from '#runtime/key-file.ts';
import { createMetrics } from '#runtime/metrics.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpgw-audit-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const configurationFor = (change: Partial<AuditConfiguration> = {}): AuditConfiguration => ({
  stateDirectory: directory,
  keyFile: join(directory, 'audit-keys', 'audit.key'),
  signingKeyFile: join(directory, 'audit-keys', 'signing.key'),
  durability: 'process',
  segmentBytes: 1_000_000,
  checkpointMs: 60_000,
  ...change,
});

const start = (change: Partial<AuditConfiguration> = {}, nowMs = Date.now): Promise<AuditChain> =>
  startProcessChain({
    process: 'p',
    configuration: configurationFor(change),
    metrics: createMetrics('test'),
    nowMs,
  });

const decision = (number: number, principal = 'ada'): AuditEvent => ({
  at: '2026-01-01T00:00:00.000Z',
  kind: 'decision',
  body: { number },
  about: { principal, fields: { resource: 'file:///x' } },
});

const appendMany = (chain: AuditChain, count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, number) => chain.append(decision(number))));

const verifierKeys = () => {
  const { keyFile, signingKeyFile: signingFile } = configurationFor();
  return {
    keys: auditKeysOf(readKeyFile(auditKeyFile(keyFile))),
    signers: readKeyFile(signingKeyFile(signingFile)),
  };
};

const NOTHING: Outside = { starts: [], witnesses: [] };
const processDirectory = () => join(directory, 'audit', 'p');
const verify = async (outside: Outside = NOTHING) =>
  (await verifyProcess(verifierKeys(), processDirectory(), outside)).verdicts;
const chainDirectory = () => join(processDirectory(), chainsIn(processDirectory()).at(-1) as string);
const faultsOf = async (outside: Outside = NOTHING) =>
  (await verify(outside)).map(({ integrity, completeness }) => integrity?.fault ?? completeness?.fault);

describe('the chain of a process', () => {
  it('holds every record in order, is closed by a clean stop and verifies without the process', async () => {
    const chain = await start();
    await appendMany(chain, 100);
    await chain.stop();
    expect(await verify()).toMatchObject([
      { records: 102, first: 1, last: 102, state: 'closed', torn: false },
    ]);
    expect((await verify()).every(isSound)).toBe(true);
  });

  it('verifies while it is written', async () => {
    const chain = await start();
    await appendMany(chain, 10);
    expect(await verify()).toMatchObject([{ records: 11, state: 'open', integrity: undefined }]);
    await chain.stop();
  });

  it('signs its end in time, also when the clock was set back', async () => {
    let nowMs = Date.now();
    const chain = await start({ checkpointMs: 60_000 }, () => nowMs);
    await chain.append(decision(1));
    const signed = checkpointsIn(chainDirectory()).length;
    nowMs -= 3_600_000;
    await chain.append(decision(2));
    await chain.append(decision(3));
    expect(checkpointsIn(chainDirectory())).toHaveLength(signed + 1);
    nowMs += 60_000;
    await chain.append(decision(4));
    expect(checkpointsIn(chainDirectory())).toHaveLength(signed + 2);
    await chain.stop();
  });

  it('goes on from segment to segment, each end signed', async () => {
    const chain = await start({ segmentBytes: 2_000 });
    for (let number = 0; number < 30; number += 1) await chain.append(decision(number));
    await chain.stop();
    expect(segmentsIn(chainDirectory()).length).toBeGreaterThan(3);
    expect(checkpointsIn(chainDirectory()).length).toBeGreaterThan(3);
    expect((await verify()).every(isSound)).toBe(true);
  });

  it('keeps segments that were shipped from being missed, where a checkpoint says where the rest begins', async () => {
    const chain = await start({ segmentBytes: 2_000 });
    for (let number = 0; number < 30; number += 1) await chain.append(decision(number));
    await chain.stop();
    const [first] = segmentsIn(chainDirectory());
    const lines = readFileSync(first as string, 'utf8')
      .trim()
      .split('\n');
    rmSync(first as string);
    expect(await faultsOf()).toEqual(['beginning_missing']);
    const { signers } = verifierKeys();
    const signed = checkpointsIn(chainDirectory()).map((jws) => readCheckpoint(signers, jws));
    const cut = signed.find((checkpoint) => checkpoint?.sequence === lines.length);
    expect(await faultsOf({ starts: cut === undefined ? [] : [cut], witnesses: [] })).toEqual([undefined]);
  });

  it('binds the chain before, so that an old one cannot lose its tail and its head together', async () => {
    const first = await start();
    await appendMany(first, 5);
    await first.stop();
    const old = chainDirectory();
    const second = await start();
    await second.stop();
    const [segment] = segmentsIn(old);
    const lines = readFileSync(segment as string, 'utf8').split('\n');
    writeFileSync(segment as string, `${lines.slice(0, 3).join('\n')}\n`);
    rmSync(join(old, 'checkpoints'));
    expect((await verify())[0]?.completeness).toMatchObject({ fault: 'tail_missing', sequence: 4 });
    rmSync(old, { recursive: true });
    expect(await faultsOf()).toEqual([undefined, 'chain_missing']);
  });

  it.each(['process', 'disk'] as const)('writes many at once when %s is asked for', async (durability) => {
    const chain = await start({ durability });
    await appendMany(chain, 500);
    await chain.stop();
    expect(await faultsOf()).toEqual([undefined]);
  });
});

describe('a tail that was cut off', () => {
  const cut = (keep: number): void => {
    const segment = segmentsIn(chainDirectory())[0] as string;
    const lines = readFileSync(segment, 'utf8').split('\n');
    writeFileSync(segment, `${lines.slice(0, keep).join('\n')}\n`);
  };

  it('is found by the head', async () => {
    const chain = await start();
    await appendMany(chain, 5);
    await chain.stop();
    cut(4);
    const [verdict] = await verify();
    expect(verdict).toMatchObject({
      completeness: { fault: 'tail_missing', sequence: 5 },
      integrity: undefined,
    });
  });

  it('is found by a checkpoint from outside where head and checkpoints were put back as well', async () => {
    const chain = await start({ checkpointMs: 1 });
    await appendMany(chain, 3);
    const before = readFileSync(join(chainDirectory(), 'head'));
    const signedBefore = readFileSync(join(chainDirectory(), 'checkpoints'));
    await appendMany(chain, 3);
    await chain.stop();
    const anchored = readCheckpoint(verifierKeys().signers, checkpointsIn(chainDirectory()).at(-1) as string);
    cut(4);
    writeFileSync(join(chainDirectory(), 'head'), before);
    writeFileSync(join(chainDirectory(), 'checkpoints'), signedBefore);
    expect(await faultsOf()).toEqual([undefined]);
    const witnesses = anchored === undefined ? [] : [{ ...anchored, by: 'anchor' }];
    expect((await verify({ starts: [], witnesses }))[0]?.completeness).toMatchObject({
      by: 'anchor',
      sequence: 5,
    });
  });

  it('is told apart from a last line that a kill tore', async () => {
    const chain = await start();
    await appendMany(chain, 2);
    appendFileSync(segmentsIn(chainDirectory())[0] as string, '{"chain":"');
    expect(await verify()).toMatchObject([
      { records: 3, torn: true, integrity: undefined, completeness: undefined },
    ]);
    await chain.stop();
  });

  it('shows as a missing head where that was taken too', async () => {
    const chain = await start();
    await chain.stop();
    rmSync(join(chainDirectory(), 'head'));
    expect(await faultsOf()).toEqual(['head_invalid']);
  });
});

describe('a disk that fails', () => {
  it('fails the records of the batch, uses no number, and says so once there is room again', async () => {
    let isFull = false;
    const open = (path: string): SegmentFile => {
      const real = openSegmentFile(path);
      const write = (text: string): void => {
        // ENOSPC as the kernel says it.
        if (isFull) writeFileSync('/dev/full', text);
        real.write(text);
      };
      return { ...real, write };
    };
    const key = deriveAuditKey(Buffer.alloc(32, 1));
    const signer = checkpointSigner(generateKeyPairSync('ed25519').privateKey);
    const name = '20260101T000000000Z-0000000000000000';
    const chain = await openAuditChain(
      {
        chain: name,
        files: createChainFiles({ directory: join(processDirectory(), name), segmentBytes: 1_000_000, open }),
        keys: auditKeysOf([key]),
        signer,
        ring: createSubjectRing(auditKeysOf([key]), join(directory, 'subjects')),
        durability: 'process',
        checkpointEvery: { records: 1_000, milliseconds: 60_000 },
        metrics: createAuditMetrics(createMetrics('test')),
        nowMs: Date.now,
      },
      { at: '2026-01-01T00:00:00.000Z', kind: 'open', body: {} },
    );
    isFull = true;
    const refused = await Promise.allSettled([chain.append(decision(1)), chain.append(decision(2))]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(chain.fault()).toBe('ENOSPC');
    isFull = false;
    await chain.append(decision(3));
    expect(chain.fault()).toBeUndefined();
    await chain.stop();
    const keys = { keys: auditKeysOf([key]), signers: [signer] };
    const { verdicts } = await verifyProcess(keys, processDirectory(), NOTHING);
    expect(verdicts).toMatchObject([{ records: 4, integrity: undefined, completeness: undefined }]);
    const text = readFileSync(segmentsIn(chainDirectory())[0] as string, 'utf8');
    expect(text).toContain('"kind":"outage","body":{"lost":2}');
  });

  it('leaves nothing of a batch that was written in part', () => {
    const path = join(directory, '000001.jsonl');
    const segment = openSegmentFile(path);
    segment.write('one\n');
    segment.write('half');
    segment.undo();
    segment.write('two\n');
    segment.close();
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });

  it('refuses while its directory is gone, goes on when it is back, and the loss shows', async () => {
    const chain = await start();
    await chain.append(decision(1));
    rmSync(join(directory, 'audit'), { recursive: true });
    await expect(chain.append(decision(2))).rejects.toMatchObject({ code: 'store_failed' });
    await expect(chain.append(decision(3))).rejects.toMatchObject({ code: 'store_failed' });
    mkdirSync(processDirectory(), { recursive: true });
    await chain.append(decision(4));
    await chain.stop();
    expect(await faultsOf()).toEqual(['beginning_missing']);
  });
});

describe('the keys', () => {
  it('are made once, for their owner only, and one that others can read is refused', async () => {
    await (await start()).stop();
    const { keyFile } = configurationFor();
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const before = readFileSync(keyFile, 'utf8');
    await (await start()).stop();
    expect(readFileSync(keyFile, 'utf8')).toBe(before);
    writeFileSync(keyFile, before);
    chmodSync(keyFile, 0o640);
    await expect(async () => start()).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('are refused without a word of their content', async () => {
    const { keyFile } = configurationFor();
    mkdirSync(join(directory, 'audit-keys'));
    writeFileSync(keyFile, 'c2VjcmV0\n', { mode: 0o600 });
    await expect(async () => start()).rejects.toThrow(/^AUDIT_KEY_FILE: line 1 is no key$/);
  });

  it('rotate: the new one writes, the old one still verifies', async () => {
    await (await start()).stop();
    const { keyFile, signingKeyFile: signingFile } = configurationFor();
    addKey(auditKeyFile(keyFile));
    addKey(signingKeyFile(signingFile));
    await (await start()).stop();
    expect(await faultsOf()).toEqual([undefined, undefined]);
    const [, current] = readFileSync(keyFile, 'utf8').split('\n');
    writeFileSync(keyFile, `${current}\n`, { mode: 0o600 });
    expect(await faultsOf()).toEqual(['key_unknown', undefined]);
  });

  it('of a subject are its own, and erasing one leaves the chain valid and the next record a new key', async () => {
    const chain = await start();
    await Promise.all([chain.append(decision(1, 'ada')), chain.append(decision(2, 'bob'))]);
    const { keys } = verifierKeys();
    const subjects = join(directory, 'audit-keys', 'subjects');
    const names = () => readdirSync(subjects).filter((name) => name !== 'erasures');
    const held = () => names().map((name) => findSubjectKey(keys, subjects, name)?.export().toString('hex'));
    expect(new Set(held()).size).toBe(2);
    const before = held();
    expect(eraseSubject(keys, subjects, 'ada')).toBe(1);
    expect(names()).toHaveLength(1);
    await chain.append(decision(3, 'ada'));
    await chain.stop();
    expect(held().filter((key) => before.includes(key))).toHaveLength(1);
    expect(await faultsOf()).toEqual([undefined]);
  });
});
