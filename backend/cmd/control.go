package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/config"
)

const (
	socketSuffix    = ".sock"
	maxSocketPath   = 100 // bytes; the kernel takes 107, and some systems 103
	maxControlBytes = 64 << 10
)

// socketOf returns where the server of these settings listens for its operator:
// beside the SQLite file, or, because many servers share a MongoDB, beside the
// key file under the process's own number.
func socketOf(c config.Config) string {
	if c.SQLite != "" {
		return c.SQLite + socketSuffix
	}
	return fmt.Sprintf("%s.%d%s", c.Keys, os.Getpid(), socketSuffix)
}

// sockets returns where servers of these settings may listen for their operator
// on this machine.
func sockets(c config.Config) ([]string, error) {
	if c.SQLite != "" {
		return []string{socketOf(c)}, nil
	}
	return filepath.Glob(c.Keys + ".*" + socketSuffix)
}

// answer is what the socket answers: what is told, and the sentences of what
// went wrong.
type answer struct {
	Told   string   `json:"told"`
	Failed []string `json:"failed,omitempty"`
}

// control is the server's ear for its operator: JSON over HTTP on a Unix socket
// that only the same user can open.
type control struct {
	path   string
	server *http.Server
	cancel context.CancelFunc // ends what is under way
}

// listenControl listens at path. The socket is made in a directory that nobody
// else can enter and moved into place, so at no moment is it open to others, and
// one that a killed server left is replaced.
func listenControl(n *node, path string) (*control, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the socket %s is longer than %d bytes: choose a shorter one for the database or the keys", path, maxSocketPath)
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".gh")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	temporary := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it is moved; close removes it
	if err := errors.Join(os.Chmod(temporary, 0o600), os.Rename(temporary, path)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	mux := http.NewServeMux()
	for name, o := range operations() {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) { n.control(w, r, o) })
	}
	base, cancel := context.WithCancel(context.Background())
	c := &control{path: path, cancel: cancel, server: &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return base },
	}}
	go func() {
		if err := c.server.Serve(sameUser{l}); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("the socket for the operator failed", "error", err)
		}
	}()
	return c, nil
}

// close stops listening and lets what is under way finish, as long as ctx lasts.
// Whatever takes longer, such as a prune, ends at its next step.
func (c *control) close(ctx context.Context) {
	defer c.cancel()
	_ = os.Remove(c.path)
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
}

func (n *node) control(w http.ResponseWriter, r *http.Request, o operation) {
	var arguments []string
	var a answer
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBytes)).Decode(&arguments)
	if err == nil && len(arguments) < o.needs {
		err = fmt.Errorf("%d arguments are needed", o.needs)
	}
	if err == nil {
		a.Told, err = o.do(r.Context(), n, arguments)
	}
	if err != nil {
		a.Failed = sentences(err)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(a); err != nil {
		n.log.Warn("the operator went away before the answer", "error", err)
	}
}

// sameUser accepts connections of the user who runs the server, and of root.
// The mode of the socket says the same; a directory's owner could move it.
type sameUser struct{ *net.UnixListener }

// Accept implements [net.Listener].
func (l sameUser) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUser(c); err == nil && (uid == os.Geteuid() || uid == 0) {
			return c, nil
		}
		_ = c.Close()
	}
}

// told is an error of the server in its own words.
type told []string

func (t told) Error() string { return strings.Join(t, "\n") }

// ask has the server at a socket do an operation. Served is false if there is
// none, also when a killed one left its socket.
func ask(ctx context.Context, socket, name string, arguments []string) (text string, served bool, err error) {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "unix", socket)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EINVAL):
		return "", false, nil
	case errors.Is(err, fs.ErrPermission):
		return "", false, fmt.Errorf("a server runs as another user: run this as the user who owns %s", socket)
	case err != nil:
		return "", false, fmt.Errorf("the server at %s cannot be reached: %w", socket, err)
	}
	defer conn.Close()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true,
	}}
	if arguments == nil {
		arguments = []string{}
	}
	body, err := json.Marshal(arguments)
	if err != nil {
		return "", true, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gatehouse/"+name, bytes.NewReader(body))
	if err != nil {
		return "", true, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", true, fmt.Errorf("the server at %s did not answer: %w", socket, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", true, fmt.Errorf("the server at %s does not know %s; is it of another version?", socket, name)
	}
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return "", true, fmt.Errorf("the server at %s did not answer: %w", socket, err)
	}
	if len(a.Failed) > 0 {
		return a.Told, true, told(a.Failed)
	}
	return a.Told, true, nil
}
