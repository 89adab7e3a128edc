import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { createListMemory } from '#ext-proc/message/list-memory.ts';

const PLACE = { tenantId: 't', serverId: 's', version: '1.0.0' };
const bodyOf = (id: string, result = '{"tools":[{"name":"é"}]}'): Buffer =>
  Buffer.from(`{"x":"ü", "jsonrpc":"2.0","id": ${id} ,"result":${result}}`);

const read = (bytes: Uint8Array) => {
  const message = readAnswerMessage(bytes, { strict: true });
  if (!message.ok) throw new Error(message.error.fault);
  return message.value;
};
const keeping = (bytes: Uint8Array, memory = createListMemory()) => {
  memory.keep(bytes, read(bytes), PLACE);
  return memory;
};

describe('createListMemory', () => {
  it('recalls a list under any plain id as a strict reading would read it', () => {
    const memory = keeping(bodyOf('1'));
    const plain = fc.oneof(
      fc.nat().map(String),
      fc.stringMatching(/^[A-Za-z0-9_.:-]{0,64}$/).map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(plain, (id) => {
        const bytes = bodyOf(id);
        expect(memory.recall(bytes, PLACE)).toEqual(read(bytes));
      }),
    );
    expect(memory.recall(bodyOf('2'), PLACE)?.value['result']).toBe(
      memory.recall(bodyOf('3'), PLACE)?.value['result'],
    );
  });

  it.each([
    ['another byte in the list', bodyOf('1', '{"tools":[{"name":"è"}]}')],
    ['one more member', bodyOf('1', '{"tools":[{"name":"é"}],"tools":[]}')],
    ['members in the place of the id', bodyOf('1,"result":{"tools":[]}')],
    ['a key that ends in the place of the id', bodyOf('1,"id":2')],
    ['an id that is no JSON', bodyOf('01')],
    ['an id with an escape', bodyOf('"\\u0031"')],
    ['an id that parsers may round', bodyOf('12345678901234567890')],
    ['no id', bodyOf('')],
    ['less than the list', bodyOf('1').subarray(0, 20)],
    ['nothing', Buffer.alloc(0)],
  ])('does not know %s', (_, bytes) => {
    expect(keeping(bodyOf('1')).recall(bytes, PLACE)).toBeUndefined();
  });

  it('does not keep a list whose id is not a plain one, or which is long', () => {
    for (const bytes of [bodyOf('"a b"'), bodyOf('1', `{"tools":[],"x":"${'y'.repeat(600_000)}"}`)])
      expect(keeping(bytes).recall(bytes, PLACE)).toBeUndefined();
  });

  it('knows nothing of another server, tenant or version', () => {
    const memory = keeping(bodyOf('1'));
    for (const other of [{ tenantId: 'u' }, { serverId: 'u' }, { version: '2.0.0' }])
      expect(memory.recall(bodyOf('1'), { ...PLACE, ...other })).toBeUndefined();
  });

  it('does not share its bytes with whoever gave them', () => {
    const bytes = bodyOf('1');
    const memory = keeping(bytes);
    bytes.fill(0x20);
    expect(memory.recall(bodyOf('1'), PLACE)).toEqual(read(bodyOf('1')));
  });

  it('forgets the oldest list of a server, and first the server that was longest not asked', () => {
    const page = (at: number) => bodyOf('1', `{"tools":[],"nextCursor":"${at}"}`);
    const memory = keeping(page(0));
    for (let at = 1; at <= 8; at += 1) memory.keep(page(at), read(page(at)), PLACE);
    expect(memory.recall(page(0), PLACE)).toBeUndefined();
    expect(memory.recall(page(1), PLACE)).toBeDefined();

    const small = createListMemory(2 * bodyOf('').length);
    const at = (serverId: string) => ({ ...PLACE, serverId });
    for (const server of ['a', 'b']) small.keep(bodyOf('1'), read(bodyOf('1')), at(server));
    small.recall(bodyOf('1'), at('a'));
    small.keep(bodyOf('1'), read(bodyOf('1')), at('c'));
    const known = ['a', 'b', 'c'].filter((server) => small.recall(bodyOf('1'), at(server)) !== undefined);
    expect(known).toEqual(['a', 'c']);
  });
});
