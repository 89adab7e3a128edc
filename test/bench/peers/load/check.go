// Load on a decision service: as many checks as it answers, or evenly spaced.

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type checkReport struct {
	Sent    int64 `json:"sent"`
	Allowed int64 `json:"allowed"`
	Denied  int64 `json:"denied"`
	Errors  int64 `json:"errors"`
	times
}

// grpcPrefix is the length of what stands before a message on the wire: compressed or not, and its size.
const grpcPrefix = 5

func readMessages(file string) ([][]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var messages [][]byte
	lines := bufio.NewScanner(opened)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		message, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			return nil, err
		}
		framed := make([]byte, grpcPrefix, grpcPrefix+len(message))
		binary.BigEndian.PutUint32(framed[1:], uint32(len(message)))
		messages = append(messages, append(framed, message...))
	}
	if len(messages) == 0 {
		return nil, errors.New(file + " holds no message")
	}
	return messages, lines.Err()
}

func dial(target string) (net.Conn, error) {
	if path, isUnix := strings.CutPrefix(target, "unix:"); isUnix {
		return net.Dial("unix", path)
	}
	return net.Dial("tcp", target)
}

// next hands out messages in rotation over all connections.
type rotation struct {
	messages [][]byte
	taken    atomic.Int64
}

func (r *rotation) next() []byte {
	return r.messages[int((r.taken.Add(1)-1)%int64(len(r.messages)))]
}

func measureChecks(s settings) (any, error) {
	messages, err := readMessages(s.file)
	if err != nil {
		return nil, err
	}
	// Begun elsewhere each time, or every short run would ask the same.
	rotation := &rotation{messages: messages}
	rotation.taken.Store(time.Now().UnixMilli() % int64(len(messages)))
	channels := make([]*channel, s.connections)
	for index := range channels {
		if channels[index], err = openChannel(s.target, rotation, s.streams); err != nil {
			return nil, err
		}
	}
	cpu, start := cpuUs(), time.Now()
	var running sync.WaitGroup
	for _, each := range channels {
		running.Go(each.read)
	}
	if s.rate > 0 {
		pace(channels, s, start)
	} else {
		for _, each := range channels {
			each.fill(start.Add(s.duration()))
		}
		time.Sleep(s.duration())
	}
	for _, each := range channels {
		each.drain()
	}
	running.Wait()
	return reportOf(channels, start, cpuUs()-cpu), nil
}

// pace begins each check at its instant, whether or not earlier ones were answered.
func pace(channels []*channel, s settings, start time.Time) {
	for k := int64(0); k < int64(s.rate*s.seconds); k++ {
		due := s.planned(start, k)
		time.Sleep(time.Until(due))
		channels[int(k)%len(channels)].begin(due)
	}
}

func reportOf(channels []*channel, start time.Time, cpu int64) checkReport {
	var report checkReport
	var latencies []int64
	last := start
	for _, each := range channels {
		report.Sent += each.sent
		report.Allowed += each.allowed
		report.Denied += each.denied
		report.Errors += each.errors + int64(len(each.waiting)+len(each.streams))
		latencies = append(latencies, each.latencies...)
		if each.lastAnswer.After(last) {
			last = each.lastAnswer
		}
	}
	report.times = summarise(latencies, last.Sub(start), cpu)
	return report
}
