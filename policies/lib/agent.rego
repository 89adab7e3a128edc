# Agents: who acts, and for whom. Behind a person's token stands the application that obtained it; with an app-only
# token an application acts for nobody but itself.
package mcp.lib.agent

alone if input.identity.kind == "app"

for_person if input.identity.kind == "user"

# The application by which a person calls. It lends no rights; a rule can only ask for it.
through(application) if {
	for_person
	input.identity.app == application
}

through_any(applications) if {
	some application in applications
	through(application)
}

# An AI agent with an identity of its own, as far as the identity provider says (Entra does). Not saying so proves nothing.
known if input.identity.agent

# It acts for a person who signed in; `input.identity` is that person.
known_for_person if input.identity.agent == "for-person"

# It acts for nobody else: alone, or as the person of an account that is its own.
known_on_its_own if input.identity.agent in {"alone", "own-account"}

# The identity provider says that somebody else acts for the subject (RFC 8693, `act`).
delegated if input.identity.actor

delegated_to(actor) if input.identity.actor == actor
