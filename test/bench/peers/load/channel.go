// The writing side of an HTTP/2 connection: checks encoded beforehand, within the windows of flow control.

package main

import (
	"bufio"
	"bytes"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Flow control (RFC 9113 §6.9). Ours is opened wide once, so that answers never wait; the server's is kept to.
const (
	initialWindow  = 65_535
	ownWindow      = 1 << 30
	ownFrameWindow = 1 << 24
)

// drainTimeout bounds the wait for answers after the last check was sent.
const drainTimeout = 5 * time.Second

type stream struct {
	since   time.Time
	message []byte
	answer  []byte
}

// channel is one HTTP/2 connection. One goroutine reads; begin and fill write under the lock.
type channel struct {
	connection net.Conn
	reader     *bufio.Reader
	writer     *bufio.Writer
	framer     *http2.Framer
	decoder    *hpack.Decoder
	headers    []byte
	rotation   *rotation
	most       int

	lock       sync.Mutex
	nextID     uint32
	streams    map[uint32]*stream
	waiting    []*stream
	window     int64
	until      time.Time
	isDraining bool
	isBroken   bool

	sent, allowed, denied, errors int64
	latencies                     []int64
	lastAnswer                    time.Time
	status                        string
	consumed                      uint32
}

// encodeHeaders fills the peer's table with the first block; every later one is the same few indexes, as Envoy's are.
func encodeHeaders() (first, later []byte) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encode := func() []byte {
		block.Reset()
		for _, field := range [][2]string{
			{":method", "POST"},
			{":scheme", "http"},
			{":path", "/envoy.service.auth.v3.Authorization/Check"},
			{":authority", "ext-authz"},
			{"te", "trailers"},
			{"grpc-timeout", "5000m"},
			{"content-type", "application/grpc"},
		} {
			_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
		}
		return bytes.Clone(block.Bytes())
	}
	return encode(), encode()
}

func openChannel(target string, rotation *rotation, most int) (*channel, error) {
	connection, err := dial(target)
	if err != nil {
		return nil, err
	}
	c := &channel{
		connection: connection, reader: bufio.NewReaderSize(connection, 1<<16),
		writer: bufio.NewWriterSize(connection, 1<<16), rotation: rotation, most: most,
		nextID: 1, streams: map[uint32]*stream{}, window: initialWindow,
	}
	c.framer = http2.NewFramer(c.writer, c.reader)
	c.framer.SetReuseFrames()
	c.decoder = hpack.NewDecoder(4096, func(field hpack.HeaderField) {
		if field.Name == "grpc-status" {
			c.status = field.Value
		}
	})
	_, _ = c.writer.WriteString(http2.ClientPreface)
	_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: ownFrameWindow})
	_ = c.framer.WriteWindowUpdate(0, ownWindow)
	return c, c.writer.Flush()
}

// fill keeps the connection full until then: a closed loop.
func (c *channel) fill(until time.Time) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.until = until
	for range c.most {
		c.queue(time.Now())
	}
	_ = c.writer.Flush()
}

// begin sends one check that was due then: an open loop.
func (c *channel) begin(due time.Time) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.queue(due)
	_ = c.writer.Flush()
}

// drain lets what is on its way come in and then ends the reading.
func (c *channel) drain() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.isDraining = true
	_ = c.connection.SetReadDeadline(time.Now().Add(drainTimeout))
	c.closeIfDone()
}

func (c *channel) closeIfDone() {
	if c.isBroken || (c.isDraining && len(c.streams) == 0 && len(c.waiting) == 0) {
		_ = c.connection.Close()
	}
}

func (c *channel) queue(since time.Time) {
	c.waiting = append(c.waiting, &stream{since: since, message: c.rotation.next()})
	c.send()
}

// send writes as many waiting checks as the server's window and the number of streams let through.
func (c *channel) send() {
	for len(c.waiting) > 0 && len(c.streams) < c.most && int64(len(c.waiting[0].message)) <= c.window {
		next := c.waiting[0]
		c.waiting = c.waiting[1:]
		if c.headers == nil {
			var first []byte
			first, c.headers = encodeHeaders()
			c.write(next, first)
			continue
		}
		c.write(next, c.headers)
	}
}

func (c *channel) write(next *stream, headers []byte) {
	id := c.nextID
	c.nextID += 2
	c.streams[id] = next
	c.sent++
	c.window -= int64(len(next.message))
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headers, EndHeaders: true})
	const largestFrame = 16_384
	rest := next.message
	for len(rest) > largestFrame {
		_ = c.framer.WriteData(id, false, rest[:largestFrame])
		rest = rest[largestFrame:]
	}
	_ = c.framer.WriteData(id, true, rest)
}
