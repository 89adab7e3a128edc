// The v1 MCP SDK's types name this DOM type; the project is compiled without the DOM, and Node has the same one.
type HeadersInit = import('undici-types').HeadersInit;
