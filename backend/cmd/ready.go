package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// ready is `gatehouse ready`, for the health check of a container whose image
// has no other program.
type ready struct{}

// Run asks the server that listens where the settings say. It fails unless that
// is ready.
func (ready) Run(ctx context.Context, sh *shell) error {
	c, err := config.Load(sh.environ)
	if err != nil {
		return err
	}
	status, body, err := getFrom(ctx, c.Listen, "/readyz")
	if err != nil {
		return fmt.Errorf("no server answers at %s: %s", c.Listen, reason(err))
	}
	if status != http.StatusOK {
		var p api.Problem
		_ = json.Unmarshal(body, &p) // of another program: then the status is all there is to tell
		return fmt.Errorf("the server at %s is not ready (status %d): %s", c.Listen, status, p.Detail)
	}
	_, err = fmt.Fprintf(sh.out, "The server at %s is ready.\n", c.Listen)
	return err
}

// getTimeout is longer than a server takes for any of its own pages.
const getTimeout = 4 * time.Second

// getFrom reads a page of a server on this machine.
func getFrom(ctx context.Context, listen, path string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(listen)+path, nil)
	if err != nil {
		return 0, nil, err
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // and no proxy of the environment
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		if cause := errors.Unwrap(err); cause != nil { // without the URL
			err = cause
		}
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxControlBytes))
	return resp.StatusCode, body, err
}

// reachable returns the address at which this machine reaches a listener.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && addr.IsUnspecified() && addr.Is4():
		host = "127.0.0.1"
	case err == nil && addr.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
