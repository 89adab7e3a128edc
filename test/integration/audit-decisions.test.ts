// Decisions of a real ext-authz are on record before they are answered, whatever then happens to the process, its disk
// or its files; and the commands say so, or what is wrong, from the files alone.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runAuditCommand } from '#test/support/audit-command.ts';
import { type ExtAuthzProcess, startExtAuthzProcess } from '#test/support/ext-authz-process.ts';

let extAuthz: ExtAuthzProcess | undefined;
afterEach(async () => {
  await extAuthz?.stop();
  extAuthz = undefined;
});

const start = async (overrides: Readonly<Record<string, string>> = {}): Promise<ExtAuthzProcess> => {
  extAuthz = await startExtAuthzProcess(overrides);
  return extAuthz;
};

const chainsOf = (process: ExtAuthzProcess): string => join(process.stateDirectory, 'audit', 'ext-authz');
const newestChain = (process: ExtAuthzProcess): string =>
  join(chainsOf(process), readdirSync(chainsOf(process)).sort().at(-1) as string);
const segmentOf = (process: ExtAuthzProcess): string => join(newestChain(process), '000001.jsonl');

const verify = (process: ExtAuthzProcess, ...args: string[]) =>
  runAuditCommand(process.environment, 'verify', ...args);

const recordedIds = (process: ExtAuthzProcess): string[] =>
  runAuditCommand(process.environment, 'export')
    .output.split('\n')
    .map((line) => JSON.parse(line) as { body: { requestId?: string } })
    .flatMap(({ body }) => body.requestId ?? []);

const cutTail = (file: string, keep: number): void => {
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${lines.slice(0, keep).join('\n')}\n`);
};

describe('the audit of decisions', () => {
  it.each(['process', 'disk'])(
    'holds every answered decision when the process is killed in the middle of work (%s)',
    async (durability) => {
      const running = await start({ AUDIT_DURABILITY: durability });
      const answered: string[] = [];
      const load = Array.from({ length: 20 }, async (_, lane) => {
        for (let number = 0; ; number += 1) {
          const id = `lane-${lane}-${number}`;
          // The end of the process ends the lane.
          if ((await running.ask(id).catch(() => 'gone')) === 'gone') return;
          answered.push(id);
        }
      });
      await expect.poll(() => answered.length).toBeGreaterThan(200);
      await running.kill('SIGKILL');
      await Promise.all(load);
      const { status, output } = verify(running);
      expect(output).toMatch(/^ext-authz .*\(open.*integrity ok; completeness ok$/);
      expect(status).toBe(0);
      const recorded = new Set(recordedIds(running));
      expect(answered.filter((id) => !recorded.has(id))).toEqual([]);
      await running.restart();
      await running.kill('SIGTERM');
      expect(verify(running).output.split('\n')[1]).toContain('(closed)');
    },
  );

  it('refuses every call while it cannot be written, whatever the decision was, and recovers by itself', async () => {
    const running = await start();
    expect(await running.ask('before')).toBe('token_missing');
    const chains = chainsOf(running);
    renameSync(chains, `${chains}-away`);
    expect(await running.ask('during')).toBe('audit_unavailable');
    expect(await running.ask('still')).toBe('audit_unavailable');
    await expect.poll(() => running.log()).toContain('"reason":"audit_unavailable"');
    renameSync(`${chains}-away`, chains);
    expect(await running.ask('after')).toBe('token_missing');
    await running.kill('SIGTERM');
    expect(verify(running)).toMatchObject({ status: 0 });
    expect(recordedIds(running).filter((id) => id !== 'warm-up')).toEqual(['before', 'after']);
    expect(readFileSync(join(newestChain(running), '000002.jsonl'), 'utf8')).toContain('"lost":2');
  });

  it('recovers from a directory that was deleted, and the loss is named', async () => {
    const running = await start();
    const chains = chainsOf(running);
    rmSync(chains, { recursive: true });
    expect(await running.ask('during')).toBe('audit_unavailable');
    mkdirSync(chains);
    expect(await running.ask('after')).toBe('token_missing');
    await running.kill('SIGTERM');
    const { status, output } = verify(running);
    expect(status).toBe(1);
    expect(output).toContain('integrity ok; completeness FAULT beginning_missing at 1');
  });

  it('has a tail that cannot be cut off unseen: the head knows, and what was anchored outside knows better', async () => {
    const running = await start({ AUDIT_CHECKPOINT_SECONDS: '1' });
    const head = readFileSync(join(newestChain(running), 'head'));
    const kept = readFileSync(segmentOf(running), 'utf8').trim().split('\n').length;
    const signed = readFileSync(join(newestChain(running), 'checkpoints'));
    for (let number = 0; number < 5; number += 1) await running.ask(`call-${number}`);
    await running.kill('SIGTERM');
    const anchor = join(running.stateDirectory, 'anchored');
    writeFileSync(anchor, runAuditCommand(running.environment, 'checkpoint').output);
    const publicKey = join(running.stateDirectory, 'public.json');
    writeFileSync(publicKey, runAuditCommand(running.environment, 'public-key').output);
    expect(verify(running, '--checkpoint', anchor, '--public-key', publicKey).status).toBe(0);
    cutTail(segmentOf(running), kept);
    writeFileSync(join(newestChain(running), 'checkpoints'), signed);
    expect(verify(running).output).toContain(`FAULT tail_missing at ${kept + 1} by its head`);
    writeFileSync(join(newestChain(running), 'head'), head);
    expect(verify(running).status).toBe(0);
    const { status, output } = verify(running, '--checkpoint', anchor, '--public-key', publicKey);
    expect(status).toBe(1);
    expect(output).toContain(`completeness FAULT tail_missing at ${kept + 1} by an anchored checkpoint`);
    rmSync(newestChain(running), { recursive: true });
    expect(verify(running, '--checkpoint', anchor).output).toContain('chain_missing');
  });

  it('names the record that was edited', async () => {
    const running = await start();
    await running.ask('call-1');
    await running.kill('SIGTERM');
    const text = readFileSync(segmentOf(running), 'utf8');
    const lines = text.split('\n');
    const edited = lines.findIndex((line) => line.includes('call-1'));
    writeFileSync(segmentOf(running), text.replace('call-1', 'call-2'));
    const { status, output } = verify(running);
    expect(status).toBe(1);
    expect(output).toContain(`integrity FAULT edited at ${edited + 1}; completeness ok`);
  });

  it('is exported as lines that verify again, and keeps its keys out of every log', async () => {
    const running = await start();
    await running.ask('call-1');
    await running.kill('SIGTERM');
    const file = join(running.stateDirectory, 'export.jsonl');
    const { output } = runAuditCommand(running.environment, 'export');
    writeFileSync(file, `${output}\n`);
    expect(verify(running, '--file', file)).toMatchObject({ status: 0 });
    writeFileSync(file, `${output.replace('token_missing', 'token_expired')}\n`);
    expect(verify(running, '--file', file).output).toContain('FAULT edited at 2');
    const never = runAuditCommand(running.environment, 'export', '--tenant', 'nobody');
    expect(never).toMatchObject({ status: 0, output: '' });
    const keys = ['audit.key', 'signing.key'].map((name) =>
      readFileSync(join(running.stateDirectory, 'audit-keys', name), 'utf8').trim(),
    );
    for (const key of keys) expect(running.log()).not.toContain(key);
  });

  it('verifies across a rotation of its keys', async () => {
    const running = await start();
    await running.kill('SIGTERM');
    expect(runAuditCommand(running.environment, 'rotate-key', 'chain').status).toBe(0);
    expect(runAuditCommand(running.environment, 'rotate-key', 'signing').status).toBe(0);
    await running.restart();
    await running.kill('SIGTERM');
    expect(verify(running)).toMatchObject({ status: 0, notes: 'chains: 2, with a fault: 0' });
  });
});
