// The reading side of an HTTP/2 connection: frames in, verdicts counted, the next check begun.

package main

import (
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/protobuf/encoding/protowire"
)

// read takes in frames until the connection is closed. What was written meanwhile goes out once nothing more is at hand.
func (c *channel) read() {
	for {
		frame, err := c.framer.ReadFrame()
		c.lock.Lock()
		if err != nil {
			c.lock.Unlock()
			return
		}
		c.take(frame)
		if c.reader.Buffered() == 0 {
			_ = c.writer.Flush()
		}
		c.closeIfDone()
		c.lock.Unlock()
	}
}

func (c *channel) take(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = c.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.framer.WritePing(true, f.Data)
		}
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			c.window += int64(f.Increment)
			c.send()
		}
	case *http2.DataFrame:
		c.takeData(f)
	case *http2.HeadersFrame:
		c.status = ""
		_, _ = c.decoder.Write(f.HeaderBlockFragment())
		if f.StreamEnded() {
			c.finish(f.StreamID)
		}
	case *http2.RSTStreamFrame:
		c.status = "reset"
		c.finish(f.StreamID)
	case *http2.GoAwayFrame, *http2.ContinuationFrame:
		c.isBroken = true
	}
}

func (c *channel) takeData(f *http2.DataFrame) {
	if at := c.streams[f.StreamID]; at != nil {
		at.answer = append(at.answer, f.Data()...)
	}
	c.consumed += f.Length
	if c.consumed > ownWindow/2 {
		_ = c.framer.WriteWindowUpdate(0, c.consumed)
		c.consumed = 0
	}
	if f.StreamEnded() {
		c.finish(f.StreamID)
	}
}

// finish judges an answer by what it says, not by gRPC's OK: a refusal is an OK too.
func (c *channel) finish(id uint32) {
	at := c.streams[id]
	if at == nil {
		return
	}
	delete(c.streams, id)
	now := time.Now()
	code, isAnswer := statusOf(at.answer)
	switch {
	case c.status != "0" || !isAnswer:
		c.errors++
	case code == 0:
		c.allowed++
	default:
		c.denied++
	}
	if c.status == "0" {
		c.latencies = append(c.latencies, now.Sub(at.since).Microseconds())
	}
	c.lastAnswer = now
	c.send()
	if now.Before(c.until) && !c.isDraining {
		c.queue(now)
	}
}

// statusOf reads CheckResponse.status.code (field 1 of field 1). Without a status Envoy lets a request pass, so one that
// is missing is no answer.
func statusOf(answer []byte) (code uint64, is bool) {
	if len(answer) < grpcPrefix || answer[0] != 0 {
		return 0, false
	}
	rest := answer[grpcPrefix:]
	for len(rest) > 0 {
		field, kind, length := protowire.ConsumeTag(rest)
		if length < 0 {
			return 0, false
		}
		rest = rest[length:]
		if field == 1 && kind == protowire.BytesType {
			status, _ := protowire.ConsumeBytes(rest)
			return codeOf(status), true
		}
		if length = protowire.ConsumeFieldValue(field, kind, rest); length < 0 {
			return 0, false
		}
		rest = rest[length:]
	}
	return 0, false
}

func codeOf(status []byte) uint64 {
	for len(status) > 0 {
		field, kind, length := protowire.ConsumeTag(status)
		if length < 0 {
			return 0
		}
		status = status[length:]
		if field == 1 && kind == protowire.VarintType {
			code, _ := protowire.ConsumeVarint(status)
			return code
		}
		if length = protowire.ConsumeFieldValue(field, kind, status); length < 0 {
			return 0
		}
		status = status[length:]
	}
	return 0
}
