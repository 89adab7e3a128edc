// Every answer of unknown shape is refused; only the exact shapes pass.

import { describe, expect, it } from 'vitest';
import { readDecision, readVisible } from '#core/policy/read-answer.ts';

const ALLOW = { allow: true, obligations: {}, explain: ['grant/g'] };
const REFUSAL = { allow: false, reason: 'tool_not_granted', obligations: {}, explain: [] };

describe('readDecision', () => {
  it('reads an allow', () => {
    expect(readDecision([{ result: ALLOW }])).toEqual({ ok: true, value: ALLOW });
  });

  it('reads a refusal with its facts', () => {
    const refusal = { ...REFUSAL, constraint: 'c', requiredScopes: ['s'] };
    expect(readDecision([{ result: refusal }])).toEqual({
      ok: true,
      value: {
        allow: false,
        reason: 'tool_not_granted',
        constraint: 'c',
        requiredScopes: ['s'],
        explain: [],
      },
    });
  });

  it.each<[string, unknown]>([
    ['undefined', []],
    ['two results', [{ result: ALLOW }, { result: ALLOW }]],
    ['no list', { result: ALLOW }],
    ['nothing', undefined],
    ['true alone', [{ result: true }]],
    ['a result without a value', [{}]],
    ['null', [{ result: null }]],
    ['a list as the value', [{ result: [ALLOW] }]],
    ['the word true', [{ result: { ...ALLOW, allow: 'true' } }]],
    ['one for true', [{ result: { ...ALLOW, allow: 1 } }]],
    ['no allow', [{ result: { reason: 'tool_unknown', obligations: {}, explain: [] } }]],
    ['an allow with a reason', [{ result: { ...ALLOW, reason: 'tool_unknown' } }]],
    ['an allow with a constraint', [{ result: { ...ALLOW, constraint: 'c' } }]],
    ['an allow without obligations', [{ result: { allow: true, explain: [] } }]],
    ['an obligation nobody carries out', [{ result: { ...ALLOW, obligations: { rewrite: ['/x'] } } }]],
    ['an allow without explanation', [{ result: { allow: true, obligations: {} } }]],
    ['a refusal without reason', [{ result: { allow: false, obligations: {}, explain: [] } }]],
    ['a reason of no list', [{ result: { ...REFUSAL, reason: 'because' } }]],
    ['a reason that is not the policy’s to give', [{ result: { ...REFUSAL, reason: 'token_expired' } }]],
    ['a reason inherited from Object', [{ result: { ...REFUSAL, reason: 'constructor' } }]],
    ['a constraint that is no string', [{ result: { ...REFUSAL, constraint: 7 } }]],
    ['scopes that are no strings', [{ result: { ...REFUSAL, requiredScopes: [7] } }]],
  ])('refuses %s', (_title, answer) => {
    expect(readDecision(answer).ok).toBe(false);
  });
});

const NAMES = { all: false, names: ['a'] };
const ALL = { all: true, names: [] };
const LISTS = { tools: NAMES, prompts: ALL, resources: NAMES, resourceTemplates: ALL };

describe('readVisible', () => {
  it('reads the four lists', () => {
    expect(readVisible([{ result: LISTS }])).toEqual({
      ok: true,
      value: { tools: NAMES, prompts: { all: true }, resources: NAMES, resourceTemplates: { all: true } },
    });
  });

  it.each<[string, unknown]>([
    ['undefined', []],
    ['two results', [{ result: LISTS }, { result: LISTS }]],
    ['all tools, which are pinned and must be named', [{ result: { ...LISTS, tools: ALL } }]],
    ['a list that is missing', [{ result: { tools: NAMES, prompts: ALL, resources: NAMES } }]],
    ['names that are no strings', [{ result: { ...LISTS, prompts: { all: false, names: [1] } } }]],
    ['an all that is no boolean', [{ result: { ...LISTS, prompts: { all: 'yes', names: [] } } }]],
  ])('refuses %s', (_title, answer) => {
    expect(readVisible(answer).ok).toBe(false);
  });
});
