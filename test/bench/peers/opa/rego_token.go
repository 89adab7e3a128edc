// The token check inside Rego, as users of opa-envoy-plugin have to write it.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown/cache"
)

// tokenModule is how users of opa-envoy-plugin check a token: with OPA's own builtin, keys from data.
const tokenModule = `package token

claims := payload if {
	[valid, _, payload] := io.jwt.decode_verify(input.token, data.terms)
	valid
}
`

// maxCachedTokens is OPA's io_jwt cache at the size of the bench's callers, many times over.
const maxCachedTokens = 100_000

func newRegoVerifier(terms tokenTerms) (verifier, error) {
	keys, err := os.ReadFile(terms.keysFile)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"terms": map[string]any{
		"cert": string(keys), "alg": "ES256", "iss": terms.issuer, "aud": terms.audience,
	}}
	ctx := context.Background()
	query, err := rego.New(
		rego.Query("data.token.claims"),
		rego.Module("token.rego", tokenModule),
		rego.Store(inmem.NewFromObject(data)),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	options, err := tokenCache(ctx, terms.cached)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, token string) (map[string]any, error) {
		input := ast.NewObject(ast.Item(ast.StringTerm("token"), ast.StringTerm(token)))
		results, err := query.Eval(ctx, append(options, rego.EvalParsedInput(input))...)
		if err != nil {
			return nil, err
		}
		if len(results) != 1 {
			return nil, errToken
		}
		claims, isObject := results[0].Expressions[0].Value.(map[string]any)
		if !isObject {
			return nil, errToken
		}
		return claims, nil
	}, nil
}

func tokenCache(ctx context.Context, cached bool) ([]rego.EvalOption, error) {
	if !cached {
		return nil, nil
	}
	text := fmt.Sprintf(`{"inter_query_builtin_value_cache":{"named":{"io_jwt":{"max_num_entries":%d}}}}`, maxCachedTokens)
	config, err := cache.ParseCachingConfig(json.RawMessage(text))
	if err != nil {
		return nil, err
	}
	kept := cache.NewInterQueryValueCache(ctx, config)
	return []rego.EvalOption{rego.EvalInterQueryBuiltinValueCache(kept)}, nil
}
