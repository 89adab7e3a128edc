# What a token holds.
package mcp.lib.scope_test

import data.mcp.lib.scope

token := {"scopes": ["read", "write"]}

test_held_scopes if {
	scope.has("read") with input.identity as token
	scope.has_all(["read", "write"]) with input.identity as token
	scope.has_any(["admin", "write"]) with input.identity as token
}

test_missing_scopes if {
	not scope.has("admin") with input.identity as token
	not scope.has_all(["read", "admin"]) with input.identity as token
	not scope.has_any(["admin"]) with input.identity as token
}

test_a_token_without_scopes_holds_none if {
	not scope.has("read") with input.identity as {}
	not scope.has_any(["read"]) with input.identity as {"scopes": []}
	scope.has_all([]) with input.identity as {}
}
