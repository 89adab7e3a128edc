import { describe, expect, it } from 'vitest';
import { sharesAt, type TrafficSplit, versionsIn } from '#core/traffic-split.ts';

const w = (...weights: readonly (readonly [string, number])[]) =>
  weights.map(([version, weight]) => ({ version, weight }));

const split = (changes: Partial<TrafficSplit> = {}): TrafficSplit => ({
  weights: w(['1', 100], ['2', 0]),
  tools: [],
  testers: [],
  steps: [],
  withdrawn: [],
  ...changes,
});

describe('the shares at a moment', () => {
  const tools = [{ tool: 'list', weights: w(['2', 1]) }];
  const stepped = split({
    tools,
    steps: [
      { at: '2030-01-01T00:00:00Z', weights: w(['1', 90], ['2', 10]) },
      { at: '2030-01-01T00:10:00Z', weights: w(['2', 1]), tools: [] },
    ],
  });
  const at = (time: string) => sharesAt(stepped, Date.parse(time));

  it('are those sent, until the first step', () => {
    expect(at('2029-12-31T23:59:59.999Z')).toEqual({ weights: stepped.weights, tools });
  });

  it('are those of the last step that has come; without tools, what held of them goes on', () => {
    expect(at('2030-01-01T00:00:00Z')).toEqual({ weights: w(['1', 90], ['2', 10]), tools });
    expect(at('2030-01-01T00:10:00Z')).toEqual({ weights: w(['2', 1]), tools: [] });
    expect(at('2040-01-01T00:00:00Z')).toEqual({ weights: w(['2', 1]), tools: [] });
  });

  it('go back with a clock that goes back: nothing is remembered', () => {
    at('2040-01-01T00:00:00Z');
    expect(at('2020-01-01T00:00:00Z').weights).toEqual(stepped.weights);
  });
});

it('every version that can get a call is listed, and none that cannot', () => {
  const named = versionsIn(
    split({
      weights: w(['1', 1], ['zero', 0]),
      tools: [{ tool: 'list', weights: w(['tool', 1]) }],
      testers: [{ version: 'tester', principal: 'p' }],
      steps: [
        {
          at: '2030-01-01T00:00:00Z',
          weights: w(['1', 1]),
          tools: [{ tool: 'list', weights: w(['later', 1]) }],
        },
      ],
      abort: { version: '1', fallback: 'fallback', windowSeconds: 9, minimumCalls: 1, limits: [] },
      withdrawn: ['gone'],
    }),
  );
  expect(named).toEqual(['1', 'tool', 'later', 'tester', 'fallback']);
});
