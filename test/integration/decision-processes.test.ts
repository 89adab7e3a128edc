// Where several ext-authz are and what they need, as the services read it from the environment.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { besideExtAuthz, readBootstrapConfiguration } from '#envoy/configuration.ts';
import { readConfiguration } from '#ext-authz/configuration.ts';
import { decisionProcessNames, isDecisionProcess } from '#runtime/decision-processes.ts';

const PLACE = { GATEWAY_PUBLIC_URL: 'https://gw.example' };

const { runtimeDirectory: DIRECTORY } = readBootstrapConfiguration(PLACE);
const socket = (name: string): string => join(DIRECTORY, `${name}.sock`);

const faultOf = (read: () => unknown): string => {
  try {
    read();
    return 'none';
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

const besideIn = (environment: Readonly<Record<string, string>>) =>
  besideExtAuthz(readBootstrapConfiguration({ ...PLACE, ...environment }));

describe('the names of decision processes', () => {
  it('are the one there was, and numbers behind it', () => {
    expect(decisionProcessNames(3)).toEqual(['ext-authz', 'ext-authz-2', 'ext-authz-3']);
    expect(decisionProcessNames(32).every(isDecisionProcess)).toBe(true);
    for (const other of ['ext-authz-1', 'ext-authz-', 'ext-authz-02', 'ext-proc', 'ext-authz-2x'])
      expect(isDecisionProcess(other), other).toBe(false);
  });
});

describe('Envoy', () => {
  it('knows one socket for each but the first', () => {
    expect(besideIn({})).toEqual([]);
    expect(besideIn({ DECISION_PROCESSES: '3' })).toEqual([
      { kind: 'unix', path: socket('ext-authz-2') },
      { kind: 'unix', path: socket('ext-authz-3') },
    ]);
  });

  it('does not guess where they are beside one that is elsewhere', () => {
    const elsewhere = { EXT_AUTHZ_ADDRESS: '127.0.0.1:7001' };
    expect(besideIn(elsewhere)).toEqual([]);
    expect(faultOf(() => besideIn({ ...elsewhere, DECISION_PROCESSES: '2' }))).toContain('EXT_AUTHZ_ADDRESS');
  });
});

describe('ext-authz', () => {
  it('has the places of its number', () => {
    const second = readConfiguration({ ...PLACE, EXT_AUTHZ_PROCESS: '2' });
    expect(second).toMatchObject({
      processName: 'ext-authz-2',
      address: { path: socket('ext-authz-2') },
      opsAddress: { path: socket('ext-authz-2-ops') },
    });
  });

  it.each(['0', '33', '1.5', 'two'])('is not number %s', (number) => {
    expect(faultOf(() => readConfiguration({ ...PLACE, EXT_AUTHZ_PROCESS: number }))).toContain(
      'EXT_AUTHZ_PROCESS',
    );
  });

  it('does not start as one of several that share nothing', () => {
    const many = { ...PLACE, DECISION_PROCESSES: '2' };
    expect(faultOf(() => readConfiguration(many))).toContain('SHARED_STATE');
    expect(faultOf(() => readConfiguration({ ...many, SHARED_STATE: 'sql' }))).toBe('none');
  });
});
