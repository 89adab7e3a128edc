// Package wire is what both ext_authz peers share: a gRPC server on a socket that answers Check and ends on SIGTERM.
package wire

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

// CheckFunc answers one Check.
type CheckFunc func(context.Context, *authv3.CheckRequest) (*authv3.CheckResponse, error)

type service struct {
	authv3.UnimplementedAuthorizationServer
	check CheckFunc
}

func (s service) Check(ctx context.Context, request *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	return s.check(ctx, request)
}

func listen(address string) (net.Listener, error) {
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		_ = os.Remove(path)
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

// Serve answers checks at address ("unix:/path" or "host:port") until SIGTERM or SIGINT. It prints one line once it
// serves, so that whoever started it need not guess.
func Serve(address string, check CheckFunc) error {
	listener, err := listen(address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, service{check: check})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		server.Stop()
	}()
	fmt.Println("serving")
	return server.Serve(listener)
}

// Fail prints why a command cannot go on and ends it.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
