# Who may use what. These rules alone decide what a list shows, so they read the caller, the grants and the pinned
# tools, and never the arguments, the address or the hour of a call: the build refuses the bundle if they do.
package mcp.authz.grant

# The grants of this server that reach the caller.
matching := [grant | some grant in input.grants; reaches(grant)]

default caller := false

caller if count(matching) > 0

reaches(grant) if {
	some subject in grant.subjects
	issuer_matches(subject)
	names_caller(subject)
}

# A group id means something only beside the directory that issued it. A partner's directory can hold any id it
# likes, so its callers are matched only where the grant names their issuer.
issuer_matches(subject) if subject.issuerId == input.identity.issuerId

issuer_matches(subject) if {
	not subject.issuerId
	home_member
}

# Guests carry tokens of a home directory; they too get only what names their issuer.
home_member if {
	input.identity.relation == "home"
	input.identity.guest == false
}

names_caller(subject) if {
	subject.kind == "group"
	subject.id in input.identity.groups
}

names_caller(subject) if {
	subject.kind == "role"
	subject.id in input.identity.roles
}

names_caller(subject) if {
	subject.kind == "user"
	input.identity.kind == "user"
	subject.id == user_id
}

# The application acting for itself. Behind a user's token it is only the user's tool and lends no rights.
names_caller(subject) if {
	subject.kind == "application"
	input.identity.kind == "app"
	subject.id == input.identity.app
}

# `sub` is pairwise per application in Entra; `oid` is the directory's own key.
user_id := object.get(input.identity, "oid", input.identity.subject)

# What the caller's grants name, as sets: made once, because a list asks for each of a server's tools. They are looked
# up by reference and not with `in`, which walks a set in WASM.
tool_names := {name | some grant in matching; some name in grant.tools}

prompt_names := {name | some grant in matching; some name in grant.prompts}

resource_names := {name | some grant in matching; some name in grant.resources}

# `tool` holds the pinned facts of one tool.
permits_tool(_) if tool_names["*"]

permits_tool(tool) if tool_names[tool.name]

permits_prompt(_) if prompt_names["*"]

permits_prompt(prompt) if prompt_names[prompt]

permits_resource(_) if resource_names["*"]

permits_resource(uri) if resource_names[uri]

# True only for the tool whose pinned facts are in the input; a second tool target is therefore unknown.
pins(target) if {
	target.kind == "tool"
	target.name == input.tool.name
}

permits(target) if {
	pins(target)
	permits_tool(input.tool)
}

permits(target) if {
	target.kind == "prompt"
	permits_prompt(target.name)
}

permits(target) if {
	target.kind == "resource"
	permits_resource(target.name)
}

# Methods that reach for something: without a target they cannot be judged.
targeted_methods := {
	"tools/call",
	"prompts/get",
	"resources/read",
	"resources/subscribe",
	"resources/unsubscribe",
	"completion/complete",
}

targetless if {
	count(input.call.targets) == 0
	targeted_methods[input.call.method]
}

default permits_call := false

permits_call if {
	caller
	not targetless
	every target in input.call.targets {
		permits(target)
	}
}

# What each list may show. Tools are pinned, so their names are known; prompts and resources are not.
visible := {
	"tools": {"all": false, "names": [tool.name | some tool in input.server.tools; permits_tool(tool)]},
	"prompts": names_or_all(prompt_names),
	"resources": names_or_all(resource_names),
	# A template stands for any number of resources: it is shown only to those who may read them all.
	"resourceTemplates": {"all": "*" in resource_names, "names": []},
}

names_or_all(names) := {"all": true, "names": []} if "*" in names

else := {"all": false, "names": sort(names)}
