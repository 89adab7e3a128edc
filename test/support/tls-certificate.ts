// A self-signed certificate and its key, for TLS upstreams of tests. It names up.example, second.example and 127.0.0.1,
// is its own authority, is valid from 2020 to 2120, and protects nothing.

export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBczCCARqgAwIBAgIUA+pHs8rPQxGjLlAQiK8q+4uj/SswCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNdGVzdCB1cHN0cmVhbTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIw
MDEwMTAwMDAwMFowGDEWMBQGA1UEAwwNdGVzdCB1cHN0cmVhbTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABO5ulI0tJ7SHGVsDmmejHxhaFRjSoQt83LpbYWnQqChs
FHtcrDhoYfB1tqdH5NnfnEb1U4fjbHedp4NcIV83TH+jQDA+MCsGA1UdEQQkMCKC
CnVwLmV4YW1wbGWCDnNlY29uZC5leGFtcGxlhwR/AAABMA8GA1UdEwEB/wQFMAMB
Af8wCgYIKoZIzj0EAwIDRwAwRAIgfjB7tEpuW7aUIl3A1C4AmaVJ/Ttxm6AFMikW
zpWWrCcCIBlbqhS8sLn+8AV5Yr4sAYEC+jN9szT4ZqNpEonneDmh
-----END CERTIFICATE-----
`;

export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUUfSOlCDngsjhH0H
t0EyamINxVOf7aC7HdLqsjyAVumhRANCAATubpSNLSe0hxlbA5pnox8YWhUY0qEL
fNy6W2Fp0KgobBR7XKw4aGHwdbanR+TZ35xG9VOH42x3naeDXCFfN0x/
-----END PRIVATE KEY-----
`;
