// Which application asks, and whether it is the one it says it is.

import { createHash, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';
import type { DemoApplication, DemoDirectory } from '#demo/directory.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import type { Form } from '#demo/mini-entra/form.ts';
import type { World } from '#demo/mini-entra/world.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Digests have one length, so the comparison takes one time whatever was sent. */
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

/**
 * Authenticates by `client_id` and `client_secret`. A public client sends no secret, and one that does is refused.
 * @returns AADSTS900144, 700016 (unknown here), 7000218 (no secret), 7000215 (wrong secret).
 */
export const authenticateClient = (
  world: World,
  directory: DemoDirectory,
  form: Form,
): Result<DemoApplication, EntraRefusal> => {
  const clientId = form.get('client_id');
  if (clientId === undefined) return err({ code: 900144 });
  const application = world.findApplication(directory, clientId);
  if (application === undefined) return err({ code: 700016 });
  const secret = form.get('client_secret');
  if (application.secret === undefined)
    return secret === undefined ? ok(application) : err({ code: 7000215 });
  if (secret === undefined) return err({ code: 7000218 });
  return isSame(secret, application.secret) ? ok(application) : err({ code: 7000215 });
};
