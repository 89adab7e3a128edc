import { describe, expect, it } from 'vitest';
import { readAnswerHead } from '#ext-proc/answer-head.ts';
import { planAnswer } from '#ext-proc/plan.ts';
import { ordersOff, ordersTools } from '#test/support/guarded-call.ts';

const head = (status: number, headers: Record<string, string | string[]> = {}, endOfStream = false) => {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value].flat()] as const);
  const read = readAnswerHead(new Map([[':status', [String(status)]], ...entries]), endOfStream);
  if (read === undefined) throw new Error('no head');
  return read;
};
const JSON_TYPE = { 'content-type': 'application/json' };
const SSE_TYPE = { 'content-type': 'text/event-stream' };

describe('planAnswer for a list', () => {
  it.each([
    ['hold', head(200, JSON_TYPE)],
    ['hold', head(200, { 'content-type': 'Application/JSON ; charset="UTF-8"' })],
    ['hold', head(200, { ...JSON_TYPE, 'content-encoding': 'identity' })],
    ['events', head(200, SSE_TYPE)],
    ['events', head(500, SSE_TYPE)],
    ['pass', head(202, {}, true)],
    ['pass', head(204, {}, true)],
    ['hold', head(202)],
    ['hold', head(404, JSON_TYPE)],
    ['hold', head(503, { 'content-type': 'text/html' })],
    ['refuse', head(302, { 'content-type': 'text/html' })],
    ['refuse', head(307, JSON_TYPE, true)],
    ['refuse', head(200, { 'content-type': 'text/html' })],
    ['refuse', head(200, { 'content-type': 'application/json, text/plain' })],
    ['refuse', head(200, { 'content-type': ['application/json', 'application/json'] })],
    ['refuse', head(200, { 'content-type': 'application/json; charset=utf-7' })],
    ['refuse', head(200, { 'content-type': 'application/json-seq' })],
    ['refuse', head(200, { 'content-type': 'constructor' })],
    ['hold', head(200, { ...JSON_TYPE, 'content-encoding': 'gzip' })],
    ['hold', head(200, { ...JSON_TYPE, 'content-encoding': ['identity', 'br'] })],
    ['events', head(500, { ...SSE_TYPE, 'content-encoding': 'X-GZIP' })],
    ['refuse', head(200, { ...JSON_TYPE, 'content-encoding': 'compress' })],
    ['refuse', head(200, { ...JSON_TYPE, 'content-encoding': ['gzip', 'br'] })],
    ['refuse', head(500, { ...SSE_TYPE, 'content-encoding': 'gzip, gzip' })],
    ['refuse', head(200, { ...JSON_TYPE, 'content-encoding': 'constructor' })],
    ['refuse', head(101)],
  ])('is to %s %o', (kind, answer) => {
    expect(planAnswer(ordersTools(['a']), answer).kind).toBe(kind);
  });
});

describe('planAnswer for anything else', () => {
  it.each([
    ['pass', head(200, JSON_TYPE)],
    ['pass', head(202, {}, true)],
    ['watch', head(200, SSE_TYPE)],
    ['watch', head(200, { ...SSE_TYPE, 'content-encoding': 'gzip' })],
    ['watch', head(200, { 'content-type': 'text/plain' })],
    ['refuse', head(101)],
    ['refuse', head(308, {}, true)],
  ])('is to %s %o', (kind, answer) => {
    expect(planAnswer(ordersOff(), answer).kind).toBe(kind);
  });
});

describe('planAnswer for a WebSocket', () => {
  const orders = ordersOff({ guard: 'websocket', basis: 'b' });
  it.each([
    ['watch', head(101)],
    ['watch', head(101, JSON_TYPE)],
    ['watch', head(403, { 'content-type': 'text/plain' })],
    ['refuse', head(102)],
    ['refuse', head(307)],
  ])('is to %s %o', (kind, answer) => {
    expect(planAnswer(orders, answer).kind).toBe(kind);
  });
});

describe('readAnswerHead', () => {
  it.each([[[]], [['200', '200']], [['abc']], [['0']], [['2000']]])(
    'knows no head with the status %o',
    (status) => {
      expect(readAnswerHead(new Map([[':status', status]]), false)).toBeUndefined();
    },
  );
});
