import { describe, expect, it } from 'vitest';
import { operationId } from '#registry/api/operation-id.ts';

const T = '/v1/tenants/:tenant';

describe('operationId', () => {
  it.each([
    ['GET', '/v1/tenants', 'listTenants'],
    ['GET', T, 'readTenant'],
    ['PUT', T, 'putTenant'],
    ['GET', `${T}/admin-issuer`, 'readAdminIssuer'],
    ['GET', `${T}/servers`, 'listServers'],
    ['DELETE', `${T}/servers/:id`, 'deleteServer'],
    ['PUT', `${T}/servers/:id/active-version`, 'putServerActiveVersion'],
    ['GET', `${T}/servers/:id/versions/:version`, 'readServerVersion'],
    ['GET', `${T}/servers/:id/versions`, 'listServerVersions'],
    ['GET', `${T}/kill-switches/:id`, 'readKillSwitch'],
    ['GET', `${T}/kill-switches`, 'listKillSwitches'],
    ['POST', `${T}/revisions/:number/restore`, 'postRevisionRestore'],
    ['POST', `${T}/streams/terminate`, 'postStreamsTerminate'],
    ['GET', '/v1/consumers', 'listConsumers'],
  ])('names %s %s %s', (method, path, name) => {
    expect(operationId(method, path)).toBe(name);
  });
});
