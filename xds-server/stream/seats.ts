// Which streams are served, as which nodes: a stream has a seat once its node was admitted, is told what its node's view
// holds, and is judged again when the table of nodes changes.

import { callerNames } from '#runtime/grpc-server.ts';
import type { Admission } from '#xds-server/nodes/admission.ts';
import type { AdmittedNode } from '#xds-server/nodes/authorise.ts';
import type { WireNode } from '#xds-server/nodes/claim.ts';
import { createViewCache } from '#xds-server/nodes/view-cache.ts';
import { type Arrivals, NO_ARRIVALS } from '#xds-server/snapshot/arrivals.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

type Guest = { publish(snapshot: ResourceSnapshot): void; refuse(details: string): void };

export type Seat<Stream> = { readonly stream: Stream; readonly node: AdmittedNode };

export type Seats<Stream> = {
  /** The node of the stream's first message. @returns why it is refused; undefined if it has a seat. */
  take(stream: Stream, node: WireNode | null, call: Parameters<typeof callerNames>[0]): string | undefined;
  /** Undefined: it has none. */
  find(stream: Stream): Seat<Stream> | undefined;
  leave(stream: Stream): void;
  /** Tells everybody what concerns them, now and later, until the next call. */
  publish(snapshot: ResourceSnapshot): void;
  /** With which publication each resource of the node's view came. */
  arrivalsOf(node: AdmittedNode): Arrivals;
  /** In the order they were taken; of that node only, if one is named. */
  list(nodeId?: string): readonly Seat<Stream>[];
};

/** No seat is taken and nothing is published. */
export const createSeats = <Stream extends Guest>(admission: Admission): Seats<Stream> => {
  const seats = new Map<Stream, Seat<Stream> & { readonly judge: () => void }>();
  const views = createViewCache();

  const tell = ({ stream, node }: Seat<Stream>): void => {
    const viewed = views.find(node.view);
    if (viewed !== undefined) stream.publish(viewed.snapshot);
  };

  const take: Seats<Stream>['take'] = (stream, wireNode, call) => {
    const admitted = admission.admit(wireNode, callerNames(call));
    if (!admitted.ok) return admitted.error;
    const before = seats.get(stream);
    const judge = (): void => {
      const refusal = take(stream, wireNode, call);
      if (refusal !== undefined) stream.refuse(refusal);
    };
    const seat = { stream, node: admitted.value, judge };
    seats.set(stream, seat);
    if (before?.node.view.key !== seat.node.view.key) tell(seat);
    return undefined;
  };

  admission.onChange(() => {
    for (const { judge } of [...seats.values()]) judge();
  });

  return {
    take,
    find: (stream) => seats.get(stream),
    leave: (stream) => void seats.delete(stream),
    publish: (snapshot) => {
      views.publish(snapshot);
      for (const seat of seats.values()) tell(seat);
    },
    arrivalsOf: ({ view }) => views.find(view)?.arrivals ?? NO_ARRIVALS,
    list: (nodeId) =>
      [...seats.values()].filter(({ node }) => nodeId === undefined || node.claim.nodeId === nodeId),
  };
};
