// A transmitter of Shared Signals for tests: real keys, a real key set over HTTP, Security Event Tokens as SSF 1.0 has them. It
// signs whatever it is asked to. There is none by somebody else to be had as a package: what it sends follows the examples of
// the specifications, not our reading of them alone.

import { randomUUID } from 'node:crypto';
import {
  createTestKey,
  type KeyServer,
  publishKey,
  signWith,
  startKeyServer,
  type TestKey,
} from '#test/support/token-issuer.ts';

export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type';
export const SSF = 'https://schemas.openid.net/secevent/ssf/event-type';

/** What a test changes of a good token; a claim that is undefined is left out. */
export type SetChanges = {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: TestKey;
};

export type Transmitter = {
  readonly issuer: string;
  readonly key: TestKey;
  readonly keyServer: KeyServer;
  /** A token with one event, about `sub_id`. */
  sign(event: string, payload: object, changes?: SetChanges): Promise<string>;
  stop(): Promise<void>;
};

export const startTransmitter = async (
  issuer: string,
  about: { readonly audience: string; readonly subject: object; readonly nowMs: () => number },
): Promise<Transmitter> => {
  const key = createTestKey('ssf-1');
  const keyServer = await startKeyServer([publishKey(key)]);
  return {
    issuer,
    key,
    keyServer,
    sign: (event, payload, { claims = {}, header = {}, key: signer = key } = {}) =>
      signWith(
        signer,
        {
          iss: issuer,
          aud: about.audience,
          iat: Math.floor(about.nowMs() / 1_000),
          jti: randomUUID(),
          txn: randomUUID(),
          sub_id: about.subject,
          events: { [event]: payload },
          ...claims,
        },
        { typ: 'secevent+jwt', ...header },
      ),
    stop: () => keyServer.stop(),
  };
};
