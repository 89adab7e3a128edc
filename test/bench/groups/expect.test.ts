import { describe, expect, it } from 'vitest';
import { expectChecks, expectRefusals, expectResults } from '#test/bench/groups/expect.ts';

const times = { errors: 0, seconds: 1, p50Us: 1, p95Us: 1, p99Us: 1, maxUs: 1, cpuUs: 1 };
const checks = (allowed: number, denied: number, errors = 0) => ({
  ...times,
  sent: allowed + denied,
  allowed,
  denied,
  errors,
});
const calls = (status: Record<string, number>, rpcErrors = 0, errors = 0) => ({
  ...times,
  sent: Object.values(status).reduce((sum, count) => sum + count, 0),
  status,
  rpcErrors,
  errors,
});

describe('checks that were answered', () => {
  it('count where one in twenty was denied, give or take where the rotation began', () => {
    expect(() => expectChecks('ours', checks(95, 5), 'mixed')).not.toThrow();
    expect(() => expectChecks('ours', checks(99, 6), 'mixed')).not.toThrow();
    expect(() => expectChecks('no-op', checks(100, 0), 'allowed')).not.toThrow();
  });

  it.each([
    ['everything was allowed', checks(100, 0)],
    ['everything was denied', checks(0, 100)],
    ['too much was denied', checks(90, 10)],
    ['one failed', checks(95, 5, 1)],
    ['there are none', checks(0, 0)],
  ])('end the run where %s', (_what, report) => {
    expect(() => expectChecks('ours', report, 'mixed')).toThrow(/^ours: .*says nothing$/);
  });
});

describe('calls that were answered', () => {
  it('count where all have a result', () => {
    expect(() => expectResults('ours', calls({ 200: 10 }))).not.toThrow();
  });

  it.each([
    ['one is a JSON-RPC error', calls({ 200: 10 }, 1)],
    ['one has another status', calls({ 200: 9, 503: 1 })],
    ['one failed', calls({ 200: 10 }, 0, 1)],
    ['there are none', calls({})],
  ])('end the run where %s', (_what, report) => {
    expect(() => expectResults('ours', report)).toThrow(/^ours: .*says nothing$/);
  });

  it('are refused by status or by a JSON-RPC error where none may have a result', () => {
    expect(() => expectRefusals('ours', calls({ 200: 10 }, 10))).not.toThrow();
    expect(() => expectRefusals('peer', calls({ 403: 10 }))).not.toThrow();
    expect(() => expectRefusals('peer', calls({ 200: 1, 403: 9 }))).toThrow('got a result');
    expect(() => expectRefusals('peer', calls({}))).toThrow('says nothing');
    expect(() => expectRefusals('peer', calls({ 403: 9, 503: 1 }))).toThrow('failed, by status');
  });
});
