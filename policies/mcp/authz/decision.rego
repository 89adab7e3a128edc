# The answer: a grant permits the call and no constraint refuses it. The first reason that applies is given, and
# nothing about arguments or scopes is said before the caller is known to have the tool.
package mcp.authz

import data.mcp.authz.constraint
import data.mcp.authz.grant

# METADATA
# entrypoint: true
decision := refusal("caller_not_granted", {}, []) if not grant.caller

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

else := {"allow": true, "obligations": obligations, "explain": granted_by} if {
	grant.permits_call
	count(constraint.missing_scopes) == 0
	count(constraint.violated) == 0
}

# METADATA
# entrypoint: true
visible := grant.visible

# What rules of package `mcp.authz.obligation` order beside the allow, each a set that any number of rules may add to.
obligations := {name: sort(values) |
	some name, values in {
		"approval": held_by,
		"logLevel": levels,
		"maxResponseBytes": caps,
		"redact": redacted,
	}
	count(values) > 0
}

# Rules that want a person to approve the call first, each by its name: `approval contains "destructive" if …`. All of
# them are named to whoever decides.
default held_by := set()

held_by := data.mcp.authz.obligation.approval

# What the call's line in the decision log is raised to: `log_level contains "warn" if …`.
default levels := set()

levels := data.mcp.authz.obligation.log_level

# What is redacted in the structured content of the answer, each a JSON Pointer: `redact contains "/person/mail" if …`.
default redacted := set()

redacted := data.mcp.authz.obligation.redact

# The longest answer that goes on, in bytes: `max_response_bytes contains 65536 if …`. The smallest counts.
default caps := set()

caps := data.mcp.authz.obligation.max_response_bytes

refusal(reason, facts, explain) := object.union(facts, {
	"allow": false,
	"reason": reason,
	"obligations": {},
	"explain": explain,
})

# Sorted, because a set has another order in WASM than in OPA.
named(kind, names) := sort([concat("/", [kind, name]) | some name in names])

tool_targets := [target | some target in input.call.targets; target.kind == "tool"]

tool_unknown if {
	some target in tool_targets
	not grant.pins(target)
}

tool_not_granted if {
	some target in tool_targets
	not grant.permits(target)
}

# For the decision log: which grants reach the caller, the first ten.
granted_by := array.slice([concat("/", ["grant", match.id]) | some match in grant.matching], 0, 10)
