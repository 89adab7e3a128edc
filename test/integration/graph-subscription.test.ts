// Standing orders at Graph to be told of changed people: real requests through the real egress guard, to a Graph that does
// the handshake with the address it is given.

import { beforeEach, describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { NotificationAddress } from '#core/signal-channel.ts';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import { createAskGraph } from '#ext-authz/graph/ask-graph.ts';
import type { GraphSession } from '#ext-authz/revocation/graph-people.ts';
import { keepSubscription } from '#ext-authz/revocation/graph-subscription.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { graphToken } from '#test/support/graph-token.ts';
import { type NotificationReceiver, startNotificationReceiver } from '#test/support/notification-receiver.ts';
import { startTokenWorld, type TokenWorld } from '#test/support/token-world.ts';

const HOUR = 3_600;

let world: TokenWorld;
let receiver: NotificationReceiver;
let address: NotificationAddress;
let session: GraphSession;

const ask = createAskGraph(createEgressGuard({ allowPrivate: true, allowedHosts: [] }).fetch);
const keep = (seconds = 0, isDoubtful = false) =>
  keepSubscription(ask, { ...session, nowSeconds: session.nowSeconds + seconds }, { address, isDoubtful });
const subscriptions = () => [...world.provider.control.graph.subscriptions.values()];

beforeEach(async () => {
  world = await startTokenWorld();
  receiver = await startNotificationReceiver();
  address = { notificationUrl: `${receiver.origin}/graph`, clientState: new Secret('said-with-each') };
  const nowSeconds = Math.floor(Date.now() / 1_000);
  session = { graphUrl: world.provider.origin, token: await graphToken(world.provider), nowSeconds };
  return async () => {
    receiver.stop();
    await world.stop();
  };
});

describe('a standing order at Graph', () => {
  it('is made once, and kept while it has long to go', async () => {
    expect(await keep()).toEqual(ok('made'));
    expect(await keep()).toEqual(ok('kept'));
    expect(await keep(30 * HOUR)).toEqual(ok('kept'));
    expect(subscriptions()).toHaveLength(1);
    expect(subscriptions()[0]).toMatchObject({
      tid: CONTOSO_TID,
      clientId: APPLICATION_IDS.gatewayDirectory,
    });
  });

  it('is prolonged when half of its time is over, or when somebody doubts it', async () => {
    await keep();
    const [before] = subscriptions().map(({ expirationDateTime }) => expirationDateTime);
    expect(await keep(40 * HOUR)).toEqual(ok('prolonged'));
    expect(subscriptions().map(({ expirationDateTime }) => expirationDateTime)).not.toEqual([before]);
    expect(await keep(40 * HOUR)).toEqual(ok('kept'));
    expect(await keep(41 * HOUR, true)).toEqual(ok('prolonged'));
  });

  it('is made anew where it is gone', async () => {
    await keep();
    world.provider.control.graph.subscriptions.clear();
    expect(await keep()).toEqual(ok('made'));
  });

  it('is not made to an address that does not answer the handshake', async () => {
    address = { ...address, notificationUrl: `${world.provider.origin}/nobody` };
    expect(await keep()).toMatchObject({ ok: false, error: { kind: 'refused', code: 'ValidationError' } });
  });

  it('tells of everybody who is changed or gone, and says what it was told to say', async () => {
    await keep();
    world.provider.control.world.setEnabled('bob', false);
    world.provider.control.world.remove('alice');
    await expect.poll(() => receiver.heard).toHaveLength(2);
    expect(receiver.heard).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          clientState: 'said-with-each',
          changeType: 'updated',
          tenantId: CONTOSO_TID,
        }),
        expect.objectContaining({ clientState: 'said-with-each', changeType: 'deleted' }),
      ]),
    );
  });
});
