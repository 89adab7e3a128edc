// The head of a chain: how far it went, kept apart from its records. A chain whose tail was cut off ends before its
// head. Whoever can put back an older head as well is found by a checkpoint that was anchored elsewhere, not by this.

import { type AuditKey, type AuditKeys, findAuditKey } from '#core/audit/audit-key.ts';
import { authenticateLine, isAuthentic } from '#core/audit/authenticated-line.ts';
import type { ChainEnd } from '#core/audit/record.ts';
import { isJsonObject } from '#core/json.ts';

const DOMAIN = 'mcpgw-audit-head-1';

/** Length of the file: written over in place by one small write, never grown or cut. */
export const HEAD_BYTES = 512;

/** The head as the whole content of its file. */
export const formatHead = (key: AuditKey, end: ChainEnd): string => {
  const { chain, sequence, mac: last } = end;
  const { line } = authenticateLine(key.head, DOMAIN, JSON.stringify({ chain, sequence, last, key: key.id }));
  return `${line.padEnd(HEAD_BYTES - 1)}\n`;
};

/** The end a head names; undefined if it is not whole or not ours. */
export const readHead = (keys: AuditKeys, content: string): ChainEnd | undefined => {
  try {
    const line = content.trimEnd();
    const value: unknown = JSON.parse(line);
    if (!isJsonObject(value)) return undefined;
    const key = findAuditKey(keys, String(value['key']));
    if (key === undefined || !isAuthentic(key.head, DOMAIN, line)) return undefined;
    return {
      chain: String(value['chain']),
      sequence: Number(value['sequence']),
      mac: String(value['last']),
    };
  } catch {
    return undefined;
  }
};
