# Who is calling. Every caller is exactly one of member, guest and partner. A group or role id means something only
# beside the directory that issued it: the plain helpers hold for members alone, those with an issuer for that issuer's.
package mcp.lib.caller

import data.mcp.authz.grant

# Of a home directory, and no guest there.
member if grant.home_member

# Known to a home directory, at home elsewhere. Who does not say that they are no guest counts as one.
guest if {
	input.identity.relation == "home"
	not grant.home_member
}

partner if not input.identity.relation == "home"

in_group(id) if {
	member
	id in input.identity.groups
}

in_any_group(ids) if {
	some id in ids
	in_group(id)
}

in_group_of(issuer_id, id) if {
	input.identity.issuerId == issuer_id
	id in input.identity.groups
}

has_role(id) if {
	member
	id in input.identity.roles
}

has_role_of(issuer_id, id) if {
	input.identity.issuerId == issuer_id
	id in input.identity.roles
}

# How the caller signed in, as the token says it: "mfa", an authentication context.
signed_in_with(context) if context in input.identity.assurance
