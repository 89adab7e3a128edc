// One Check: token, call, input, policy, answer. Whatever goes wrong on the way refuses.

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/status"
)

type gate struct {
	world     world
	evaluator *evaluator
	verify    verifier
}

func refuse(rpc code.Code, httpStatus typev3.StatusCode, reason string) *authv3.CheckResponse {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"data": map[string]any{"reason": reason}}})
	return &authv3.CheckResponse{
		Status: &status.Status{Code: int32(rpc)},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: httpStatus}, Body: string(body),
		}},
	}
}

var allowed = &authv3.CheckResponse{
	Status: &status.Status{Code: int32(code.Code_OK)},
	HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
		HeadersToRemove: []string{"authorization"},
	}},
}

// header finds one by name, in the raw lines that Envoy sends with encode_raw_headers or in its map.
func header(request *authv3.AttributeContext_HttpRequest, name string) string {
	for _, line := range request.GetHeaderMap().GetHeaders() {
		if strings.EqualFold(line.GetKey(), name) {
			return valueOf(line)
		}
	}
	return request.GetHeaders()[name]
}

func valueOf(line *corev3.HeaderValue) string {
	if raw := line.GetRawValue(); len(raw) > 0 {
		return string(raw)
	}
	return line.GetValue()
}

func bodyOf(request *authv3.AttributeContext_HttpRequest) []byte {
	if raw := request.GetRawBody(); len(raw) > 0 {
		return raw
	}
	return []byte(request.GetBody())
}

func (g *gate) check(ctx context.Context, message *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	attributes := message.GetAttributes()
	request := attributes.GetRequest().GetHttp()
	extensions := attributes.GetContextExtensions()
	at := g.world[place{extensions["tenant"], extensions["server"]}]
	if at == nil {
		return refuse(code.Code_PERMISSION_DENIED, http.StatusNotFound, "endpoint_unknown"), nil
	}
	token, hasToken := strings.CutPrefix(header(request, "authorization"), "Bearer ")
	if !hasToken {
		return refuse(code.Code_UNAUTHENTICATED, http.StatusUnauthorized, "token_missing"), nil
	}
	claims, err := g.verify(ctx, token)
	if err != nil {
		return refuse(code.Code_UNAUTHENTICATED, http.StatusUnauthorized, "token_refused"), nil
	}
	var asked call
	if json.Unmarshal(bodyOf(request), &asked) != nil {
		return refuse(code.Code_PERMISSION_DENIED, http.StatusBadRequest, "jsonrpc_invalid"), nil
	}
	ip := attributes.GetSource().GetAddress().GetSocketAddress().GetAddress()
	input := at.input(identityFrom(claims, at.issuer), &asked, ip, header(request, "x-request-id"))
	allow, reason, err := g.evaluator.decide(ctx, input)
	if err != nil {
		return refuse(code.Code_INTERNAL, http.StatusInternalServerError, "policy_failed"), nil
	}
	if !allow {
		return refuse(code.Code_PERMISSION_DENIED, http.StatusForbidden, reason), nil
	}
	return allowed, nil
}
