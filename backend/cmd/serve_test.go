package cmd_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServeOnAnEmptyDirectory(t *testing.T) {
	p := newPlace(t, "METRICS_LISTEN=127.0.0.1:0")
	s := p.serve(t)
	for path, want := range map[string]os.FileMode{
		"data": 0o700, "data/gatehouse.db": 0o600, "data/gatehouse.db.sock": 0o600, "data/keys": 0o600, "data/outbox": 0o700,
	} {
		if got := mode(t, p.path(path)); got != want {
			t.Errorf("mode of %s: got %v, want %v", path, got, want)
		}
	}
	var last map[string]any
	for _, l := range lines(t, s.logged()) {
		if l["msg"] == "serving" {
			last = l
		}
	}
	if last["url"] != p.url || last["store"] != "sqlite:./data/gatehouse.db" {
		t.Errorf("got the log line %v, want one that says where it serves with what", last)
	}
	resp, err := http.Get(fmt.Sprintf("http://%s/metrics", last["metrics"]))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("metrics: got status %d, want 200", resp.StatusCode)
	}
	if resp, err = http.Get(fmt.Sprintf("http://%s/", last["metrics"])); err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil || !strings.Contains(string(page), `href="/metrics"`) {
		t.Errorf("the root of the metrics: got %q and %v, want a link", page, err)
	}
	if resp, err = http.Get(p.url + "/metrics"); err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode == http.StatusOK {
		t.Error("the metrics are on the public listener too")
	}
	s.stop()
	contains(t, "the log", s.logged(), `"msg":"request","request_id":"`, `"path":"/readyz","status":200`)
	if _, err := os.Lstat(p.path("data/gatehouse.db.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket after the end: got %v, want none", err)
	}
	p.serve(t) // and again, with what is there
}

func TestReady(t *testing.T) {
	p := newPlace(t)
	status, _, errs := p.run(t, "ready")
	if status != 1 {
		t.Errorf("without a server: got status %d, want 1", status)
	}
	contains(t, "without a server", errs, "no server answers at 127.0.0.1:", "connection refused")
	_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
	for _, host := range []string{"0.0.0.0", "", "127.0.0.1"} { // where an image listens
		p := placeIn(t, t.TempDir(), "LISTEN="+host+":"+port, "PUBLIC_URL="+p.url, "MAIL=smtp://127.0.0.1:1?tls=none")
		p.url = "http://localhost:" + port
		s := p.serve(t)
		contains(t, "with a server at "+host, p.must(t, "ready"), "is ready")
		s.stop()
	}
	mark := newPlace(t)
	s := mark.serve(t)
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	status, _, errs = mark.run(t, "ready")
	if status != 1 {
		t.Errorf("with a server that hangs: got status %d and %q, want 1", status, errs)
	}
}

func TestServeRefusesASecondProcess(t *testing.T) {
	p := newPlace(t)
	p.serve(t)
	status, _, errs := placeIn(t, p.dir).run(t, "serve")
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	log := lines(t, errs)
	if len(log) != 1 {
		t.Errorf("got %d log lines, want one sentence:\n%s", len(log), errs)
	}
	contains(t, "the log", errs, "the database ./data/gatehouse.db is in use by another process: stop that one first")
}

func TestServeRefusesATakenPort(t *testing.T) {
	p := newPlace(t)
	p.serve(t)
	other := newPlace(t, strings.TrimPrefix(p.environ[2], "GATEHOUSE_"))
	status, _, errs := other.run(t, "serve")
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	contains(t, "the log", errs, "GATEHOUSE_LISTEN is 127.0.0.1:", "another process listens there")
}

func TestServeRefusesADirectoryItCannotWrite(t *testing.T) {
	if os.Geteuid() == 0 {
		// Root may write anywhere but below a file.
		p := newPlace(t, "DATABASE=sqlite:file/gatehouse.db", "KEYS=keys")
		if err := os.WriteFile(p.path("file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		status, _, errs := p.run(t)
		if status != 1 || len(lines(t, errs)) > 2 {
			t.Errorf("got status %d and %s, want 1 and a sentence", status, errs)
		}
		contains(t, "the log", errs, "the folder of the database file/gatehouse.db cannot be made")
		return
	}
	p := newPlace(t, "DATABASE=sqlite:locked/gatehouse.db", "KEYS=keys")
	if err := os.Mkdir(p.path("locked"), 0o500); err != nil {
		t.Fatal(err)
	}
	status, _, errs := p.run(t)
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	contains(t, "the log", errs, "locked/gatehouse.db", "permission denied")
}

func TestServeReportsEveryMistakeAtOnce(t *testing.T) {
	p := newPlace(t, "LISTEN=8080", "PUBLIC_URL=http://portal.example.com", "DATABASE=postgres://u:hunter2hunter2@h/db",
		"MAIL=smtp://h?tls=maybe", "TRUSTED_PROXIES=10.0.0.0/8,everybody", "CATALOGUE=absent.yaml")
	for _, command := range [][]string{nil, {"serve"}, {"check"}} {
		status, out, errs := p.run(t, command...)
		if status != 1 {
			t.Errorf("%v: got status %d, want 1", command, status)
		}
		wants := []string{"GATEHOUSE_LISTEN is 8080", "http is refused", "GATEHOUSE_DATABASE", "GATEHOUSE_MAIL", "everybody"}
		if command == nil || command[0] == "serve" {
			wants = append(wants, "absent.yaml")
			if got := len(lines(t, errs)); got != len(wants) {
				t.Errorf("%v: got %d lines, want one for each of %d mistakes:\n%s", command, got, len(wants), errs)
			}
		}
		contains(t, fmt.Sprint(command), out+errs, wants...)
		if strings.Contains(out+errs, "hunter2") {
			t.Errorf("%v: the password of the database is in the output", command)
		}
	}
	if entries, err := os.ReadDir(p.dir); err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v in the directory, want nothing made", entries, err)
	}
}

func TestServeKeepsToItsKeys(t *testing.T) {
	p := newPlace(t)
	p.serve(t).stop()
	if err := os.Chmod(p.path("data/keys"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, errs := p.run(t)
	if status != 1 {
		t.Errorf("keys that others may read: got status %d, want 1", status)
	}
	contains(t, "the log", errs, "may be read by others than its owner (mode 0644)", "chmod 600")

	if err := os.Remove(p.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	status, _, errs = p.run(t)
	if status != 1 {
		t.Errorf("keys that are lost: got status %d, want 1", status)
	}
	contains(t, "the log", errs, "its key file ./data/keys is not", "put back a copy")
	status, _, errs = p.run(t, "keys", "init")
	if status != 1 {
		t.Errorf("new keys beside an old database: got status %d, want 1", status)
	}
	contains(t, "keys init", errs, "its key file ./data/keys is not", "put back a copy")
	if _, err := os.Stat(p.path("data/keys")); !os.IsNotExist(err) {
		t.Errorf("got %v, want no new key file beside an old database", err)
	}
}

func TestForeignKeysAreRefused(t *testing.T) {
	p := newPlace(t)
	p.serve(t).stop()
	if err := os.Rename(p.path("data/keys"), p.path("data/keys.good")); err != nil {
		t.Fatal(err)
	}
	other := newPlace(t)
	other.must(t, "keys", "init")
	if err := os.Rename(other.path("data/keys"), p.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "check", "prune"} {
		status, out, errs := p.run(t, command)
		if status != 1 {
			t.Errorf("%s: got status %d, want 1", command, status)
		}
		contains(t, command, out+errs, "the key file ./data/keys does not belong to this database", "put back the right one")
	}
	if err := os.Rename(p.path("data/keys.good"), p.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	p.serve(t)
}

func TestServeDrains(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	issued := ada.issue("ERP")

	// One request is under way: half of its body has been sent.
	body := `{"reference":"last","currency":"EUR","amount_minor":1,"lines":[]}`
	slow, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		issued.Secret, len(body), body[:20])
	idle, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	ready := func() int {
		fmt.Fprint(idle, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(idle), nil)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	if got := ready(); got != http.StatusOK {
		t.Fatalf("ready before: got %d, want 200", got)
	}
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "not ready any more", 900*time.Millisecond, func() bool { return ready() == http.StatusServiceUnavailable })

	time.Sleep(2 * time.Second) // beyond the notice: now only what is under way goes on
	fmt.Fprint(slow, body[20:])
	resp, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("the request under way: got %v, %v, want 201", resp, err)
	}
	slow.Close()
	<-s.done
	if took := time.Since(began); took > 10*time.Second || s.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("got status %d after %v, want 0 within 10 s\n%s", s.cmd.ProcessState.ExitCode(), took, s.logged())
	}

	again := p.serve(t).signIn("ada@example.com")
	if _, ok := again.calls()[resp.Header.Get("X-Request-Id")]; !ok {
		t.Error("the last call was answered and is not recorded")
	}
}

func TestServeDrainsUnderLoad(t *testing.T) { drainsUnderLoad(t, newPlace(t)) }

// drainsUnderLoad checks that a server that is stopped under load stores all that
// it answered.
func drainsUnderLoad(t *testing.T, p *place) {
	t.Helper()
	p.allowLoad(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	l := work(t, ada)
	l.busy(t)
	took := s.stop()
	l.clients.Wait()
	if took > 10*time.Second {
		t.Errorf("got %v to stop, want at most 10 s", took)
	}
	again := p.serve(t).signIn("ada@example.com")
	stored, missing := again.calls(), 0
	for id := range l.answered {
		if _, ok := stored[id]; !ok {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d calls that were answered are not recorded, want 0", missing, len(l.answered))
	}
	l.checkEvents(again)
	t.Logf("stopped in %v; %d calls and %d changes were answered, all are recorded", took, len(l.answered), len(l.receipts))
}

// A process that is killed under load loses at most the calls of its last half
// second, and no event.
func TestKilledUnderLoad(t *testing.T) {
	p := newPlace(t)
	p.allowLoad(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	l := work(t, ada)
	l.busy(t)
	killed := time.Now()
	s.kill()
	l.clients.Wait()

	again := p.serve(t).signIn("ada@example.com")
	stored, missing, oldest := again.calls(), 0, time.Duration(0)
	for id, at := range l.answered {
		if _, ok := stored[id]; !ok {
			missing++
			oldest = max(oldest, killed.Sub(at))
		}
	}
	if oldest > 500*time.Millisecond {
		t.Errorf("a call that was answered %v before the end is not recorded, want at most 500 ms", oldest)
	}
	l.checkEvents(again)
	t.Logf("%d of %d answered calls are missing, the oldest was answered %v before the end; all %d changes are recorded",
		missing, len(l.answered), oldest.Round(time.Millisecond), len(l.receipts))
}

func TestStopWhileStarting(t *testing.T) {
	p := newPlace(t)
	p.must(t, "keys", "init")
	p.environ = append(p.environ, "GATEHOUSE_DATABASE=mongodb://127.0.0.1:"+closedPort(t)+"/?replicaSet=rs0")
	s := p.launch(t)
	time.Sleep(time.Second) // it waits for the database and says nothing that could be awaited
	s.stop()
	contains(t, "the log", s.logged(), "told to stop before the start was over")
	if strings.Contains(s.logged(), "cannot be reached") {
		t.Errorf("got %s, want no complaint about the database", s.logged())
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	secret := ada.issue("ERP").Secret
	slow, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", secret)
	signal := func(sig syscall.Signal) {
		t.Helper()
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGTERM)
	eventually(t, "the signal is noticed", 5*time.Second, func() bool { return strings.Contains(s.logged(), `"msg":"stopping"`) })
	signal(syscall.SIGTERM) // as a supervisor may that signals the group and the process
	signal(syscall.SIGINT)  // which at no terminal is no more than that
	time.Sleep(1100 * time.Millisecond)
	select {
	case <-s.done:
		t.Fatalf("the request under way was not waited for:\n%s", s.logged())
	default:
	}
	began := time.Now()
	signal(syscall.SIGTERM)
	<-s.done
	if took := time.Since(began); took > 2*time.Second || s.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("got status %d after %v, want 1 at once", s.cmd.ProcessState.ExitCode(), took)
	}
}

func TestMisuse(t *testing.T) {
	p := newPlace(t)
	for _, arguments := range [][]string{
		{"srve"}, {"serve", "--port", "1"}, {"keys"}, {"admin", "grant"}, {"audit", "verify"}, {"audit", "verify", "x", "--from", "0"}, {"help", "nothing"},
	} {
		status, _, errs := p.run(t, arguments...)
		if status != 2 || errs == "" {
			t.Errorf("gatehouse %v: got status %d and %q, want 2 and why", arguments, status, errs)
		}
	}
	for _, arguments := range [][]string{{"help"}, {"--help"}} {
		contains(t, fmt.Sprint(arguments), p.must(t, arguments...), "serve", "audit verify", "GATEHOUSE_DATABASE  (sqlite:./data/gatehouse.db)", "Exit status")
	}
	contains(t, "help keys rotate", p.must(t, "help", "keys", "rotate"), "Add a pepper")
	contains(t, "version", p.must(t, "version"), "gatehouse ", "go1.")
	if entries, _ := filepath.Glob(p.path("*")); len(entries) != 0 {
		t.Errorf("got %v, want nothing made", entries)
	}
}
