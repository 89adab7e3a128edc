# What fits, what does not, and that what is not there fits nothing.
package mcp.lib.argument_test

import data.mcp.lib.argument

sent := {
	"priority": "low",
	"note": null,
	"order": {"total": 40, "lines": ["a", "b"]},
	"file": "/srv/reports/may.csv",
	"url": "https://API.example.com:8443/v1?q=1",
}

test_values_are_found_by_path if {
	argument.at(["order", "total"]) == 40 with input.call.arguments as sent
	argument.at(["note"]) == null with input.call.arguments as sent
	argument.given(["note"]) with input.call.arguments as sent
	not argument.given(["order", "tax"]) with input.call.arguments as sent
	not argument.given(["priority"]) with input as {}
}

test_what_fits if {
	argument.one_of(["priority"], ["low", "medium"]) with input.call.arguments as sent
	argument.at_most(["order", "total"], 40) with input.call.arguments as sent
	argument.at_least(["order", "total"], 40) with input.call.arguments as sent
	argument.no_longer_than(["priority"], 3) with input.call.arguments as sent
	argument.no_longer_than(["order", "lines"], 2) with input.call.arguments as sent
	argument.matches(["priority"], "l[a-z]w") with input.call.arguments as sent
	argument.below(["file"], "/srv/reports/") with input.call.arguments as sent
	argument.https_host(["url"]) == "api.example.com" with input.call.arguments as sent
}

test_what_does_not if {
	not argument.one_of(["priority"], ["high"]) with input.call.arguments as sent
	not argument.at_most(["order", "total"], 39) with input.call.arguments as sent
	not argument.at_least(["order", "total"], 41) with input.call.arguments as sent
	not argument.no_longer_than(["priority"], 2) with input.call.arguments as sent
	not argument.no_longer_than(["order", "lines"], 1) with input.call.arguments as sent
	not argument.matches(["priority"], "l") with input.call.arguments as sent
	not argument.below(["file"], "/srv/secrets/") with input.call.arguments as sent
}

test_what_is_absent_or_of_another_type_fits_nothing if {
	every path in [["gone"], ["note"], ["order"]] {
		not argument.one_of(path, ["low"]) with input.call.arguments as sent
		not argument.at_most(path, 100) with input.call.arguments as sent
		not argument.at_least(path, 0) with input.call.arguments as sent
		not argument.no_longer_than(path, 100) with input.call.arguments as sent
		not argument.matches(path, ".*") with input.call.arguments as sent
		not argument.below(path, "/") with input.call.arguments as sent
		not argument.https_host(path) with input.call.arguments as sent
	}
}

test_a_pattern_is_held_against_every_line if {
	not argument.matches(["x"], "a") with input.call.arguments as {"x": "a\nb"}
	not argument.matches(["x"], "a|b") with input.call.arguments as {"x": "ab"}
}

test_no_path_climbs_out if {
	every file in [
		"/srv/reports/../secrets",
		"/srv/reports/..",
		"/srv/reports/a\\..\\b",
		"/srv/reports/%2e%2e/x",
		"/srv/reportsx",
	] {
		not argument.below(["x"], "/srv/reports/") with input.call.arguments as {"x": file}
	}
	not argument.below(["x"], "/srv/reports") with input.call.arguments as {"x": "/srv/reports-of-others"}
}

test_no_url_with_two_readings_has_a_host if {
	every url in [
		"http://api.example.com/",
		"https://api.example.com@evil.example/",
		"https://api.example.com\\@evil.example/",
		"https://api.example.com/\\x",
		" https://api.example.com/",
		"https://api.example.com/\n",
		"https:api.example.com",
		"//api.example.com/",
		"https://ap\u0131.example.com/",
	] {
		not argument.https_host(["x"]) with input.call.arguments as {"x": url}
	}
}
