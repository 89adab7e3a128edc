// Load on a gateway: requests over HTTP/1.1 on connections that are kept, rendered beforehand.

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type httpReport struct {
	Sent      int64            `json:"sent"`
	Status    map[string]int64 `json:"status"`
	RPCErrors int64            `json:"rpcErrors"`
	Errors    int64            `json:"errors"`
	times
}

func (r *httpReport) add(other *httpReport) {
	r.Sent += other.Sent
	r.RPCErrors += other.RPCErrors
	r.Errors += other.Errors
	for status, count := range other.Status {
		r.Status[status] += count
	}
}

type request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func (r request) render(host string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nhost: %s\r\n", r.Method, r.Path, host)
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		fmt.Fprintf(&text, "%s: %s\r\n", name, r.Headers[name])
	}
	if r.Body != "" || r.Method == "POST" {
		fmt.Fprintf(&text, "content-length: %d\r\n", len(r.Body))
	}
	text.WriteString("\r\n" + r.Body)
	return text.Bytes()
}

func readRequests(file, host string) ([][]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var rendered [][]byte
	lines := json.NewDecoder(opened)
	for lines.More() {
		var one request
		if err := lines.Decode(&one); err != nil {
			return nil, err
		}
		rendered = append(rendered, one.render(host))
	}
	if len(rendered) == 0 {
		return nil, errors.New(file + " holds no request")
	}
	return rendered, nil
}

// worker is one connection that is kept alive, with one request on it at a time.
type worker struct {
	host      string
	rendered  [][]byte
	taken     *atomic.Int64
	offset    int64
	report    httpReport
	latencies []int64
	last      time.Time

	connection net.Conn
	reader     *bufio.Reader
}

func measureRequests(s settings) (any, error) {
	target, err := url.Parse(s.target)
	if err != nil || target.Scheme != "http" || target.Host == "" {
		return nil, errors.New("--target is http://host:port")
	}
	rendered, err := readRequests(s.file, target.Host)
	if err != nil {
		return nil, err
	}
	var taken atomic.Int64
	workers := make([]*worker, s.connections)
	cpu, start := cpuUs(), time.Now()
	offset := start.UnixMilli()
	var running sync.WaitGroup
	for index := range workers {
		one := &worker{host: target.Host, rendered: rendered, taken: &taken, offset: offset, last: start}
		one.report.Status = map[string]int64{}
		workers[index] = one
		running.Go(func() { one.work(s, start) })
	}
	running.Wait()
	total := httpReport{Status: map[string]int64{}}
	var latencies []int64
	last := start
	for _, one := range workers {
		total.add(&one.report)
		latencies = append(latencies, one.latencies...)
		if one.last.After(last) {
			last = one.last
		}
	}
	total.times = summarise(latencies, last.Sub(start), cpuUs()-cpu)
	return total, nil
}

// work takes one request after another. In an open loop it waits for the instant the request is due and counts its
// latency from there, so that a request that found every connection busy counts its wait.
func (w *worker) work(s settings, start time.Time) {
	end := start.Add(s.duration())
	for {
		k := w.taken.Add(1) - 1
		since := time.Now()
		if s.rate > 0 {
			since = s.planned(start, k)
			time.Sleep(time.Until(since))
		}
		if !since.Before(end) {
			return
		}
		w.ask(w.rendered[int((k+w.offset)%int64(len(w.rendered)))], since)
	}
}

func (w *worker) ask(text []byte, since time.Time) {
	w.report.Sent++
	answer, err := w.exchange(text)
	w.last = time.Now()
	if err != nil {
		w.report.Errors++
		w.hangUp()
		return
	}
	w.latencies = append(w.latencies, w.last.Sub(since).Microseconds())
	w.report.Status[strconv.Itoa(answer.status)]++
	if isRPCError(answer.body) {
		w.report.RPCErrors++
	}
	if answer.closes {
		w.hangUp()
	}
}

func (w *worker) hangUp() {
	if w.connection != nil {
		_ = w.connection.Close()
	}
	w.connection = nil
}

// answerTimeout is longer than any time limit of the gateway's own.
const answerTimeout = 60 * time.Second

func (w *worker) exchange(text []byte) (answer, error) {
	if w.connection == nil {
		opened, err := net.Dial("tcp", w.host)
		if err != nil {
			// Nothing listens: do not spin on it.
			time.Sleep(time.Millisecond)
			return answer{}, err
		}
		w.connection, w.reader = opened, bufio.NewReaderSize(opened, 1<<15)
	}
	if err := w.connection.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return answer{}, err
	}
	if _, err := w.connection.Write(text); err != nil {
		return answer{}, err
	}
	return readAnswer(w.reader)
}
