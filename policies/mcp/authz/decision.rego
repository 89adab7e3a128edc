# The answer: a grant permits the call and no constraint refuses it. Of a refusal the first reason that applies is given,
# and nothing about arguments or scopes is said before the caller is known to have the tool.
package mcp.authz

import data.mcp.authz.constraint
import data.mcp.authz.grant

# METADATA
# entrypoint: true
decision := {"allow": true, "obligations": obligations, "explain": granted_by} if allowed

else := refusal("caller_not_granted", {}, []) if not grant.caller

else := refusal("tool_unknown", {}, []) if tool_unknown

else := refusal("tool_not_granted", {}, []) if tool_not_granted

else := refusal("target_not_granted", {}, []) if not grant.permits_call

else := refusal("scope_insufficient", scopes, missing) if {
	count(constraint.missing_scopes) > 0
	scopes := {"requiredScopes": sort(constraint.needed_scopes)}
	missing := named("scope", constraint.missing_scopes)
}

else := refusal("constraint_violated", {"constraint": min(constraint.violated)}, broken) if {
	count(constraint.violated) > 0
	broken := named("constraint", constraint.violated)
}

# Asked first, because most calls are. None of the reasons below applies, each of them said here again: rules that are added
# to what a grant permits must not get past one.
allowed if {
	grant.caller
	not tool_unknown
	not tool_not_granted
	grant.permits_call
	count(constraint.missing_scopes) == 0
	count(constraint.violated) == 0
}

# METADATA
# entrypoint: true
visible := grant.visible

# What rules of package `mcp.authz.obligation` order beside the allow, each a set that any number of rules may add to.

# Rules that want a person to approve the call first, each by its name: `approval contains "destructive" if …`. All of
# them are named to whoever decides.
obligations["approval"] := ordered(data.mcp.authz.obligation.approval)

# What the call's line in the decision log is raised to: `log_level contains "warn" if …`.
obligations["logLevel"] := ordered(data.mcp.authz.obligation.log_level)

# What is redacted in the structured content of the answer, each a JSON Pointer: `redact contains "/person/mail" if …`.
obligations["redact"] := ordered(data.mcp.authz.obligation.redact)

# The longest answer that goes on, in bytes: `max_response_bytes contains 65536 if …`. The smallest counts.
obligations["maxResponseBytes"] := ordered(data.mcp.authz.obligation.max_response_bytes)

# Undefined for none: then there is no such order.
ordered(orders) := sort(orders) if count(orders) > 0

refusal(reason, facts, explain) := object.union(facts, {
	"allow": false,
	"reason": reason,
	"obligations": {},
	"explain": explain,
})

# Sorted, because a set has another order in WASM than in OPA.
named(kind, names) := sort([concat("/", [kind, name]) | some name in names])

tool_unknown if {
	some target in input.call.targets
	target.kind == "tool"
	not grant.pins(target)
}

tool_not_granted if {
	some target in input.call.targets
	target.kind == "tool"
	not grant.permits(target)
}

# For the decision log: which grants reach the caller, the first ten.
granted_by := array.slice([concat("/", ["grant", match.id]) | some match in grant.matching], 0, 10)
