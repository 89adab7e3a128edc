// Tokens by who issues them, in the forms that the issuers document. Lengths are lower bounds where an issuer reserves
// the right to longer ones.

import type { TokenRule } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';

const CLOUD_RULES: readonly TokenRule[] = [
  {
    kind: 'aws-key',
    starts: ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    form: /A[A-Z]{3}[A-Z2-7]{16}(?![A-Za-z0-9])/y,
  },
  { kind: 'gcp-key', starts: ['AIza'], form: /AIza[\w-]{35}(?![\w-])/y },
  { kind: 'gcp-key', starts: ['ya29.'], form: /ya29\.[\w-]{20,2048}/y },
  { kind: 'gcp-key', starts: ['GOCSPX-'], form: /GOCSPX-[\w-]{28}/y },
  { kind: 'azure-key', starts: ['AccountKey='], form: /AccountKey=[A-Za-z0-9+/]{86}==/y },
  { kind: 'azure-key', starts: ['SharedAccessKey='], form: /SharedAccessKey=[A-Za-z0-9+/]{40,86}={1,2}/y },
  { kind: 'azure-key', starts: ['sig='], form: /sig=[A-Za-z0-9+/%]{43,120}(?:%3[Dd]|=)/y },
];

const FORGE_RULES: readonly TokenRule[] = [
  {
    kind: 'github-token',
    starts: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    form: /gh[pousr]_[A-Za-z0-9]{36,255}/y,
  },
  { kind: 'github-token', starts: ['github_pat_'], form: /github_pat_[A-Za-z0-9_]{60,255}/y },
  {
    kind: 'gitlab-token',
    starts: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-'],
    form: /gl[a-z]{2,4}-[\w-]{20,255}/y,
  },
  { kind: 'npm-token', starts: ['npm_'], form: /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/y },
];

const SERVICE_RULES: readonly TokenRule[] = [
  {
    kind: 'slack-token',
    starts: ['xoxb-', 'xoxp-', 'xoxa-', 'xoxe-', 'xoxr-', 'xoxs-', 'xoxe.', 'xapp-'],
    form: /x(?:ox[a-z]|app)[-.][A-Za-z0-9-]{20,255}/y,
  },
  {
    kind: 'slack-token',
    starts: ['hooks.slack.com/'],
    form: /hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/]{30,120}/y,
  },
  {
    kind: 'stripe-key',
    starts: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'],
    form: /[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}/y,
  },
  { kind: 'stripe-key', starts: ['whsec_'], form: /whsec_[A-Za-z0-9+/]{32,255}/y },
  { kind: 'api-key', starts: ['sk-'], form: /sk-(?:[a-z]{3,10}[a-z0-9]{0,2}-)?[\w-]{32,255}/y },
  { kind: 'api-key', starts: ['hf_'], form: /hf_[A-Za-z0-9]{34,64}/y },
  { kind: 'api-key', starts: ['SG.'], form: /SG\.[\w-]{22}\.[\w-]{43}/y },
  {
    kind: 'api-key',
    starts: ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    form: /shp(?:at|ca|pa|ss)_[a-f0-9]{32}/y,
  },
  { kind: 'api-key', starts: ['pypi-'], form: /pypi-AgE[\w-]{50,2048}/y },
  { kind: 'api-key', starts: ['doo_v1_', 'dop_v1_', 'dor_v1_'], form: /do[opr]_v1_[a-f0-9]{64}/y },
  { kind: 'api-key', starts: ['dckr_'], form: /dckr_(?:pat|oat)_[\w-]{27,255}/y },
  { kind: 'api-key', starts: ['dapi'], form: /dapi[a-f0-9]{32}/y },
  { kind: 'api-key', starts: ['hvs.', 'hvb.'], form: /hv[sb]\.[\w-]{24,255}/y },
  { kind: 'api-key', starts: ['ATATT3'], form: /ATATT3[\w=-]{100,255}/y },
  { kind: 'api-key', starts: ['lin_api_'], form: /lin_api_[A-Za-z0-9]{40}/y },
  { kind: 'api-key', starts: ['AGE-SECRET-KEY-'], form: /AGE-SECRET-KEY-1[A-Z0-9]{58}/y },
];

/** A signed token of three parts, an encrypted one of five (RFC 7519, RFC 7516). Both begin with `{"`, encoded. */
const JSON_WEB_TOKEN: TokenRule = {
  kind: 'jwt',
  starts: ['eyJ'],
  form: /eyJ[\w-]{8,4000}\.[\w-]{0,16000}(?:\.[\w-]{0,16000}){1,3}/y,
};

export const ISSUED_TOKENS: readonly TokenRule[] = [
  ...CLOUD_RULES,
  ...FORGE_RULES,
  ...SERVICE_RULES,
  JSON_WEB_TOKEN,
];
