# The time of a call, for constraints only. There is no clock in a policy: `input.request.time` is the gateway's, in UTC.
# A zone is given by its offset, which does not follow summer time.
package mcp.lib.clock

days := ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

number(start, length) := to_number(substring(input.request.time, start, length))

# Sakamoto's method; Sunday is 0.
weekday := (((((year + floor(year / 4)) - floor(year / 100)) + floor(year / 400)) + shift) + number(8, 2)) % 7 if {
	month := number(5, 2)
	year := number(0, 4) - early(month)
	shift := [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month - 1]
}

early(month) := 1 if month < 3

early(month) := 0 if month >= 3

# Minutes at the offset since the midnight before the one in UTC: never below 0, because OPA's `floor` takes -0.5 to 0.
minutes(offset) := (((number(11, 2) * 60) + number(14, 2)) + 1440) + offset

day_at(offset, earlier) := days[((weekday + floor(minutes(offset) / 1440)) + (6 - earlier)) % 7]

time_at(offset) := minutes(offset) - (1440 * floor(minutes(offset) / 1440))

# "08:30" as minutes; undefined for anything else, so that a window that is written wrong is never open.
minute_of(text) := (to_number(substring(text, 0, 2)) * 60) + to_number(substring(text, 3, 2)) if {
	regex.match(`\A(?:[01][0-9]|2[0-3]):[0-5][0-9]\z`, text)
}

# Whether the call falls into `{"days"?: ["mon", …], "from": "08:00", "to": "18:00", "utcOffsetMinutes"?: 120}`. `to` is
# not included. A window that ends before it begins runs over midnight and belongs to the day it begins on.
within(window) if {
	offset := object.get(window, "utcOffsetMinutes", 0)
	from := minute_of(window.from)
	to := minute_of(window.to)
	some earlier in [0, 1]
	open_at(time_at(offset), {"from": from, "to": to, "earlier": earlier})
	day_at(offset, earlier) in object.get(window, "days", days)
}

open_at(time, window) if {
	window.earlier == 0
	window.from <= window.to
	time >= window.from
	time < window.to
}

open_at(time, window) if {
	window.earlier == 0
	window.from > window.to
	time >= window.from
}

open_at(time, window) if {
	window.earlier == 1
	window.from > window.to
	time < window.to
}

# Moments in UTC, as much of "2026-07-28T12:00:00.000Z" as is needed; "2026-07-28" is the beginning of that day.
from(moment) if {
	is_moment(moment)
	input.request.time >= moment
}

before(moment) if {
	is_moment(moment)
	input.request.time < moment
}

is_moment(text) if regex.match(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z?)?\z`, text)
