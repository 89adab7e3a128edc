// Answers of HTTP/1.1, read as far as they are counted.

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
)

// answer of HTTP/1.1 as far as it is counted (RFC 9112).
type answer struct {
	status int
	body   []byte
	closes bool
}

var errAnswer = errors.New("not an HTTP/1.1 answer")

func readLine(reader *bufio.Reader) ([]byte, error) {
	line, err := reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

func readAnswer(reader *bufio.Reader) (answer, error) {
	var got answer
	line, err := readLine(reader)
	if err != nil {
		return got, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return got, errAnswer
	}
	if got.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return got, err
	}
	length, isChunked := 0, false
	for {
		if line, err = readLine(reader); err != nil {
			return got, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return got, err
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			isChunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("connection")):
			got.closes = bytes.EqualFold(value, []byte("close"))
		}
	}
	if isChunked {
		got.body, err = readChunks(reader)
		return got, err
	}
	got.body = make([]byte, length)
	_, err = io.ReadFull(reader, got.body)
	return got, err
}

func readChunks(reader *bufio.Reader) ([]byte, error) {
	var body []byte
	for {
		line, err := readLine(reader)
		if err != nil {
			return body, err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(digits), 16, 31)
		if err != nil {
			return body, err
		}
		chunk := make([]byte, size+2)
		if size == 0 {
			return body, skipTrailers(reader)
		}
		if _, err := io.ReadFull(reader, chunk); err != nil {
			return body, err
		}
		body = append(body, chunk[:size]...)
	}
}

func skipTrailers(reader *bufio.Reader) error {
	for {
		if line, err := readLine(reader); err != nil || len(line) == 0 {
			return err
		}
	}
}

// isRPCError tells whether a message of the body is a JSON-RPC error. It is parsed only where the word occurs at all.
func isRPCError(body []byte) bool {
	if !bytes.Contains(body, []byte(`"error"`)) {
		return false
	}
	for line := range bytes.Lines(body) {
		line, _ = bytes.CutPrefix(line, []byte("data:"))
		var message struct {
			Error json.RawMessage `json:"error"`
		}
		if json.Unmarshal(line, &message) == nil && message.Error != nil {
			return true
		}
	}
	return json.Valid(body) && hasError(body)
}

func hasError(body []byte) bool {
	var message struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal(body, &message) == nil && message.Error != nil
}
