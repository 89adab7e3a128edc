// What can stand in a header as it is, alone and without blanks: session ids (MCP, streamable HTTP) and tokens.

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** True for one or more characters from 0x21 to 0x7E, and nothing else. */
export const isVisibleAscii = (text: string): boolean => VISIBLE_ASCII.test(text);
