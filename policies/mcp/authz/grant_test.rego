# Who is reached by a grant, and that lists and calls are answered from the same rules. The wide table of cases is in
# vectors/; what is here shows the rules at work and guards what a table cannot say.
package mcp.authz.grant_test

import data.mcp.authz.grant

member := {
	"kind": "user",
	"issuerId": "contoso",
	"relation": "home",
	"guest": false,
	"subject": "s",
	"oid": "o",
	"groups": ["engineering"],
	"roles": [],
}

to(subject, names) := [{"id": "g", "subjects": [subject], "tools": names, "prompts": names, "resources": names}]

engineering := {"kind": "group", "id": "engineering"}

partner := object.union(member, {"issuerId": "fabrikam", "relation": "partner", "guest": true})

test_member_is_reached if {
	grant.caller with input as {"identity": member, "grants": to(engineering, ["a"])}
}

test_no_grants_reach_nobody if {
	not grant.caller with input as {"identity": member, "grants": []}
}

test_missing_grants_reach_nobody if {
	not grant.caller with input as {"identity": member}
}

test_missing_identity_is_reached_by_nothing if {
	not grant.caller with input as {"grants": to(engineering, ["*"])}
}

test_partner_is_not_reached_by_a_home_group_of_the_same_id if {
	not grant.caller with input as {"identity": partner, "grants": to(engineering, ["*"])}
}

test_partner_is_reached_by_its_issuer if {
	subject := object.union(engineering, {"issuerId": "fabrikam"})
	grant.caller with input as {"identity": partner, "grants": to(subject, ["*"])}
}

test_guest_is_not_reached_without_issuer if {
	guest := object.union(member, {"guest": true})
	not grant.caller with input as {"identity": guest, "grants": to(engineering, ["*"])}
}

test_identity_that_does_not_say_whether_it_is_a_guest_is_no_member if {
	not grant.home_member with input as {"identity": object.remove(member, ["guest"])}
}

test_what_a_list_shows_can_be_called_and_the_rest_cannot if {
	pinned := [{"name": "a"}, {"name": "b"}, {"name": "c"}]
	grants := to(engineering, ["a", "c"])
	shown := grant.visible.tools.names with input as {
		"identity": member,
		"grants": grants,
		"server": {"tools": pinned},
	}
	callable := [tool.name |
		some tool in pinned
		grant.permits_call with input as {
			"identity": member,
			"grants": grants,
			"tool": tool,
			"call": {"method": "tools/call", "targets": [{"kind": "tool", "name": tool.name}]},
		}
	]
	shown == ["a", "c"]
	callable == shown
}

test_targeted_methods_need_a_target if {
	every method in grant.targeted_methods {
		not grant.permits_call with input as {
			"identity": member,
			"grants": to(engineering, ["*"]),
			"call": {"method": method, "targets": []},
		}
	}
}

test_call_without_list_of_targets_is_not_permitted if {
	not grant.permits_call with input as {
		"identity": member,
		"grants": to(engineering, ["*"]),
		"call": {"method": "ping"},
	}
}

test_every_kind_of_subject_reaches_its_own if {
	app := object.union(member, {"kind": "app", "app": "nightly", "groups": []})
	grant.caller with input as {"identity": member, "grants": to({"kind": "user", "id": "o"}, [])}
	grant.caller with input as {"identity": app, "grants": to({"kind": "application", "id": "nightly"}, [])}
	with_role := object.union(member, {"roles": ["developer"]})
	grant.caller with input as {"identity": with_role, "grants": to({"kind": "role", "id": "developer"}, [])}
}

test_user_without_object_id_is_known_by_subject if {
	plain := object.remove(member, ["oid"])
	grant.caller with input as {"identity": plain, "grants": to({"kind": "user", "id": "s"}, [])}
}

test_application_behind_a_user_lends_nothing if {
	through := object.union(member, {"app": "cli"})
	not grant.caller with input as {"identity": through, "grants": to({"kind": "application", "id": "cli"}, ["*"])}
}

test_prompts_and_resources_are_granted_by_name_or_all if {
	every kind in ["prompt", "resource"] {
		every names in [["a"], ["*"]] {
			grant.permits_call with input as {
				"identity": member,
				"grants": to(engineering, names),
				"call": {"method": "x", "targets": [{"kind": kind, "name": "a"}]},
			}
		}
		not grant.permits_call with input as {
			"identity": member,
			"grants": to(engineering, ["b"]),
			"call": {"method": "x", "targets": [{"kind": kind, "name": "a"}]},
		}
	}
}

test_wildcards_show_all_but_tools_stay_named if {
	shown := grant.visible with input as {
		"identity": member,
		"grants": to(engineering, ["*"]),
		"server": {"tools": [{"name": "a"}]},
	}
	all := {"all": true, "names": []}
	shown == {
		"tools": {"all": false, "names": ["a"]},
		"prompts": all,
		"resources": all,
		"resourceTemplates": all,
	}
}
