// Somebody changes a tenant and takes it back, again and again, while its people call: each change makes every part of the
// gateway work, and none is one that a caller may notice.

import type { Experiment } from '#test/chaos/experiment.ts';
import type { Answer, Operator } from '#test/chaos/operator.ts';
import { TENANTS } from '#test/chaos/people.ts';

const TENANT = `/v1/tenants/${TENANTS[0]?.id}`;

const revisionIn = (answer: Answer | 'lost'): string | undefined =>
  answer === 'lost' || answer.status !== 200 ? undefined : /\d+/.exec(answer.etag)?.[0];

/** What the registry says without a fault of its own is one of these; it is asked through others' faults too. */
const isRight = (answer: Answer | 'lost'): boolean =>
  answer === 'lost' || answer.status < 300 || answer.status === 412 || answer.status >= 500;

/** @returns whether a change was made and taken back. @throws if the registry refuses what is right */
export const changeAndRestore = async (operator: Operator, turn: number): Promise<boolean> => {
  const before = revisionIn(await operator('GET', TENANT));
  const body = { displayName: `turn ${turn}`, accessContact: 'access@acme.example', fourEyes: false };
  const changed = await operator('PUT', TENANT, body, { 'if-match': '*' });
  const after = revisionIn(await operator('GET', TENANT));
  if (before === undefined || after === undefined) return false;
  // Another one's change came between: to restore would take that back too, and its callers would notice.
  if (Number(after) !== Number(before) + 1) return false;
  const restored = await operator('POST', `${TENANT}/revisions/${before}/restore`, undefined, {
    'if-match': `"${after}"`,
  });
  for (const answer of [changed, restored])
    if (!isRight(answer)) throw new Error(`a change that is right was refused: ${JSON.stringify(answer)}`);
  return restored !== 'lost' && restored.status < 300;
};

const changes = (): Experiment => {
  let isOver = true;
  let running: Promise<number> = Promise.resolve(0);
  const loop = async (operator: Operator): Promise<number> => {
    let done = 0;
    for (let turn = 1; !isOver; turn += 1) if (await changeAndRestore(operator, turn)) done += 1;
    return done;
  };
  return {
    name: 'changes and rollbacks in a loop',
    promise: 'no caller notices',
    costs: 'nothing',
    touches: ['changes'],
    begin: async ({ operator }) => {
      isOver = false;
      running = loop(operator);
      running.catch(() => undefined);
    },
    end: async () => {
      isOver = true;
      await running;
    },
  };
};

export const REGISTRY_CHANGES: readonly Experiment[] = [changes()];
