// The policy's question, of the same members as ext-authz/policy/input.ts makes it of: a peer that is asked less would be faster.

package main

import (
	"strconv"
	"strings"
	"time"
)

// identity of a caller, read from verified claims as ext-authz reads those of an issuer of kind `oidc`.
type identity struct {
	facts map[string]any
	ids   []string
}

func texts(value any) []any {
	switch given := value.(type) {
	case string:
		if given != "" {
			return []any{given}
		}
	case []any:
		return given
	}
	return []any{}
}

func scopesOf(claims map[string]any) []any {
	scopes := []any{}
	for _, value := range texts(claims["scope"]) {
		text, _ := value.(string)
		for _, scope := range strings.Fields(text) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

func identityFrom(claims map[string]any, from issuer) identity {
	subject, _ := claims["sub"].(string)
	app, hasApp := claims["azp"].(string)
	kind := "user"
	if hasApp && subject == app {
		kind = "app"
	}
	groups, roles := texts(claims["groups"]), texts(claims["roles"])
	facts := map[string]any{
		"issuer": claims["iss"], "issuerId": from.ID, "relation": from.Relation, "subject": subject, "kind": kind,
		"guest": from.Relation == "partner", "groups": groups, "roles": roles, "scopes": scopesOf(claims),
		"assurance": []any{},
	}
	ids := []string{subject}
	if hasApp {
		facts["app"] = app
		ids = append(ids, app)
	}
	for _, value := range append(append([]any{}, groups...), roles...) {
		if id, isText := value.(string); isText {
			ids = append(ids, id)
		}
	}
	return identity{facts: facts, ids: ids}
}

// call is a JSON-RPC request as far as a policy is asked about it.
type call struct {
	Method string `json:"method"`
	Params struct {
		Name      string         `json:"name"`
		URI       string         `json:"uri"`
		Arguments map[string]any `json:"arguments"`
	} `json:"params"`
}

func (c *call) targets() []any {
	one := func(kind, name string) []any { return []any{map[string]any{"kind": kind, "name": name}} }
	switch c.Method {
	case "tools/call":
		return one("tool", c.Params.Name)
	case "prompts/get":
		return one("prompt", c.Params.Name)
	case "resources/read":
		return one("resource", c.Params.URI)
	}
	return []any{}
}

// grantsFor finds the grants with a subject that bears one of the caller's ids, and of each only those subjects.
func (e *endpoint) grantsFor(ids []string) []any {
	found := []any{}
	seen := map[*grant]bool{}
	for _, id := range ids {
		for _, one := range e.grants[id] {
			if !seen[one] {
				seen[one] = true
				found = append(found, one.facts(ids))
			}
		}
	}
	return found
}

func (g *grant) facts(ids []string) map[string]any {
	subjects := []any{}
	for _, one := range g.Subjects {
		for _, id := range ids {
			if one.ID != id {
				continue
			}
			facts := map[string]any{"kind": one.Kind, "id": one.ID}
			if one.IssuerID != "" {
				facts["issuerId"] = one.IssuerID
			}
			subjects = append(subjects, facts)
			break
		}
	}
	return map[string]any{
		"id": g.ID, "subjects": subjects, "tools": g.Tools, "prompts": g.Prompts, "resources": g.Resources,
	}
}

// valueAt follows a JSON Pointer (RFC 6901); its second result is false where it leads nowhere.
func valueAt(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch within := value.(type) {
		case map[string]any:
			found, is := within[token]
			if !is {
				return nil, false
			}
			value = found
		case []any:
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(within) {
				return nil, false
			}
			value = within[index]
		default:
			return nil, false
		}
	}
	return value, true
}

// input is the policy's question, of the same members as ext-authz/policy/input.ts makes it of.
func (e *endpoint) input(who identity, c *call, ip, requestID string) map[string]any {
	values := map[string]any{}
	for _, limit := range e.limits[c.Params.Name] {
		pointer, _ := limit["pointer"].(string)
		if value, is := valueAt(c.Params.Arguments, pointer); is {
			values[pointer] = value
		}
	}
	input := map[string]any{
		"tenant":   e.tenantID,
		"identity": who.facts,
		"server":   map[string]any{"id": e.serverID, "version": e.version, "requiredScopes": e.scopes},
		"grants":   e.grantsFor(who.ids),
		"call": map[string]any{
			"kind": "request", "method": c.Method, "targets": c.targets(), "values": values,
		},
		"request": map[string]any{
			"time": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "ip": ip, "id": requestID,
		},
	}
	if facts := e.tools[c.Params.Name]; facts != nil && c.Method == "tools/call" {
		input["tool"] = facts
	}
	return input
}
