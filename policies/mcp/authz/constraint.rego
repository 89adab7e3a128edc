# What can only refuse: scopes the token must hold, and the admin's limits on arguments. Nothing here opens anything,
# and a limit that cannot be judged counts as violated.
package mcp.authz.constraint

import data.mcp.authz.grant

# Scopes bind delegated tokens; what an application may do for itself is said by grants alone (app roles, client id).
missing_scopes := set() if input.identity.kind == "app"

else := needed_scopes - {scope | some scope in input.identity.scopes}

# All the operation needs, so that one step-up is enough (MCP authorization, scope challenge).
needed_scopes := binding_scopes | tool_scopes if input.tool.name

else := set()

binding_scopes := {scope | some scope in input.server.requiredScopes}

tool_scopes := {scope | some scope in input.tool.requiredScopes}

# Names of the limits this call breaks. A pointer that leads nowhere breaks none: whether an argument is required is
# said by the tool's schema.
violated contains object.get(limit, "name", "unnamed") if {
	some limit in input.tool.constraints
	value := input.call.values[limit.pointer]
	not holds(limit, value)
	not exempt(limit)
}

# Group ids of a partner's directory are the partner's to choose: they exempt from nothing.
exempt(limit) if {
	grant.home_member
	some group in limit.exceptGroups
	group in input.identity.groups
}

bounds := {"oneOf", "maximum", "maxLength", "prefix"}

# With no bound, or with two, the limit says nothing that could be met.
holds(limit, value) if {
	count(bounds & object.keys(limit)) == 1
	within(limit, value)
}

within(limit, value) if value in limit.oneOf

within(limit, value) if {
	is_number(value)
	value <= limit.maximum
}

# Counted in Unicode code points, as JSON Schema does.
within(limit, value) if {
	is_string(value)
	count(value) <= limit.maxLength
}

within(limit, value) if {
	is_string(value)
	startswith(value, limit.prefix)
}
