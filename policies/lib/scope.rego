# Scopes of the token. An app-only token has none: what an application may do for itself is said by grants.
package mcp.lib.scope

held := {scope | some scope in input.identity.scopes}

has(scope) if held[scope]

# Of none, all are held.
has_all(scopes) if {
	every scope in scopes {
		held[scope]
	}
}

has_any(scopes) if {
	some scope in scopes
	held[scope]
}
