// What one evaluation costs in this process, from the bytes of an input to the decision, with nothing around it.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

type evaluationReport struct {
	Sent    int     `json:"sent"`
	Allowed int     `json:"allowed"`
	P50Us   float64 `json:"p50Us"`
	P99Us   float64 `json:"p99Us"`
}

func (e *evaluator) decideBytes(ctx context.Context, text []byte) (bool, error) {
	var input map[string]any
	if err := json.Unmarshal(text, &input); err != nil {
		return false, err
	}
	allow, _, err := e.decide(ctx, input)
	return allow, err
}

func quantile(sorted []time.Duration, share float64) float64 {
	return float64(sorted[int(share*float64(len(sorted)-1))].Nanoseconds()) / 1000
}

// measure evaluates the lines of file in rotation, one after the other, and prints one line of JSON.
func (e *evaluator) measure(file string, seconds float64) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	inputs := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	ctx := context.Background()
	report := evaluationReport{}
	var times []time.Duration
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for start := time.Now(); start.Before(end); start = time.Now() {
		allow, err := e.decideBytes(ctx, inputs[report.Sent%len(inputs)])
		times = append(times, time.Since(start))
		if err != nil {
			return err
		}
		report.Sent++
		if allow {
			report.Allowed++
		}
	}
	slices.Sort(times)
	report.P50Us, report.P99Us = quantile(times, 0.5), quantile(times, 0.99)
	line, err := json.Marshal(report)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}
