// backend is the MCP server behind every proxy of a bench: it answers at once with little, so that what is measured is
// what stands before it.

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"mcpgw.test/peers/wire"
)

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		ProtocolVersion string `json:"protocolVersion"`
	} `json:"params"`
}

type server struct {
	tools json.RawMessage
	// result of a call, some hundred characters.
	result json.RawMessage
}

func (s server) resultOf(asked message) json.RawMessage {
	switch asked.Method {
	case "initialize":
		version, _ := json.Marshal(asked.Params.ProtocolVersion)
		return fmt.Appendf(nil, `{"protocolVersion":%s,"capabilities":{"tools":{}},"serverInfo":{"name":"backend","version":"1.0.0"}}`, version)
	case "tools/list":
		return fmt.Appendf(nil, `{"tools":%s}`, s.tools)
	case "tools/call":
		return s.result
	case "ping":
		return json.RawMessage("{}")
	}
	return nil
}

func (s server) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	var asked message
	body, err := io.ReadAll(request.Body)
	if request.Method != http.MethodPost {
		response.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if err != nil || json.Unmarshal(body, &asked) != nil {
		response.WriteHeader(http.StatusBadRequest)
		return
	}
	if asked.ID == nil {
		response.WriteHeader(http.StatusAccepted)
		return
	}
	response.Header().Set("content-type", "application/json")
	if result := s.resultOf(asked); result != nil {
		fmt.Fprintf(response, `{"jsonrpc":"2.0","id":%s,"result":%s}`, asked.ID, result)
		return
	}
	fmt.Fprintf(response, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown method"}}`, asked.ID)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "host:port")
	toolsFile := flag.String("tools", "", "JSON list of tools, as tools/list answers it; default: none")
	flag.Parse()
	text := "A line of the kind that tools give back, of some hundred characters, with nothing in it to find."
	s := server{
		tools:  json.RawMessage("[]"),
		result: fmt.Appendf(nil, `{"content":[{"type":"text","text":%q}],"isError":false}`, text),
	}
	if *toolsFile != "" {
		tools, err := os.ReadFile(*toolsFile)
		if err != nil {
			wire.Fail(err)
		}
		s.tools = tools
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		wire.Fail(err)
	}
	fmt.Println("serving", listener.Addr())
	wire.Fail(http.Serve(listener, s))
}
