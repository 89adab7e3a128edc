// Open streams on the running product, as many as a suite has time for; `npm run soak:streams` holds ten thousand.

import { beforeAll, describe, expect, it } from 'vitest';
import { holdStreams, type StreamFigures } from '#test/soak/hold-streams.ts';

const STREAMS = 300;

let figures: StreamFigures;
beforeAll(async () => {
  figures = await holdStreams({ streams: STREAMS, idleSeconds: 1, trickleSeconds: 1 });
}, 300_000);

describe('streams that stay open', () => {
  it('all open and bring what their server says', () => {
    expect(figures).toMatchObject({ opened: STREAMS, heardOfServer: STREAMS, lostWhileIdle: 0 });
  });

  it('outlive changes of the registry', () => {
    expect(figures).toMatchObject({ lostByChanges: 0 });
  });

  it('are all ended by a kill switch, at their servers too', () => {
    expect(figures).toMatchObject({ survivors: 0, leftAtServer: 0 });
  });
});
