// noop answers every Check with OK: the floor under any ext_authz design, whatever it decides by.
package main

import (
	"context"
	"flag"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"mcpgw.test/peers/wire"
)

func main() {
	listen := flag.String("listen", "", "unix:/path or host:port")
	flag.Parse()
	answer := &authv3.CheckResponse{
		Status: &status.Status{},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			HeadersToRemove: []string{"authorization"},
		}},
	}
	check := func(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error) { return answer, nil }
	if err := wire.Serve(*listen, check); err != nil {
		wire.Fail(err)
	}
}
