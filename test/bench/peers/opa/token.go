// The token check in Go: what ext-authz checks of a JWT, with the standard library.

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"strings"
	"sync"
	"time"
)

// verifier checks a token: ES256 by the key its kid names, iss, aud, exp and nbf. It answers with its claims.
type verifier func(ctx context.Context, token string) (map[string]any, error)

type tokenTerms struct {
	keysFile, issuer, audience string
	cached                     bool
}

// clockTolerance is what ext-authz grants between two clocks, as issuers of the bench are configured.
const clockTolerance = 30 * time.Second

var errToken = errors.New("token refused")

func newVerifier(in string, terms tokenTerms) (verifier, error) {
	switch in {
	case "go":
		keys, err := readKeys(terms.keysFile)
		if err != nil {
			return nil, err
		}
		verify := func(_ context.Context, token string) (map[string]any, error) { return verifyInGo(token, keys, terms) }
		if terms.cached {
			return remembering(verify), nil
		}
		return verify, nil
	case "rego":
		return newRegoVerifier(terms)
	}
	return nil, errors.New("-token-check is go or rego")
}

func readKeys(file string) (map[string]*ecdsa.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct{ Kid, X, Y string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	keys := map[string]*ecdsa.PublicKey{}
	for _, key := range set.Keys {
		x, errX := base64.RawURLEncoding.DecodeString(key.X)
		y, errY := base64.RawURLEncoding.DecodeString(key.Y)
		if errX != nil || errY != nil {
			return nil, errors.New("a key of " + file + " cannot be read")
		}
		keys[key.Kid] = &ecdsa.PublicKey{
			Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y),
		}
	}
	return keys, nil
}

func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func hasValidSignature(parts []string, keys map[string]*ecdsa.PublicKey) bool {
	var header struct{ Alg, Kid string }
	if decodePart(parts[0], &header) != nil || header.Alg != "ES256" || keys[header.Kid] == nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(keys[header.Kid], digest[:], r, s)
}

func verifyInGo(token string, keys map[string]*ecdsa.PublicKey, terms tokenTerms) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !hasValidSignature(parts, keys) {
		return nil, errToken
	}
	var claims map[string]any
	if decodePart(parts[1], &claims) != nil || claims["iss"] != terms.issuer || !names(claims["aud"], terms.audience) {
		return nil, errToken
	}
	if !isCurrent(claims, time.Now()) {
		return nil, errToken
	}
	return claims, nil
}

func names(aud any, audience string) bool {
	for _, one := range texts(aud) {
		if one == audience {
			return true
		}
	}
	return false
}

func isCurrent(claims map[string]any, now time.Time) bool {
	expires, hasExpiry := claims["exp"].(float64)
	issued, hasIssue := claims["iat"].(float64)
	if !hasExpiry || !hasIssue {
		return false
	}
	begins := issued
	if notBefore, is := claims["nbf"].(float64); is && notBefore > begins {
		begins = notBefore
	}
	seconds := float64(now.Unix())
	return expires > seconds-clockTolerance.Seconds() && begins <= seconds+clockTolerance.Seconds()
}

// maxRemembered bounds the cache; a bench has a thousand tokens.
const maxRemembered = 100_000

// remembering keeps claims by the token's digest, and judges their times again at every hit.
func remembering(verify verifier) verifier {
	var known sync.Map
	var count int
	var counting sync.Mutex
	return func(ctx context.Context, token string) (map[string]any, error) {
		digest := sha256.Sum256([]byte(token))
		if claims, is := known.Load(digest); is {
			if isCurrent(claims.(map[string]any), time.Now()) {
				return claims.(map[string]any), nil
			}
			return nil, errToken
		}
		claims, err := verify(ctx, token)
		if err != nil {
			return nil, err
		}
		counting.Lock()
		defer counting.Unlock()
		if count < maxRemembered {
			count++
			known.Store(digest, claims)
		}
		return claims, nil
	}
}
