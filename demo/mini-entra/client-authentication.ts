// Which application asks, and whether it is the one it says it is.

import { createHash, timingSafeEqual } from 'node:crypto';
import { err, ok, type Result } from '#core/result.ts';
import { type DemoApplication, type DemoDirectory, isConfidential } from '#demo/directory.ts';
import { type AssertionCheck, judgeAssertion } from '#demo/mini-entra/client-assertion.ts';
import type { EntraRefusal } from '#demo/mini-entra/entra-error.ts';
import type { Form } from '#demo/mini-entra/form.ts';
import type { World } from '#demo/mini-entra/world.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Digests have one length, so the comparison takes one time whatever was sent. */
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const judgeSecret = ({ secret }: DemoApplication, form: Form): EntraRefusal | undefined => {
  const given = form.get('client_secret');
  if (given === undefined) return { code: 7000218 };
  return secret !== undefined && isSame(given, secret) ? undefined : { code: 7000215 };
};

const judgeCredential = async (
  application: DemoApplication,
  form: Form,
  request: Omit<AssertionCheck, 'assertion'>,
): Promise<EntraRefusal | undefined> => {
  const assertion = form.get('client_assertion');
  if (assertion === undefined) return judgeSecret(application, form);
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) return { code: 900144 };
  const judged = await judgeAssertion(application, { ...request, assertion });
  return judged.ok ? undefined : judged.error;
};

/**
 * Authenticates by `client_id` and a secret or an assertion. A public client sends neither, and one that does is refused.
 * @returns AADSTS900144, 700016 (unknown here), 7000218 (nothing), 7000215 (wrong secret), those of `judgeAssertion`.
 */
export const authenticateClient = async (
  { world, directory }: { readonly world: World; readonly directory: DemoDirectory },
  form: Form,
  request: Omit<AssertionCheck, 'assertion'>,
): Promise<Result<DemoApplication, EntraRefusal>> => {
  const clientId = form.get('client_id');
  if (clientId === undefined) return err({ code: 900144 });
  const application = world.findApplication(directory, clientId);
  if (application === undefined) return err({ code: 700016 });
  if (!isConfidential(application)) {
    const isSilent = !form.has('client_secret') && !form.has('client_assertion');
    return isSilent ? ok(application) : err({ code: 7000215 });
  }
  const refusal = await judgeCredential(application, form, request);
  return refusal === undefined ? ok(application) : err(refusal);
};
