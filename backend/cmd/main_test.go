package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the real program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gatehouse-cmd-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "gatehouse")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/gatehouse-portal/gatehouse/backend").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// place is a working directory with settings, as an operator has it.
type place struct {
	dir     string
	url     string
	environ []string // beyond PATH
}

// newPlace is empty, with a free port. Settings come as NAME=value without the
// prefix and override.
func newPlace(t *testing.T, settings ...string) *place {
	t.Helper()
	return placeIn(t, t.TempDir(), settings...)
}

// placeIn is another node's view of a directory.
func placeIn(t *testing.T, dir string, settings ...string) *place {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	p := &place{dir: dir, url: fmt.Sprintf("http://localhost:%d", port)}
	p.environ = []string{"PATH=" + os.Getenv("PATH"), "GATEHOUSE_PUBLIC_URL=" + p.url, fmt.Sprintf("GATEHOUSE_LISTEN=127.0.0.1:%d", port)}
	for _, s := range settings {
		p.environ = append(p.environ, "GATEHOUSE_"+s)
	}
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) command(arguments ...string) *exec.Cmd {
	c := exec.Command(binary, arguments...)
	c.Dir, c.Env = p.dir, p.environ
	c.SysProcAttr = child()
	return c
}

// run runs a command to its end.
func (p *place) run(t *testing.T, arguments ...string) (status int, out, errors string) {
	t.Helper()
	return p.runWith(t, nil, arguments...)
}

func (p *place) runWith(t *testing.T, in io.Reader, arguments ...string) (status int, out, errs string) {
	t.Helper()
	c := p.command(arguments...)
	var o, e bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = in, &o, &e
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), o.String(), e.String()
}

// must runs a command that has to succeed and returns what it prints.
func (p *place) must(t *testing.T, arguments ...string) string {
	t.Helper()
	status, out, errs := p.run(t, arguments...)
	if status != 0 {
		t.Fatalf("gatehouse %s: got status %d, want 0\n%s%s", strings.Join(arguments, " "), status, out, errs)
	}
	return out
}

// process is a server that runs.
type process struct {
	*place
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	out, log printed
}

// printed is what a process has printed so far.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func (p *process) logged() string { return p.log.String() }

// launch starts a server and does not wait for it. It ends with the test.
func (p *place) launch(t *testing.T, arguments ...string) *process {
	t.Helper()
	s := &process{place: p, t: t, cmd: p.command(arguments...), done: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.kill)
	return s
}

// serve starts a server and returns when it is ready. It ends with the test.
func (p *place) serve(t *testing.T, arguments ...string) *process {
	t.Helper()
	s := p.launch(t, arguments...)
	for ends := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(p.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK && strings.Contains(s.logged(), "serving") { // which it says a moment later
				return s
			}
		}
		select {
		case <-s.done:
			t.Fatalf("the server ended at its start:\n%s", s.logged())
		default:
		}
		if time.Now().After(ends) {
			t.Fatalf("the server is not ready after 30 s:\n%s", s.logged())
		}
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop tells the server to stop and returns how long that took.
func (p *process) stop() time.Duration {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.t.Fatalf("the server does not stop:\n%s", p.logged())
	}
	if status := p.cmd.ProcessState.ExitCode(); status != 0 {
		p.t.Errorf("got status %d of a server that was stopped, want 0\n%s", status, p.logged())
	}
	return time.Since(began)
}

// lines reads a log of JSON lines; anything else in it fails the test.
func lines(t *testing.T, log string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(log) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("the log has a line that is no JSON: %q", line)
		}
		list = append(list, l)
	}
	return list
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: got %q, want %q in it", what, text, part)
		}
	}
}

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, within)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
