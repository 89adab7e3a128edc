# Annotations, and what their absence means.
package mcp.lib.tool_test

import data.mcp.lib.tool

annotated(annotations) := {"name": "t", "annotations": annotations, "tags": ["finance"]}

test_a_tool_that_says_nothing_is_the_worst_case if {
	every silent in [{"name": "t"}, annotated({}), annotated({"readOnlyHint": "true"})] {
		tool.destructive(silent)
		tool.open_world(silent)
		not tool.read_only(silent)
		not tool.idempotent(silent)
	}
}

test_a_read_only_tool_destroys_nothing if {
	reader := annotated({"readOnlyHint": true, "destructiveHint": true})
	tool.read_only(reader)
	tool.idempotent(reader)
	not tool.destructive(reader)
}

test_each_hint_counts if {
	not tool.destructive(annotated({"destructiveHint": false}))
	tool.idempotent(annotated({"idempotentHint": true}))
	not tool.open_world(annotated({"openWorldHint": false}))
}

test_what_is_no_tool_is_nothing_of_it if {
	every nothing in [null, "t", []] {
		not tool.destructive(nothing)
		not tool.open_world(nothing)
		not tool.read_only(nothing)
	}
}

test_tags_are_exact if {
	tool.tagged(annotated({}), "finance")
	not tool.tagged(annotated({}), "Finance")
	not tool.tagged({"name": "t"}, "finance")
}
