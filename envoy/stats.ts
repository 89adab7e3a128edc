// How Envoy names its statistics. The name of a cluster is taken apart into tags, so that a query can ask for a tenant or a
// server, and a dashboard need not know how clusters are named (xds-server/translate/names.ts). Pure.

import type { JsonObject } from '#core/json.ts';

const ID = '[a-z0-9-]+';

/**
 * What the name of a statistic begins with behind that of its cluster. Versions hold dots, so their end is where one of
 * these begins.
 */
const GROUPS = [
  'assignment_',
  'bind_errors',
  'canary\\.',
  'circuit_breakers\\.',
  'client_ssl_socket_factory\\.',
  'default\\.',
  'external\\.',
  'health_check\\.',
  'http1\\.',
  'http2\\.',
  'init_fetch_timeout',
  'internal\\.',
  'lb_',
  'max_host_weight',
  'membership_',
  'metadata_',
  'original_dst_host_invalid',
  'outlier_detection\\.',
  'retry_or_shadow_abandoned',
  'socket_match_',
  'ssl\\.',
  'update_',
  'upstream_',
  'version(?:_text)?$',
  'warming_state',
  'zone\\.',
];

/** The first group of each is cut out of the name, the second is the tag's value. */
const TAGS = {
  mcpgw_tenant: `^cluster\\.mcp\\.((${ID})\\.)`,
  mcpgw_server: `^cluster\\.mcp\\.${ID}\\.((${ID})\\.)`,
  mcpgw_version: `^cluster\\.mcp\\.${ID}\\.${ID}\\.((.+?)\\.)(?:${GROUPS.join('|')})`,
};

/** Fields of the bootstrap. */
export const STATISTICS: JsonObject = {
  stats_config: {
    stats_tags: Object.entries(TAGS).map(([tag_name, regex]) => ({ tag_name, regex })),
  },
  // A cluster has some hundred statistics, and of a thousand servers few are called within a day.
  deferred_stat_options: { enable_deferred_creation_stats: true },
};
