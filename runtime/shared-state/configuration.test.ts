// Which database shared state goes to.

import { describe, expect, it } from 'vitest';
import { readCosmosStateConfiguration } from '#runtime/shared-state/open-cosmos.ts';
import { readSqlStateConfiguration } from '#runtime/shared-state/open-sql.ts';

const STATE = { MCPGW_STATE_DIR: '/var/lib/mcpgw' };
const REGISTRY = { POSTGRES_URL: 'postgres://registry@db/registry' };

describe('readSqlStateConfiguration()', () => {
  it('takes a file of its own below the state directory where there is no Postgres', () => {
    expect(readSqlStateConfiguration(STATE)).toEqual({
      url: undefined,
      path: '/var/lib/mcpgw/shared-state/shared-state.db',
      deadlineMs: 250,
    });
    expect(readSqlStateConfiguration({ ...STATE, SHARED_STATE_SQLITE_FILE: '/dev/shm/s.db' }).path).toBe(
      '/dev/shm/s.db',
    );
  });

  it('takes the registry’s Postgres, or another that is named', () => {
    const urlOf = (environment: Record<string, string>) =>
      readSqlStateConfiguration({ ...STATE, ...environment }).url?.reveal();
    expect(urlOf(REGISTRY)).toBe(REGISTRY.POSTGRES_URL);
    const own = 'postgres://guest@other/shared';
    expect(urlOf({ ...REGISTRY, SHARED_STATE_POSTGRES_URL: own })).toBe(own);
  });

  it('repeats no password where a URL is wrong', () => {
    const read = () => readSqlStateConfiguration({ ...STATE, SHARED_STATE_POSTGRES_URL: 'mysql://u:pass@h' });
    expect(read).toThrow(/SHARED_STATE_POSTGRES_URL/);
    expect(read).not.toThrow(/pass/);
  });
});

describe('readCosmosStateConfiguration()', () => {
  it.each([
    ['http://a.documents.azure.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://127.0.0.1:8081', true],
    ['https://a.documents.azure.com', true],
  ])('sends signatures to %s: %s', (COSMOS_ENDPOINT, isTaken) => {
    const read = () => readCosmosStateConfiguration({ COSMOS_ENDPOINT, COSMOS_KEY_FILE: '/k' }).endpoint;
    if (isTaken) expect(read()).toBe(COSMOS_ENDPOINT);
    else expect(read).toThrow(/COSMOS_ENDPOINT: expected an absolute https URL/);
  });

  it('needs an account and the file of its key', () => {
    expect(() => readCosmosStateConfiguration({})).toThrow(/COSMOS_ENDPOINT[\s\S]*COSMOS_KEY_FILE/);
    expect(
      readCosmosStateConfiguration({
        COSMOS_ENDPOINT: 'https://a.documents.azure.com/',
        COSMOS_KEY_FILE: '/k',
      }),
    ).toEqual({
      endpoint: 'https://a.documents.azure.com',
      keyFile: '/k',
      database: 'mcpgw',
      container: 'shared-state',
      deadlineMs: 250,
    });
  });
});
