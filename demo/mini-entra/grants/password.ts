// Resource owner password (RFC 6749 §4.3): how the demo's users sign in without a browser. Public clients only.

import { err, ok, type Result } from '#core/result.ts';
import { type DemoUser, isConfidential } from '#demo/directory.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import { type Grant, type GrantRequest, hasConsent } from '#demo/mini-entra/grants/grant.ts';

/** Who it is that gives `username` and `password`. AADSTS900144, 50034, 50126, 50057. */
export const signIn = ({
  world,
  directory,
  form,
}: Pick<GrantRequest, 'world' | 'directory' | 'form'>): Result<DemoUser, EntraRefusal> => {
  const userName = form.get('username');
  const password = form.get('password');
  if (userName === undefined || password === undefined) return err({ code: 900144 });
  const user = world.findUser(directory, userName);
  if (user === undefined) return err({ code: 50034 });
  if (user.password !== password) return err({ code: 50126 });
  return world.isEnabled(user) ? ok(user) : err({ code: 50057 });
};

/** AADSTS7000218 for a confidential client, 50034, 50126, 50057, 65001. */
export const password: Grant = async (request) => {
  if (isConfidential(request.client)) return err({ code: 7000218 });
  const user = signIn(request);
  if (!user.ok) return user;
  return hasConsent(request.client, request.requested.resource)
    ? ok({ user: user.value })
    : err({ code: 65001 });
};
