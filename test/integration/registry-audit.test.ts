// The registry's audit over HTTP and from its file alone: changes, refusals and who they were, sealed; what is edited,
// taken out or cut off is named; who is erased is gone from every answer, and the chain stays valid.

import { copyFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { runAuditCommand } from '#test/support/audit-command.ts';
import { auditSecretsIn } from '#test/support/audit-secrets.ts';

const T = '/v1/tenants/acme';
const ADA = JSON.stringify(['https://login.example.com/admins', 'ada']);
const TENANT = { displayName: 'Acme', accessContact: 'access@example.com' };
const GRANT = { serverId: 'nowhere', subjects: [{ kind: 'group', id: 'engineering' }], tools: ['*'] };

let directory: string;
let registry: TestRegistry;
let environment: Record<string, string>;

type Item = Readonly<Record<string, unknown>>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpgw-'));
  environment = { MCPGW_STATE_DIR: directory };
  registry = await startTestRegistry({
    store: openSqliteStore(join(directory, 'registry', 'registry.db'), auditSecretsIn(directory)),
  });
  expect((await registry.call('PUT', T, { body: TENANT })).status).toBe(201);
});

afterEach(async () => {
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
});

const audit = async (query = ''): Promise<readonly Item[]> =>
  (await registry.call('GET', `${T}/audit${query}`)).body.items as unknown as Item[];

const verify = (...args: string[]) => runAuditCommand(environment, 'verify', ...args);

/** A copy with one statement run over it, as somebody with the file could. */
const tampered = (statement: string): string => {
  const copy = join(directory, 'copy.db');
  const source = new DatabaseSync(join(directory, 'registry', 'registry.db'));
  source.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  source.close();
  copyFileSync(join(directory, 'registry', 'registry.db'), copy);
  const database = new DatabaseSync(copy);
  database.exec(statement);
  database.close();
  return copy;
};

describe('refused writes', () => {
  it.each<[string, string, string, number, string, object]>([
    ['without the role', 'PUT', '/grants/g1', 403, 'forbidden', { body: GRANT, roles: ['auditor:acme'] }],
    ['of what is not there', 'DELETE', '/grants/g1', 404, 'not-found', { headers: { 'if-match': '"1"' } }],
    ['that are not valid', 'PUT', '/grants/g1', 422, 'invalid-resource', { body: GRANT }],
    [
      'from an old state',
      'PATCH',
      '',
      412,
      'precondition-failed',
      { body: { displayName: 'B' }, headers: { 'if-match': '"9"' } },
    ],
    ['without a precondition', 'DELETE', '', 428, 'precondition-required', {}],
  ])('%s are on record with who tried', async (_what, method, path, status, code, call) => {
    const answer = await registry.call(method, `${T}${path}`, call);
    expect({ status: answer.status, type: answer.body.type }).toEqual({
      status,
      type: `urn:mcpgw:problem:${code}`,
    });
    expect((await audit())[0]).toMatchObject({
      kind: 'refusal',
      actor: ADA,
      status,
      code,
      count: 1,
      tenantId: 'acme',
    });
  });

  it('of manifests are on record though nobody was established', async () => {
    const answer = await registry.call('POST', `${T}/manifests`, { body: {}, roles: null });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect((await audit())[0]).toMatchObject({ kind: 'refusal', actor: '', status: answer.status });
  });

  it('leave reads and dry runs out', async () => {
    await registry.call('GET', `${T}/grants/g1`);
    await registry.call('GET', `${T}/audit`, { roles: ['publisher:acme'] });
    await registry.call('POST', `${T}/manifests?dryRun=true`, { body: {}, roles: null });
    expect(await audit()).toHaveLength(1);
  });

  it('by the hundred cost two records a second, which say how many there were', async () => {
    const call = () => registry.call('DELETE', `${T}/grants/g1`, { headers: { 'if-match': '"1"' } });
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 20 }, call));
    const counts = async () =>
      (await audit()).filter(({ kind }) => kind === 'refusal').map(({ count }) => Number(count));
    await expect.poll(async () => (await counts()).reduce((sum, count) => sum + count, 0)).toBe(100);
    expect((await counts()).length).toBeLessThan(40);
  });
});

describe('the chain in the database', () => {
  it('verifies from the file, and names what was done to it', async () => {
    await registry.call('DELETE', `${T}/grants/g1`, { headers: { 'if-match': '"1"' } });
    await registry.store.signAudit(new Date().toISOString());
    expect(verify()).toMatchObject({ status: 0, output: expect.stringContaining('registry registry-') });
    for (const [statement, fault] of [
      [
        'UPDATE audit_records SET line = replace(line, \'"status":404\', \'"status":403\')',
        'integrity FAULT edited at 3',
      ],
      ['DELETE FROM audit_records WHERE number = 2', 'completeness FAULT gap at 2'],
      ['DELETE FROM audit_records WHERE number = 3', 'completeness FAULT tail_missing at 3'],
      ['UPDATE audit_records SET number = 9 WHERE number = 2', 'integrity FAULT reordered at 2'],
      ["UPDATE audit_subjects SET wrapped = 'AAAA'", 'integrity ok; completeness ok'],
      ["UPDATE meta SET value = '{}' WHERE key = 'audit-head'", 'integrity FAULT head_invalid'],
      ["UPDATE audit_checkpoints SET jws = 'x.y.z'", 'integrity FAULT checkpoint_invalid'],
    ] as const)
      expect(verify('--database', tampered(statement)).output, statement).toContain(fault);
  });

  it('is held against a checkpoint from outside, and exported with what it says', async () => {
    await registry.store.signAudit(new Date().toISOString());
    const anchor = join(directory, 'anchor');
    writeFileSync(anchor, runAuditCommand(environment, 'checkpoint').output);
    expect(verify('--checkpoint', anchor).status).toBe(0);
    const emptied = tampered(
      "DELETE FROM audit_records; DELETE FROM audit_checkpoints; UPDATE meta SET value = '' WHERE key = 'audit-head'",
    );
    expect(verify('--database', emptied, '--checkpoint', anchor).output).toContain('chain_missing');
    const file = join(directory, 'export.jsonl');
    writeFileSync(file, `${runAuditCommand(environment, 'export').output}\n`);
    expect(verify('--file', file, '--checkpoint', anchor)).toMatchObject({ status: 0 });
    const opened = runAuditCommand(environment, 'export', '--personal', 'open', '--subject', ADA).output;
    expect(JSON.parse(opened)).toMatchObject({ kind: 'change', personal: { principal: ADA } });
  });

  it('forgets who was erased, in audit and revisions, and stays valid; what follows has a new key', async () => {
    expect(runAuditCommand(environment, 'erase', '--subject', ADA)).toMatchObject({
      output: '1 keys erased',
    });
    expect((await audit())[0]?.['actor']).toBe('erased');
    const [revision] = (await registry.call('GET', `${T}/revisions`)).body.items as unknown as Item[];
    expect(revision?.['actor']).toBe('erased');
    expect(verify().status).toBe(0);
    await registry.call('DELETE', `${T}/grants/g1`, { headers: { 'if-match': '"1"' } });
    expect((await audit()).map(({ actor }) => actor)).toEqual([ADA, 'erased']);
    expect(await audit(`?actor=${encodeURIComponent(ADA)}`)).toHaveLength(2);
  });
});
