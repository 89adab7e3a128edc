# What a constraint refuses, above all where it cannot be judged.
package mcp.authz.constraint_test

import data.mcp.authz.constraint

broken(limit, value) := names if {
	names := constraint.violated with input as {
		"identity": {"relation": "home", "guest": false, "groups": ["on-call"]},
		"tool": {"name": "t", "constraints": [object.union({"name": "n", "pointer": "/x"}, limit)]},
		"call": {"values": {"/x": value}},
	}
}

test_bounds_hold_and_break if {
	broken({"oneOf": ["a"]}, "a") == set()
	broken({"oneOf": ["a"]}, "b") == {"n"}
	broken({"maximum": 3}, 3) == set()
	broken({"maximum": 3}, 4) == {"n"}
	broken({"maxLength": 2}, "ab") == set()
	broken({"maxLength": 2}, "abc") == {"n"}
	broken({"prefix": "a/"}, "a/b") == set()
	broken({"prefix": "a/"}, "b/a/") == {"n"}
}

test_values_of_another_type_break_every_bound if {
	every value in [null, true, [], {}] {
		every limit in [{"maximum": 3}, {"maxLength": 2}, {"prefix": ""}] {
			broken(limit, value) == {"n"}
		}
	}
}

test_limit_that_says_nothing_or_too_much_is_broken if {
	broken({}, "a") == {"n"}
	broken({"minimum": 1}, 5) == {"n"}
	broken({"oneOf": ["a"], "prefix": "a"}, "a") == {"n"}
}

test_limit_without_a_name_still_refuses if {
	names := constraint.violated with input as {
		"tool": {"constraints": [{"pointer": "/x", "maximum": 1}]},
		"call": {"values": {"/x": 2}},
	}
	names == {"unnamed"}
}

test_exception_holds_for_its_groups_only if {
	broken({"oneOf": [], "exceptGroups": ["on-call"]}, "a") == set()
	broken({"oneOf": [], "exceptGroups": ["managers"]}, "a") == {"n"}
}

test_scopes_bind_whoever_is_not_an_application if {
	every caller in [{"kind": "user"}, {"kind": "robot"}, {}] {
		missing := constraint.missing_scopes with input as {
			"identity": object.union(caller, {"scopes": ["a"]}),
			"server": {"requiredScopes": ["a", "b"]},
			"tool": {"name": "t", "requiredScopes": ["c"]},
		}
		missing == {"b", "c"}
	}
}

test_token_without_scopes_lacks_them_all if {
	missing := constraint.missing_scopes with input as {
		"identity": {"kind": "user"},
		"server": {"requiredScopes": ["a"]},
		"tool": {"name": "t", "requiredScopes": []},
	}
	missing == {"a"}
}

test_scopes_bind_no_application_and_no_call_without_a_tool if {
	constraint.missing_scopes == set() with input as {
		"identity": {"kind": "app", "scopes": []},
		"server": {"requiredScopes": ["a"]},
		"tool": {"name": "t", "requiredScopes": ["b"]},
	}
	constraint.missing_scopes == set() with input as {
		"identity": {"kind": "user", "scopes": []},
		"server": {"requiredScopes": ["a"]},
	}
}
