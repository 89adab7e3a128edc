// What a run reports of time: latencies, and what the generator itself cost.

package main

import (
	"slices"
	"syscall"
	"time"
)

// times are what both kinds of load report of how long answers took, and what the generator itself cost.
type times struct {
	Seconds float64 `json:"seconds"`
	P50Us   int64   `json:"p50Us"`
	P95Us   int64   `json:"p95Us"`
	P99Us   int64   `json:"p99Us"`
	MaxUs   int64   `json:"maxUs"`
	// CPU time of this process from the first request to the last answer.
	CPUUs int64 `json:"cpuUs"`
}

func cpuUs() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	of := func(t syscall.Timeval) int64 { return int64(t.Sec)*1_000_000 + int64(t.Usec) }
	return of(usage.Utime) + of(usage.Stime)
}

func percentile(sorted []int64, share float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func summarise(latencies []int64, took time.Duration, cpu int64) times {
	slices.Sort(latencies)
	return times{
		Seconds: took.Seconds(),
		P50Us:   percentile(latencies, 0.50),
		P95Us:   percentile(latencies, 0.95),
		P99Us:   percentile(latencies, 0.99),
		MaxUs:   percentile(latencies, 1),
		CPUUs:   cpu,
	}
}
