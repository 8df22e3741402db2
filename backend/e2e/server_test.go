package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/testskip"
	"github.com/gatehouse-portal/gatehouse/web"
)

// binary is the gatehouse program, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gatehouse")
	out, err := exec.Command("go", "build", "-o", path, "github.com/gatehouse-portal/gatehouse/backend").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// server is one running gatehouse.
type server struct {
	t    *testing.T
	url  string // http://localhost:PORT
	dir  string // its working directory, with data/
	cmd  *exec.Cmd
	env  []string
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// stores are the databases that every journey is made on.
var stores = []struct {
	name string
	uri  func(t *testing.T) string // "" means the SQLite default
}{
	{"SQLite", func(*testing.T) string { return "" }},
	{"MongoDB", func(t *testing.T) string { return mongotest.Start(t) }},
}

// start runs gatehouse on a fresh database; it ends with the test.
func start(t *testing.T, database string, env ...string) *server {
	t.Helper()
	if _, err := web.ReadManifest(web.Dist()); err != nil {
		testskip.Because(t, "the browser program is not built: run `go run ./web/build`.")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	port := freePort(t)
	s := &server{t: t, url: fmt.Sprintf("http://localhost:%d", port), dir: dir}
	s.env = append(os.Environ(), fmt.Sprintf("GATEHOUSE_LISTEN=127.0.0.1:%d", port), "GATEHOUSE_PUBLIC_URL="+s.url)
	if database != "" {
		s.env = append(s.env, "GATEHOUSE_DATABASE="+database)
	}
	s.env = append(s.env, env...)
	if database != "" {
		if out, err := s.command(path, "keys", "init").CombinedOutput(); err != nil {
			t.Fatalf("keys init: %v\n%s", err, out)
		}
	}
	s.run(path)
	return s
}

// beside runs a second gatehouse on the same database with the same keys.
func (s *server) beside() *server {
	s.t.Helper()
	port := freePort(s.t)
	other := &server{t: s.t, url: fmt.Sprintf("http://localhost:%d", port), dir: s.dir}
	other.env = append(append([]string{}, s.env...), fmt.Sprintf("GATEHOUSE_LISTEN=127.0.0.1:%d", port), "GATEHOUSE_PUBLIC_URL="+other.url)
	path, _ := binary()
	other.run(path)
	return other
}

func (s *server) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

func (s *server) run(path string) {
	s.t.Helper()
	s.cmd = s.command(path, "serve")
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		lines := bufio.NewReader(pipe)
		for {
			line, err := lines.ReadString('\n')
			s.mu.Lock()
			s.log.WriteString(line)
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		<-s.done
		if err := s.cmd.Wait(); err != nil {
			s.t.Errorf("gatehouse ended with %v\n%s", err, s.logged())
		}
		if s.t.Failed() {
			s.t.Logf("the log of %s:\n%s", s.url, tail(s.logged(), 6000))
		}
	})
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(s.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-s.done:
			s.t.Fatalf("gatehouse did not start:\n%s", s.logged())
		default:
		}
		if time.Since(begin) > 30*time.Second {
			s.t.Fatalf("gatehouse is not ready after 30 s: %v\n%s", err, s.logged())
		}
	}
}

// fillDemo fills the store with demo data, through the running server.
func (s *server) fillDemo() {
	s.t.Helper()
	path, _ := binary()
	out, err := s.command(path, "demo").CombinedOutput()
	s.t.Logf("demo: %s", out)
	if err != nil {
		s.t.Fatalf("demo: %v\n%s", err, out)
	}
}

// logged returns what the server wrote to its log.
func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

var linkPattern = regexp.MustCompile(`https?://[^\s"<>]+/verify/[^\s"<>]+`)

// mailedLink waits for the newest mail to an address and returns the path of
// its verification link.
func (s *server) mailedLink(address string) string {
	s.t.Helper()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(s.dir, "data", "outbox", "*.eml"))
		if err != nil {
			s.t.Fatal(err)
		}
		for i := len(files) - 1; i >= 0; i-- {
			content, err := os.ReadFile(files[i])
			if errors.Is(err, os.ErrNotExist) {
				continue
			} else if err != nil {
				s.t.Fatal(err)
			}
			text := strings.NewReplacer("=\r\n", "", "=3D", "=", "\r\n", "\n").Replace(string(content))
			if !strings.Contains(text, address) {
				continue
			}
			if link := linkPattern.FindString(text); link != "" {
				return strings.TrimPrefix(link, s.url)
			}
		}
	}
	s.t.Fatalf("no mail with a link came to %s", address)
	return ""
}

// caller is an integration: one keep-alive connection and a token.
type caller struct {
	t      *testing.T
	url    string
	secret string
	client *http.Client
	dials  int
}

func newCaller(t *testing.T, url, secret string) *caller {
	c := &caller{t: t, url: url, secret: secret}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := &http.Transport{MaxConnsPerHost: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c.dials++
		return dialer.DialContext(ctx, network, address)
	}}
	c.client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	return c
}

// call sends a request and returns the answer with its whole body.
func (c *caller) call(method, path, body string, headers ...string) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.secret != "" {
		req.Header.Set("Authorization", "Bearer "+c.secret)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.client.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, string(text)
}

// want calls and fails unless the answer has this status.
func (c *caller) want(status int, method, path, body string, headers ...string) string {
	c.t.Helper()
	resp, text := c.call(method, path, body, headers...)
	if resp.StatusCode != status {
		c.t.Fatalf("%s %s: got %d, want %d\n%s", method, path, resp.StatusCode, status, text)
	}
	return text
}
