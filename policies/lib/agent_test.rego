# Who acts for whom.
package mcp.lib.agent_test

import data.mcp.lib.agent

person := {"kind": "user", "app": "cli"}

robot := {"kind": "app", "app": "nightly"}

test_person_and_application_are_told_apart if {
	agent.for_person with input.identity as person
	not agent.alone with input.identity as person
	agent.alone with input.identity as robot
	not agent.for_person with input.identity as robot
}

test_neither_is_assumed if {
	not agent.alone with input.identity as {}
	not agent.for_person with input.identity as {}
}

test_application_behind_a_person_is_known if {
	agent.through("cli") with input.identity as person
	agent.through_any(["desktop", "cli"]) with input.identity as person
	not agent.through("desktop") with input.identity as person
	not agent.through_any(["desktop"]) with input.identity as person
}

test_an_application_alone_is_behind_nobody if {
	not agent.through("nightly") with input.identity as robot
}

test_delegation_is_what_the_provider_says if {
	delegated := object.union(person, {"actor": "helper"})
	agent.delegated with input.identity as delegated
	agent.delegated_to("helper") with input.identity as delegated
	not agent.delegated_to("other") with input.identity as delegated
	not agent.delegated with input.identity as person
}

test_agents_are_known_where_the_provider_says_so if {
	for_person := object.union(person, {"agent": "for-person"})
	agent.known with input.identity as for_person
	agent.known_for_person with input.identity as for_person
	not agent.known_on_its_own with input.identity as for_person
	every role in ["alone", "own-account"] {
		agent.known_on_its_own with input.identity as {"agent": role}
		not agent.known_for_person with input.identity as {"agent": role}
	}
	not agent.known with input.identity as person
	not agent.known_on_its_own with input.identity as robot
}
