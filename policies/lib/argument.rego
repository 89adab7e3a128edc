# Arguments of a call, by path: ["order", "total"]. For constraints only: the build refuses a grant that uses this.
# Importing it has the gateway send every call's arguments to the policy; for one bound on one argument a constraint in
# the registry is cheaper.
#
# Each holds only if the argument is there and fits, so write the constraint with `not`: an absent one is then refused.
# Where it may be left out, add `argument.given(path)`.
package mcp.lib.argument

# A set cannot be in JSON, so it stands for "not there"; null is a value.
at(path) := value if {
	value := object.get(input.call.arguments, path, set())
	not is_set(value)
}

given(path) if not is_set(object.get(input.call.arguments, path, set()))

one_of(path, allowed) if at(path) in allowed

at_most(path, limit) if {
	is_number(at(path))
	at(path) <= limit
}

at_least(path, limit) if {
	is_number(at(path))
	at(path) >= limit
}

# Code points of a string, elements of a list.
no_longer_than(path, limit) if {
	is_string(at(path))
	count(at(path)) <= limit
}

no_longer_than(path, limit) if {
	is_array(at(path))
	count(at(path)) <= limit
}

# The whole string, not a part of it.
matches(path, pattern) if {
	is_string(at(path))
	regex.match(concat("", ["\\A(?:", pattern, ")\\z"]), at(path))
}

# A file path below a folder that cannot climb out of it: "/srv/reports/" holds "/srv/reports/a.csv".
below(path, folder) if {
	is_string(at(path))
	endswith(folder, "/")
	startswith(at(path), folder)
	not climbs(at(path))
}

climbs(text) if contains(text, "\\")

climbs(text) if contains(text, "%")

climbs(text) if ".." in split(text, "/")

# The host of an https URL in lower case; undefined for anything that two readers could take differently.
https_host(path) := lower(found[0][1]) if {
	is_string(at(path))
	found := regex.find_all_string_submatch_n(`\Ahttps://([A-Za-z0-9.-]+)(?::[0-9]+)?(?:[/?#][!-~]*)?\z`, at(path), 1)
	count(found) == 1
	not contains(at(path), "\\")
}
