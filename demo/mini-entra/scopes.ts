// What a `scope` parameter asks for: one resource and some of its delegated scopes, or `.default` for all.
// Pure; the caller knows whether consent was given.

import { err, ok, type Result } from '#core/result.ts';
import type { DemoApplication } from '#demo/directory.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';

/** OIDC's own scopes name no resource. */
const OIDC_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access']);

export type RequestedScopes = {
  readonly resource: DemoApplication;
  /** The URI or id it was asked for by. */
  readonly named: string;
  readonly scopes: readonly string[];
  /** The `/.default` form, the only one an application may ask for itself. */
  readonly isDefault: boolean;
};

const splitScope = (text: string): { resource: string; scope: string } => {
  const slash = text.lastIndexOf('/');
  return { resource: text.slice(0, Math.max(slash, 0)), scope: text.slice(slash + 1) };
};

/**
 * Parses `api://x/.default` or `api://x/a api://x/b`.
 * @returns AADSTS900144 for none, 28000 for two resources, 500011 for an unknown one, 650053 for an unknown scope.
 */
export const parseScopes = (
  text: string | undefined,
  findResource: (resource: string) => DemoApplication | undefined,
): Result<RequestedScopes, EntraRefusal> => {
  const asked = (text ?? '').split(' ').filter((scope) => scope !== '' && !OIDC_SCOPES.has(scope));
  const parts = asked.map(splitScope);
  const first = parts[0];
  if (first === undefined) return err({ code: 900144 });
  if (parts.some((part) => part.resource !== first.resource)) return err({ code: 28000 });
  const resource = findResource(first.resource);
  if (resource === undefined) return err({ code: 500011 });
  if (parts.some((part) => part.scope === '.default')) {
    return parts.length === 1
      ? ok({ resource, named: first.resource, scopes: resource.scopes, isDefault: true })
      : err({ code: 70011 });
  }
  if (!parts.every((part) => resource.scopes.includes(part.scope))) return err({ code: 650053 });
  return ok({
    resource,
    named: first.resource,
    scopes: parts.map((part) => part.scope),
    isDefault: false,
  });
};
