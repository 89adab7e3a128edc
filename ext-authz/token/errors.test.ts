// The error map of Entra ID, one case a row, and what no row knows.

import { describe, expect, it } from 'vitest';
import { judgeFailure } from '#ext-authz/token/errors.ts';
import type { ProviderRefusal } from '#ext-authz/token/exchanger.ts';

const refused = (parts: Partial<ProviderRefusal>): ProviderRefusal => ({
  kind: 'refused',
  status: 400,
  error: 'invalid_grant',
  codes: [],
  ...parts,
});

const CODES = {
  step_up_required: [50076, 50079, 50074, 50078, 50158, 50097, 53000, 53001, 53002],
  access_blocked: [53003, 530035, 50105, 53011],
  consent_required: [65001, 65004, 650052, 650056, 650057, 500011],
  assertion_rejected: [50013, 500133, 70008, 700082, 70043, 700084],
  exchange_misconfigured: [500131],
  session_revoked: [50173, 50057, 50132, 50133, 50014, 50034, 16003],
  exchange_credential_refused: [7000215, 7000222, 700027, 70002, 50012, 700016, 700011, 700030],
  provider_throttled: [50196],
  provider_unavailable: [50033, 90033],
  app_only_refused: [7000114],
} as const;

describe('judgeFailure()', () => {
  it.each(Object.entries(CODES).flatMap(([reason, codes]) => codes.map((code) => [code, reason] as const)))(
    'reads AADSTS%i as %s',
    (code, reason) => {
      expect(judgeFailure(refused({ codes: [code] })).reason).toBe(reason);
    },
  );

  it.each([
    [{ error: 'interaction_required' }, 'step_up_required'],
    [{ error: 'login_required' }, 'step_up_required'],
    [{ claims: '{"access_token":{}}' }, 'step_up_required'],
    [{ error: 'interaction_required', suberror: 'message_only' }, 'access_blocked'],
    [{ suberror: 'consent_required' }, 'consent_required'],
    [{ error: 'invalid_client', status: 401 }, 'exchange_credential_refused'],
    [{ error: 'invalid_grant' }, 'assertion_rejected'],
    [{ error: 'invalid_scope' }, 'exchange_misconfigured'],
    [{ error: 'unheard_of', codes: [123456] }, 'exchange_misconfigured'],
    [{ status: 429, error: 'unnamed' }, 'provider_throttled'],
    [{ status: 500, error: 'unnamed' }, 'provider_unavailable'],
    [{ status: 503, error: 'temporarily_unavailable' }, 'provider_unavailable'],
  ] as const)('reads %j without a known code as %s', (parts, reason) => {
    expect(judgeFailure(refused(parts)).reason).toBe(reason);
  });

  it('reads answers that are none as an outage, and our own rules as a fault of configuration', () => {
    expect(judgeFailure({ kind: 'unreachable', detail: '' })).toMatchObject({
      reason: 'provider_unavailable',
      isTransient: true,
    });
    expect(judgeFailure({ kind: 'unreadable', status: 200 }).reason).toBe('provider_unavailable');
    expect(judgeFailure({ kind: 'unreadable', status: 429 }).reason).toBe('provider_throttled');
    expect(judgeFailure({ kind: 'egress-refused', detail: '' }).reason).toBe('exchange_misconfigured');
    expect(judgeFailure({ kind: 'unsent', detail: '' }).reason).toBe('exchange_misconfigured');
    expect(judgeFailure({ kind: 'echoed' }).reason).toBe('exchange_misconfigured');
  });

  it('keeps throttling with the caller it was said to', () => {
    expect(judgeFailure(refused({ status: 429, retryAfterSeconds: 17 }))).toMatchObject({
      scope: 'caller',
      retryAfterSeconds: 17,
    });
  });

  it('opens the breaker of an application for its own credential only', () => {
    const scopes = Object.values(CODES)
      .flat()
      .map((code) => judgeFailure(refused({ codes: [code] })))
      .filter(({ scope }) => scope === 'application');
    expect(new Set(scopes.map(({ reason }) => reason))).toEqual(new Set(['exchange_credential_refused']));
  });

  it('hands a claims challenge on for a step-up only', () => {
    const claims = '{"access_token":{}}';
    expect(judgeFailure(refused({ codes: [50076], claims })).claims).toBe(claims);
    expect(judgeFailure(refused({ codes: [53003], claims })).claims).toBeUndefined();
  });
});
