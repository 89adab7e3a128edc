// Says where mcp-proxy is, once `provision/run.mjs --with mcp-proxy` has built it: the last line of what that prints.

console.log(process.env['MCP_PROXY_BIN']);
