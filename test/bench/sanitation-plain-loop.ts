// What one would write first: a list of regular expressions for the same kinds of findings, run one after the other
// over the whole text, without a look at whether it can hold any. The measure that the detectors are held against.

export const PLAIN_LOOP: readonly RegExp[] = [
  /[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad]/g,
  /[\u{e0000}-\u{e0fff}]/gu,
  /ignore\s+(?:all\s+)?(?:previous|prior|above)\s+instructions/gi,
  /disregard\s+(?:all\s+)?(?:your|previous)\s+(?:instructions|rules)/gi,
  /do\s+not\s+(?:tell|inform)\s+the\s+user/gi,
  /<\|[a-z_]+\|>|\[\/?INST\]|<\/?system>/gi,
  /!\[[^\]]*\]\(([^)]+)\)/g,
  /\[[^\]]*\]\(([^)]+)\)/g,
  /<img[^>]+src\s*=\s*["']?[^"'>\s]+/gi,
  /https?:\/\/[^\s"'<>]+\?[^\s"'<>]{40,}/gi,
  /data:[a-z/+.-]+;base64,[A-Za-z0-9+/=]+/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[0-9A-Za-z_-]{35}\b/g,
  /AccountKey=[A-Za-z0-9+/]{86}==/g,
  /\bgh[pousr]_[A-Za-z0-9]{36,}\b/g,
  /\bglpat-[0-9A-Za-z_-]{20,}\b/g,
  /\bxox[abeprs]-[0-9A-Za-z-]{10,}\b/g,
  /\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,}\b/g,
  /\bnpm_[A-Za-z0-9]{36}\b/g,
  /\bsk-[A-Za-z0-9_-]{32,}\b/g,
  /\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\b/g,
  /bearer\s+[A-Za-z0-9._~+/-]+=*/gi,
  /[a-z][a-z0-9+.-]*:\/\/[^\s:@/]+:[^\s@/]+@/gi,
  /(?:password|passwd|pwd|secret|token|api[_-]?key)["']?\s*[:=]\s*["']?[^\s"']{8,}/gi,
  /[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/g,
  /\+\d[\d ().-]{7,17}\d/g,
  /\b(?:\d[ -]?){13,19}\b/g,
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g,
  /\b\d{3}-\d{2}-\d{4}\b/g,
  /\b\d{8}[A-Z]\b/g,
  /\b\d{11}\b/g,
  /\b\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}\b/g,
  /\b\d{6}-\d{4}\b/g,
  /\b[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/g,
];

/** @returns how many matches there are. */
export const runPlainLoop = (text: string): number =>
  PLAIN_LOOP.reduce((count, form) => count + (text.match(form)?.length ?? 0), 0);
