# What a tool's pinned annotations say, with the defaults of MCP (ToolAnnotations): what is not said is the worse case.
# They are hints of the server, pinned when the version was approved; a grant may read them. Each takes a tool:
# `input.tool`, or the one a grant's `permits_tool(tool)` is asked about.
package mcp.lib.tool

read_only(tool) if tool.annotations.readOnlyHint == true

destructive(tool) if {
	is_object(tool)
	not read_only(tool)
	not tool.annotations.destructiveHint == false
}

# To repeat it with the same arguments changes nothing more.
idempotent(tool) if read_only(tool)

idempotent(tool) if tool.annotations.idempotentHint == true

# It reaches what nobody here governs: the web, mail.
open_world(tool) if {
	is_object(tool)
	not tool.annotations.openWorldHint == false
}

# Tags are given by the manifest.
tagged(tool, tag) if tag in tool.tags
