# Weekdays, windows, midnight, and windows that are written wrong.
package mcp.lib.clock_test

import data.mcp.lib.clock

office := {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00"}

night := {"days": ["fri"], "from": "22:00", "to": "06:00"}

is_open(window, time) if clock.within(window) with input.request.time as time

test_weekdays_are_right_in_every_month_and_over_leap_days if {
	known := {
		"2026-01-01": "thu", "2026-02-28": "sat", "2026-03-01": "sun", "2026-04-15": "wed",
		"2026-05-31": "sun", "2026-06-01": "mon", "2026-07-28": "tue", "2026-08-31": "mon",
		"2026-09-15": "tue", "2026-10-31": "sat", "2026-11-26": "thu", "2026-12-31": "thu",
		"2024-02-29": "thu", "2028-02-29": "tue", "2000-02-29": "tue", "2100-03-01": "mon",
	}
	every date, day in known {
		found := clock.day_at(0, 0) with input.request.time as concat("", [date, "T12:00:00.000Z"])
		found == day
	}
}

test_window_opens_and_closes_to_the_minute if {
	is_open(office, "2026-07-28T08:00:00.000Z")
	is_open(office, "2026-07-28T17:59:59.999Z")
	not is_open(office, "2026-07-28T07:59:59.999Z")
	not is_open(office, "2026-07-28T18:00:00.000Z")
	not is_open(office, "2026-07-26T12:00:00.000Z")
}

test_offset_moves_the_hour_and_the_day if {
	monday := {"days": ["mon"], "from": "00:00", "to": "01:00", "utcOffsetMinutes": 120}
	is_open(monday, "2026-07-26T22:30:00.000Z")
	not is_open(monday, "2026-07-27T00:30:00.000Z")
	sunday := {"days": ["sun"], "from": "23:00", "to": "23:59", "utcOffsetMinutes": -300}
	is_open(sunday, "2026-07-27T04:30:00.000Z")
}

test_window_over_midnight_belongs_to_the_day_it_begins_on if {
	is_open(night, "2026-07-31T23:00:00.000Z")
	is_open(night, "2026-08-01T05:59:00.000Z")
	not is_open(night, "2026-07-31T05:00:00.000Z")
	not is_open(night, "2026-08-01T23:00:00.000Z")
	not is_open(night, "2026-08-01T06:00:00.000Z")
}

test_window_without_days_is_open_every_day if {
	is_open({"from": "08:00", "to": "18:00"}, "2026-07-26T12:00:00.000Z")
}

test_window_that_is_written_wrong_is_never_open if {
	every window in [
		{"from": "8:00", "to": "18:00"},
		{"from": "08:00"},
		{"from": "08:00", "to": "24:00"},
		{"days": [], "from": "08:00", "to": "18:00"},
		{"days": ["Tue"], "from": "08:00", "to": "18:00"},
		{},
	] {
		not is_open(window, "2026-07-28T12:00:00.000Z")
	}
}

test_no_time_is_outside_of_everything if {
	not clock.within(office) with input as {}
	not clock.from("2020-01-01") with input as {}
	not clock.before("2030-01-01") with input as {}
}

test_moments if {
	time := "2026-07-28T12:00:00.000Z"
	clock.from("2026-07-28") with input.request.time as time
	clock.from("2026-07-28T12:00:00.000Z") with input.request.time as time
	clock.before("2026-07-29") with input.request.time as time
	not clock.before("2026-07-28T12:00:00.000Z") with input.request.time as time
	not clock.from("tomorrow") with input.request.time as time
	not clock.before("tomorrow") with input.request.time as time
}
