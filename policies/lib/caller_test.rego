# Whom the words member, guest and partner mean, and whose groups count.
package mcp.lib.caller_test

import data.mcp.lib.caller

member := {
	"issuerId": "contoso",
	"relation": "home",
	"guest": false,
	"groups": ["on-call"],
	"roles": ["developer"],
	"assurance": ["mfa"],
}

guest := object.union(member, {"guest": true})

partner := object.union(member, {"issuerId": "fabrikam", "relation": "partner"})

kinds(identity) := answer if {
	answer := {kind |
		some kind, holds in {
			"member": is_member(identity),
			"guest": is_guest(identity),
			"partner": is_partner(identity),
		}
		holds
	}
}

default is_member(_) := false

is_member(identity) if caller.member with input.identity as identity

default is_guest(_) := false

is_guest(identity) if caller.guest with input.identity as identity

default is_partner(_) := false

is_partner(identity) if caller.partner with input.identity as identity

test_everybody_is_exactly_one_of_the_three if {
	kinds(member) == {"member"}
	kinds(guest) == {"guest"}
	kinds(partner) == {"partner"}
	kinds(object.union(partner, {"guest": true})) == {"partner"}
}

test_who_does_not_say_is_trusted_least if {
	kinds(object.remove(member, ["guest"])) == {"guest"}
	kinds(object.remove(member, ["relation"])) == {"partner"}
	kinds({}) == {"partner"}
}

test_groups_and_roles_of_members_count if {
	caller.in_group("on-call") with input.identity as member
	caller.in_any_group(["managers", "on-call"]) with input.identity as member
	caller.has_role("developer") with input.identity as member
	not caller.in_group("managers") with input.identity as member
	not caller.in_any_group(["managers"]) with input.identity as member
	not caller.has_role("owner") with input.identity as member
}

# A foreign directory can hold any id it likes.
test_the_same_ids_from_elsewhere_do_not if {
	every identity in [guest, partner] {
		not caller.in_group("on-call") with input.identity as identity
		not caller.in_any_group(["on-call"]) with input.identity as identity
		not caller.has_role("developer") with input.identity as identity
	}
}

test_unless_their_issuer_is_named if {
	caller.in_group_of("fabrikam", "on-call") with input.identity as partner
	caller.has_role_of("fabrikam", "developer") with input.identity as partner
	not caller.in_group_of("fabrikam", "on-call") with input.identity as member
	not caller.has_role_of("fabrikam", "developer") with input.identity as member
}

test_sign_in_is_what_the_token_says if {
	caller.signed_in_with("mfa") with input.identity as member
	not caller.signed_in_with("hwk") with input.identity as member
	not caller.signed_in_with("mfa") with input.identity as {}
}
