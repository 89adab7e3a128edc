// Unit tests of refresh-line.ts over shared state in memory: what is in turn when several ask at the same moment.

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { dropFamily, takeTurn } from '#oauth-facade/token/refresh-line.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';

const start = () => ({ state: createMemoryState(() => 0), newId: randomUUID });

type Parts = ReturnType<typeof start>;

const turn = (parts: Parts, handleId: string, nextId: string) =>
  takeTurn(parts, { familyId: 'family', handleId, nextId });

it('windows that ask in the same moment can all go on with what they got', async () => {
  for (const survivor of ['a', 'b', 'c']) {
    const parts = start();
    const answers = await Promise.all(['a', 'b', 'c'].map((next) => turn(parts, 'first', next)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect((await turn(parts, survivor, 'next')).ok).toBe(true);
  }
});

it('a dead token is found out though its successor is shown in the same moment', async () => {
  const parts = start();
  await turn(parts, 'first', 'second');
  const answers = await Promise.all([turn(parts, 'second', 'third'), turn(parts, 'first', 'fourth')]);
  expect(answers).toMatchObject([{ ok: true }, { ok: false, error: { error: 'invalid_grant' } }]);
  expect((await turn(parts, 'third', 'fifth')).ok).toBe(false);
});

it('a sign-in that is ended while a token is shown stays ended', async () => {
  const parts = start();
  await Promise.all([turn(parts, 'first', 'second'), dropFamily(parts, 'family')]);
  expect(await turn(parts, 'second', 'third')).toMatchObject({
    ok: false,
    error: { error: 'invalid_grant' },
  });
});
