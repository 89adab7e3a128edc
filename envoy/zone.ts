// The zone an Envoy stands in, as parts of its bootstrap. Envoy believes it only beside a cluster of its own kind, which
// says where the others stand; that all of them share one zone is what makes it keep every call there.

import type { JsonObject } from '#core/json.ts';

const LOCAL_CLUSTER = 'envoys-of-this-zone';

/** Part of `node`. */
export const nodeLocality = (zone: string | undefined): JsonObject =>
  zone === undefined ? {} : { locality: { zone } };

/** Part of the bootstrap. */
export const localZone = (zone: string | undefined): JsonObject =>
  zone === undefined ? {} : { cluster_manager: { local_cluster_name: LOCAL_CLUSTER } };

/** Part of the static clusters. Nothing is ever sent to the address. */
export const zoneClusters = (zone: string | undefined): readonly JsonObject[] =>
  zone === undefined
    ? []
    : [
        {
          name: LOCAL_CLUSTER,
          type: 'STATIC',
          connect_timeout: '1s',
          load_assignment: {
            cluster_name: LOCAL_CLUSTER,
            endpoints: [
              {
                locality: { zone },
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 1 } } } },
                ],
              },
            ],
          },
        },
      ];
