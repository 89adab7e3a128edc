import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import type { Reason } from '#core/reason.ts';
import { err, ok } from '#core/result.ts';
import type { RevocationReport } from '#core/revocation.ts';
import { type ReportRevocation, reportingBroker } from '#ext-authz/revocation/report-refusals.ts';
import type { TokenBroker } from '#ext-authz/token/broker.ts';
import { createLogger } from '#runtime/logger.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const NOW = 1_767_268_800;
const MALLORY = {
  principal: 'p',
  kind: 'user',
  issuerId: 'home',
  subject: 'pairwise',
  tid: 'directory',
  oid: 'mallory',
  issuedAt: NOW - 3_600,
} as Identity;

const start = (reason: Reason | undefined, answer?: ReportRevocation) => {
  const reports: RevocationReport[] = [];
  const inner = {
    acquire: async () => (reason === undefined ? ok({ token: null, source: 'none' }) : err(deny(reason))),
    purge: async () => undefined,
  } as unknown as TokenBroker;
  const broker = reportingBroker(inner, {
    report: async (report) => {
      reports.push(report);
      return answer === undefined ? ok({ state: 'recorded', id: 'mark', changed: true }) : answer(report);
    },
    logger: createLogger('test', 'silent'),
  });
  const call = async (identity: Identity = MALLORY, nowSeconds = NOW) => {
    const request = { tenant: sampleTenant('acme'), identity, nowSeconds };
    const acquired = await broker.acquire(request as Parameters<TokenBroker['acquire']>[0]);
    await turn();
    return acquired;
  };
  return { reports, call };
};

describe('a broker whose refusals are reported', () => {
  it('reports the person whose sign-ins the provider has ended, and refuses all the same', async () => {
    const { reports, call } = start('session_revoked');
    expect(await call()).toMatchObject({ ok: false, error: { reason: 'session_revoked' } });
    expect(reports).toMatchObject([
      {
        tenantId: 'acme',
        target: { kind: 'directory-user', tid: 'directory', oid: 'mallory' },
        notBefore: NOW - 300,
        source: 'token-exchange',
      },
    ]);
  });

  it('takes a young token with it, and none that may be from after the end', async () => {
    const { reports, call } = start('session_revoked');
    await call({ ...MALLORY, issuedAt: NOW - 10 });
    expect(reports.map(({ notBefore }) => notBefore)).toEqual([NOW - 9]);
  });

  it('names whoever has no directory by the issuer’s own subject', async () => {
    const { tid: _tid, oid: _oid, ...stranger } = MALLORY;
    const { reports, call } = start('session_revoked');
    await call(stranger as Identity);
    expect(reports.map(({ target }) => target)).toEqual([
      { kind: 'subject', issuerId: 'home', subject: 'pairwise' },
    ]);
  });

  it.each<Reason>(['step_up_required', 'access_blocked', 'provider_unavailable', 'assertion_rejected'])(
    'reports nobody for %s',
    async (reason) => {
      const { reports, call } = start(reason);
      await call();
      expect(reports).toEqual([]);
    },
  );

  it('reports no application, and nobody who gets a token', async () => {
    const refused = start('session_revoked');
    await refused.call({ ...MALLORY, kind: 'app' });
    const served = start(undefined);
    await served.call();
    expect([...refused.reports, ...served.reports]).toEqual([]);
  });

  it('says it once, and again with the next refusal where it was not recorded', async () => {
    const recorded = start('session_revoked');
    for (let count = 0; count < 3; count += 1) await recorded.call();
    expect(recorded.reports).toHaveLength(1);
    const unheard = start('session_revoked', async () => err('the registry is away'));
    for (let count = 0; count < 3; count += 1) await unheard.call();
    expect(unheard.reports).toHaveLength(3);
    const refused = start('session_revoked', async () => ok({ state: 'refused', fault: 'full' }));
    for (let count = 0; count < 2; count += 1) await refused.call();
    expect(refused.reports).toHaveLength(2);
  });
});
