// opa answers Checks by a policy in Rego through OPA's own library, evaluated as opa-envoy-plugin evaluates (topdown,
// query prepared once), with the input and the token check of this product. It is the peer, not the plugin: that one
// cannot be had as a module. What favours it is left in: input is as lean as ours, grants are looked up by an index in
// Go, and by default the token is verified in Go, which is several times faster than Rego's io.jwt.
package main

import (
	"context"
	"flag"
	"strings"

	"mcpgw.test/peers/wire"
)

func main() {
	listen := flag.String("listen", "", "unix:/path or host:port")
	policy := flag.String("policy", "", "files or folders of Rego, separated by commas; files named *_test.rego are left out")
	data := flag.String("data", "", "JSON: a tenant as the registry has it, or a list of tenants")
	keys := flag.String("keys", "", "JWKS file with P-256 keys")
	issuer := flag.String("issuer", "", "iss")
	audience := flag.String("audience", "", "aud")
	issuerID := flag.String("issuer-id", "", "id of the issuer in the tenants; default: the tenant's first")
	in := flag.String("token-check", "go", "go, or rego for io.jwt.decode_verify as users of the plugin do")
	cache := flag.Bool("token-cache", false, "remember verified tokens: by digest in Go, io_jwt's own cache in Rego")
	inputs := flag.String("measure", "", "lines of JSON, each an input: no service, but what an evaluation of them costs")
	seconds := flag.Float64("seconds", 1, "how long that is measured")
	flag.Parse()

	if *inputs != "" {
		evaluator, err := prepare(context.Background(), strings.Split(*policy, ","))
		if err == nil {
			err = evaluator.measure(*inputs, *seconds)
		}
		if err != nil {
			wire.Fail(err)
		}
		return
	}
	world, err := loadWorld(*data, *issuerID, *audience)
	if err != nil {
		wire.Fail(err)
	}
	evaluator, err := prepare(context.Background(), strings.Split(*policy, ","))
	if err != nil {
		wire.Fail(err)
	}
	terms := tokenTerms{keysFile: *keys, issuer: *issuer, audience: *audience, cached: *cache}
	verify, err := newVerifier(*in, terms)
	if err != nil {
		wire.Fail(err)
	}
	gate := &gate{world: world, evaluator: evaluator, verify: verify}
	if err := wire.Serve(*listen, gate.check); err != nil {
		wire.Fail(err)
	}
}
