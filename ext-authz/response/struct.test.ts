// Unit tests of struct.ts against the codec, which drops silently whatever it does not know.
import type { MethodDefinition } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { structFromJson } from '#ext-authz/response/struct.ts';
import { loadService } from '#protos/service.ts';

const Check = loadService('envoy.service.auth.v3.Authorization')['Check'] as MethodDefinition<object, object>;

type Value = Record<string, unknown> & { kind: string };
type Fields = { fields: Record<string, Value> };

const jsonFrom = (value: Value): unknown => {
  const held = value[value.kind];
  if (value.kind === 'listValue') return (held as { values: Value[] }).values.map(jsonFrom);
  if (value.kind === 'structValue') return fieldsFrom(held as Fields);
  return value.kind === 'nullValue' ? null : held;
};
const fieldsFrom = ({ fields }: Fields): object =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonFrom(value)]));

describe('structFromJson()', () => {
  it('survives the wire with every kind of value', () => {
    const json = {
      text: 'ü\n',
      empty: '',
      number: -1.5,
      zero: 0,
      yes: true,
      no: false,
      nothing: null,
      list: ['a', 1, null, [true], { a: 'b' }],
      none: [],
      deep: { a: { b: { c: [] } } },
      hollow: {},
    };
    const bytes = Check.responseSerialize({ dynamic_metadata: structFromJson(json) });
    const { dynamic_metadata } = Check.responseDeserialize(bytes) as { dynamic_metadata: Fields };
    expect(fieldsFrom(dynamic_metadata)).toEqual(json);
  });
});
