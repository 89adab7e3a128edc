// How long a caller's token is believed at most, seconds: who judges tokens and who remembers what was revoked go by the
// same. Entra's longest, for continuous access evaluation, live 28 hours; a token of years is a leaked mistake.

export const MAX_TOKEN_LIFETIME_SECONDS = 48 * 3600;
