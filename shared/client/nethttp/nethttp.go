// Package nethttp carries the requests of shared/client over net/http: for
// integrations and tests. The browser's program must not import it.
package nethttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"

	"github.com/gatehouse-portal/gatehouse/shared/client"
)

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 16 << 20

// Transport implements [client.Transport]. It may be used by many goroutines at
// once, unless HTTP's cookie jar may not.
type Transport struct {
	Base   string       // https://portal.example.com, without a slash at the end
	Bearer string       // a token to present, "" for none
	HTTP   *http.Client // nil: http.DefaultClient
}

// Bearer returns a client that presents a token to the API at base.
func Bearer(base, token string) *client.Client {
	return client.New(&Transport{Base: base, Bearer: token})
}

// Portal returns a client that keeps a session's cookie, as a browser does.
func Portal(base string) *client.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // without options it cannot fail
	}
	return client.New(&Transport{Base: base, HTTP: &http.Client{Jar: jar}})
}

// Do implements [client.Transport].
func (t *Transport) Do(ctx context.Context, r client.Request) (client.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, t.Base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return client.Response{}, fmt.Errorf("make the request: %w", err)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	if t.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+t.Bearer)
	} else {
		req.Header.Set("Origin", t.Base) // what a browser sends and the cross-site check asks for
	}
	h := t.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	answer, err := h.Do(req)
	if err != nil {
		var ne net.Error
		switch {
		case ctx.Err() != nil:
			return client.Response{}, ctx.Err()
		case errors.As(err, &ne) && ne.Timeout():
			return client.Response{}, fmt.Errorf("%w: %w", client.ErrTimeout, err)
		}
		return client.Response{}, fmt.Errorf("%w: %w", client.ErrOffline, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return client.Response{}, fmt.Errorf("%w: %w", client.ErrOffline, err)
	}
	out := client.Response{Status: answer.StatusCode, Header: map[string]string{}, Body: body}
	for name, values := range answer.Header {
		out.Header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return out, nil
}
