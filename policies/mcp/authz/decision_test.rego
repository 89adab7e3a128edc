# The order of reasons, and that nothing but a grant without a violated constraint is an allow.
package mcp.authz_test

import data.mcp.authz

question := {
	"identity": {
		"kind": "user",
		"issuerId": "contoso",
		"relation": "home",
		"guest": false,
		"oid": "o",
		"groups": ["engineering"],
		"roles": [],
		"scopes": ["use"],
	},
	"server": {"id": "s", "version": "1", "requiredScopes": ["use"]},
	"tool": {
		"name": "t",
		"requiredScopes": [],
		"constraints": [{"name": "n", "pointer": "/x", "oneOf": [1], "exceptGroups": []}],
	},
	"grants": [{
		"id": "g",
		"subjects": [{"kind": "group", "id": "engineering"}],
		"tools": ["t"],
		"prompts": [],
		"resources": [],
	}],
	"call": {"method": "tools/call", "targets": [{"kind": "tool", "name": "t"}], "values": {"/x": 1}},
}

asked(changes) := answer if {
	answer := authz.decision with input as object.union(question, changes)
}

test_allows_what_is_granted_and_not_constrained if {
	asked({}) == {"allow": true, "obligations": {}, "explain": ["grant/g"]}
}

test_each_refusal_has_its_reason if {
	asked({"grants": []}).reason == "caller_not_granted"
	asked({"tool": {"name": "other"}}).reason == "tool_unknown"
	asked({"grants": [object.union(question.grants[0], {"tools": []})]}).reason == "tool_not_granted"
	asked({"call": {"targets": [{"kind": "prompt", "name": "p"}]}}).reason == "target_not_granted"
	asked({"identity": {"scopes": []}}).reason == "scope_insufficient"
	asked({"call": {"values": {"/x": 2}}}).reason == "constraint_violated"
}

test_no_refusal_allows if {
	every changes in [{"grants": []}, {"tool": {"name": "other"}}, {"call": {"values": {"/x": 2}}}] {
		asked(changes).allow == false
	}
}

test_empty_input_is_refused if {
	answer := authz.decision with input as {}
	answer.allow == false
}

# The same call is granted or not whatever its arguments are: they can only turn an allow into a constraint's refusal.
test_arguments_never_grant if {
	every value in [1, 2, "*", null, {"tools": ["*"]}] {
		asked({"grants": [], "call": {"values": {"/x": value}}}).reason == "caller_not_granted"
	}
}

test_lists_are_answered_by_grants if {
	shown := authz.visible with input as object.union(question, {"server": {"tools": [{"name": "t"}, {"name": "u"}]}})
	shown.tools.names == ["t"]
}

ordering(orders, changes) := answer if {
	answer := authz.decision with input as object.union(question, changes)
		with data.mcp.authz.obligation.approval as orders.approval
		with data.mcp.authz.obligation.log_level as orders.log_level
		with data.mcp.authz.obligation.redact as object.get(orders, "redact", set())
		with data.mcp.authz.obligation.max_response_bytes as object.get(orders, "max_response_bytes", set())
}

test_orders_travel_with_the_allow_and_with_nothing_else if {
	orders := {"approval": {"night", "destructive"}, "log_level": {"warn"}}
	ordering(orders, {}).obligations == {"approval": ["destructive", "night"], "logLevel": ["warn"]}
	ordering(orders, {"grants": []}).obligations == {}
}

test_no_rule_is_no_order if {
	ordering({"approval": set(), "log_level": set()}, {}).obligations == {}
	ordering({"approval": {"night"}, "log_level": set()}, {}).obligations == {"approval": ["night"]}
}

test_the_answer_is_redacted_and_capped_as_all_rules_order if {
	orders := {"approval": set(), "log_level": set(), "redact": {"/b", "/a"}, "max_response_bytes": {9, 7}}
	ordering(orders, {}).obligations == {"redact": ["/a", "/b"], "maxResponseBytes": [7, 9]}
}

permitted_anyway(changes) := answer if {
	answer := authz.decision with input as object.union(question, changes)
		with data.mcp.authz.grant.permits_call as true
}

test_a_rule_that_permits_more_gets_past_no_reason if {
	permitted_anyway({}).allow == true
	permitted_anyway({"grants": []}).reason == "caller_not_granted"
	permitted_anyway({"tool": {"name": "other"}}).reason == "tool_unknown"
	permitted_anyway({"grants": [object.union(question.grants[0], {"tools": []})]}).reason == "tool_not_granted"
}
