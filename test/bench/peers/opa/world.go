// Tenants, read once and indexed, so that a call walks nothing that could be looked up.

package main

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
)

// Tenants as the registry's snapshots hold them (core/tenant.ts), cut to what the policy is asked about.

type subject struct {
	Kind     string `json:"kind"`
	ID       string `json:"id"`
	IssuerID string `json:"issuerId"`
}

type grant struct {
	ID        string    `json:"id"`
	ServerID  string    `json:"serverId"`
	Subjects  []subject `json:"subjects"`
	Tools     []any     `json:"tools"`
	Prompts   []any     `json:"prompts"`
	Resources []any     `json:"resources"`
}

type tool struct {
	Name           string         `json:"name"`
	Annotations    map[string]any `json:"annotations"`
	Tags           []any          `json:"tags"`
	RequiredScopes []any          `json:"requiredScopes"`
}

type version struct {
	Version string `json:"version"`
	Tools   []tool `json:"tools"`
}

type server struct {
	ID       string `json:"id"`
	Bindings []struct {
		IssuerID       string   `json:"issuerId"`
		Audiences      []string `json:"audiences"`
		RequiredScopes []any    `json:"requiredScopes"`
	} `json:"bindings"`
	Constraints   []map[string]any `json:"constraints"`
	ActiveVersion string           `json:"activeVersion"`
	Versions      []version        `json:"versions"`
}

type issuer struct {
	ID       string `json:"id"`
	Relation string `json:"relation"`
}

type tenant struct {
	ID      string   `json:"id"`
	Issuers []issuer `json:"issuers"`
	Servers []server `json:"servers"`
	Grants  []grant  `json:"grants"`
}

// endpoint is a server with everything that can be looked up of it before a call comes.
type endpoint struct {
	tenantID, serverID, version string
	issuer                      issuer
	scopes                      []any
	tools                       map[string]map[string]any
	limits                      map[string][]map[string]any
	grants                      map[string][]*grant
}

type place struct{ tenantID, serverID string }

type world map[place]*endpoint

func loadWorld(file, issuerID, audience string) (world, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tenants []tenant
	if json.Unmarshal(text, &tenants) != nil {
		tenants = make([]tenant, 1)
		if err := json.Unmarshal(text, &tenants[0]); err != nil {
			return nil, err
		}
	}
	built := world{}
	for _, each := range tenants {
		if err := built.add(each, issuerID, audience); err != nil {
			return nil, err
		}
	}
	return built, nil
}

func (t tenant) findIssuer(id string) (issuer, error) {
	for _, each := range t.Issuers {
		if id == "" || each.ID == id {
			return each, nil
		}
	}
	return issuer{}, errors.New("tenant " + t.ID + " has no such issuer")
}

func (w world) add(t tenant, issuerID, audience string) error {
	trusted, err := t.findIssuer(issuerID)
	if err != nil {
		return err
	}
	for _, each := range t.Servers {
		at := &endpoint{tenantID: t.ID, serverID: each.ID, version: each.ActiveVersion, issuer: trusted}
		at.scopes = []any{}
		for _, binding := range each.Bindings {
			if binding.IssuerID == trusted.ID && slices.Contains(binding.Audiences, audience) {
				at.scopes = append(at.scopes, binding.RequiredScopes...)
			}
		}
		at.limits = map[string][]map[string]any{}
		for _, limit := range each.Constraints {
			name, _ := limit["tool"].(string)
			delete(limit, "tool")
			at.limits[name] = append(at.limits[name], limit)
		}
		at.tools = toolsOf(each, at.limits)
		at.grants = map[string][]*grant{}
		w[place{t.ID, each.ID}] = at
	}
	for index := range t.Grants {
		w.index(t.ID, &t.Grants[index])
	}
	return nil
}

func toolsOf(s server, limits map[string][]map[string]any) map[string]map[string]any {
	tools := map[string]map[string]any{}
	for _, each := range s.Versions {
		if each.Version != s.ActiveVersion {
			continue
		}
		for _, one := range each.Tools {
			constraints := []any{}
			for _, limit := range limits[one.Name] {
				constraints = append(constraints, limit)
			}
			facts := map[string]any{
				"name": one.Name, "tags": one.Tags, "requiredScopes": one.RequiredScopes, "constraints": constraints,
			}
			if one.Annotations != nil {
				facts["annotations"] = one.Annotations
			}
			tools[one.Name] = facts
		}
	}
	return tools
}

// index files a grant under the id of each of its subjects, as ext-authz does, so that a call walks only its own.
func (w world) index(tenantID string, g *grant) {
	at := w[place{tenantID, g.ServerID}]
	if at == nil {
		return
	}
	seen := map[string]bool{}
	for _, one := range g.Subjects {
		if !seen[one.ID] {
			at.grants[one.ID] = append(at.grants[one.ID], g)
		}
		seen[one.ID] = true
	}
}
