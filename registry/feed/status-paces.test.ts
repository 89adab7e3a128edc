import { describe, expect, it } from 'vitest';
import { NO_FIGURES } from '#core/call-figures.ts';
import { withoutAnswers } from '#registry/feed/status-paces.ts';

const NAME = { tenantId: 'acme', serverId: 'tracker', version: '1.0.0' };
const CALLS = { ...NAME, figures: { ...NO_FIGURES, calls: 2 } };
const ANSWERS = { ...NAME, figures: { ...NO_FIGURES, answers: { judged: 2, invalid: 1 } } };

describe('withoutAnswers()', () => {
  it('should leave what a registry of before knows, and nothing else', () => {
    const status = { sequence: 1, figures: { versions: [CALLS, ANSWERS] } };
    expect(withoutAnswers(status)).toEqual({ sequence: 1, figures: { versions: [CALLS] } });
    expect(withoutAnswers({ sequence: 1, figures: { versions: [ANSWERS] } })).toEqual({ sequence: 1 });
    expect(withoutAnswers({ sequence: 1 })).toEqual({ sequence: 1 });
  });
});
