// load puts load on a decision service or on a gateway and prints one line of JSON. It speaks HTTP/2 and HTTP/1.1 by
// hand, because on a machine that it shares with what it measures its own CPU time is taken from the figure.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"mcpgw.test/peers/wire"
)

const usage = `usage: load check --target unix:/path|host:port --messages FILE --connections C --streams S --seconds N [--rate R]
       load http --target http://host:port --requests FILE --connections C --seconds N [--rate R]`

// settings of one run. A rate of 0 is a closed loop: the next begins when one ends.
type settings struct {
	target, file         string
	connections, streams int
	seconds, rate        float64
}

func (s settings) duration() time.Duration { return time.Duration(s.seconds * float64(time.Second)) }

// planned is when the k-th request of an open loop is due, evenly spaced.
func (s settings) planned(start time.Time, k int64) time.Time {
	return start.Add(time.Duration(float64(k) / s.rate * float64(time.Second)))
}

func parse(arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&s.target, "target", "", "what is asked")
	flags.StringVar(&s.file, "messages", "", "lines of base64, each an encoded CheckRequest, rotated")
	flags.StringVar(&s.file, "requests", "", `lines of {"method","path","headers","body"}, rotated`)
	flags.IntVar(&s.connections, "connections", 1, "connections")
	flags.IntVar(&s.streams, "streams", 16, "calls in flight on each connection")
	flags.Float64Var(&s.seconds, "seconds", 1, "how long")
	flags.Float64Var(&s.rate, "rate", 0, "calls a second; 0: as many as are answered")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	if s.target == "" || s.file == "" || s.connections < 1 || s.streams < 1 {
		return s, errors.New(usage)
	}
	return s, nil
}

func measure(mode string, s settings) (any, error) {
	switch mode {
	case "check":
		return measureChecks(s)
	case "http":
		return measureRequests(s)
	}
	return nil, errors.New(usage)
}

func main() {
	if len(os.Args) < 2 {
		wire.Fail(errors.New(usage))
	}
	s, err := parse(os.Args[2:])
	if err != nil {
		wire.Fail(err)
	}
	report, err := measure(os.Args[1], s)
	if err != nil {
		wire.Fail(err)
	}
	line, err := json.Marshal(report)
	if err != nil {
		wire.Fail(err)
	}
	fmt.Println(string(line))
}
