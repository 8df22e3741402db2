package cmd_test

import (
	"encoding/json"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

func TestAdmin(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	ada, ben := s.signUp("ada@example.com", "Acme"), s.signUp("ben@example.com", "Globex")
	isAdmin := func(who *partner) bool {
		t.Helper()
		session, err := who.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return session.User.PlatformAdmin
	}
	isPlatform := func(who *partner) bool {
		t.Helper()
		team, _, err := who.Team(t.Context(), who.team)
		if err != nil {
			t.Fatal(err)
		}
		return team.Platform
	}

	// Through the server, because it owns the file.
	contains(t, "grant", p.must(t, "admin", "grant", "Ada@Example.com"), "is a platform admin")
	if !isAdmin(ada) || isAdmin(ben) {
		t.Errorf("got admins ada %v, ben %v, want true, false", isAdmin(ada), isAdmin(ben))
	}
	contains(t, "platform-team", p.must(t, "admin", "platform-team", "Acme"), "Acme (tea_", "is the platform team")
	if !isPlatform(ada) || isPlatform(ben) {
		t.Error("Acme is not the platform team")
	}
	contains(t, "prune", p.must(t, "prune"), "removed")
	contains(t, "migrate", p.must(t, "migrate"), "open in a server")
	for _, wrong := range [][]string{{"admin", "grant", "nobody@example.com"}, {"admin", "platform-team", "Nobody"}} {
		status, out, errs := p.run(t, wrong...)
		if status != 1 || out != "" {
			t.Errorf("%v: got status %d and %q, want 1 and nothing", wrong, status, out)
		}
		contains(t, "the error", errs, "gatehouse: ", "obody")
	}

	// Without the server, which the commands notice also when it was killed.
	s.kill()
	if _, err := os.Lstat(p.path("data/gatehouse.db.sock")); err != nil {
		t.Fatalf("a killed server leaves its socket: got %v", err)
	}
	contains(t, "platform-team", p.must(t, "admin", "platform-team", ben.team), "Globex ("+ben.team+")")
	contains(t, "grant", p.must(t, "admin", "grant", "ben@example.com"), "is a platform admin")
	contains(t, "migrate", p.must(t, "migrate"), "at the version of this program")
	s = p.serve(t)
	ada, ben = s.signIn("ada@example.com"), s.signIn("ben@example.com")
	if !isAdmin(ben) || !isPlatform(ben) || isPlatform(ada) {
		t.Error("what was done without a server is not there")
	}
	contains(t, "the platform's acts", ada.export(), "team.made_platform")
}

func TestSocketTakesOnlyWhatItKnows(t *testing.T) {
	p := newPlace(t)
	p.serve(t)
	for name, request := range map[string]string{
		"an unknown operation": "POST /drop-everything HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
		"a body that is none":  "POST /admin-grant HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope",
		"too few arguments":    "POST /admin-grant HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
		"a GET":                "GET /prune HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	} {
		c, err := net.Dial("unix", p.path("data/gatehouse.db.sock"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		c.Close()
		got := string(b[:n])
		if strings.HasPrefix(got, "HTTP/1.1 200") && !strings.Contains(got, `"failed"`) || strings.HasPrefix(got, "HTTP/1.1 5") || n == 0 {
			t.Errorf("%s: got %q, want a refusal", name, got)
		}
	}
	p.must(t, "prune") // the server is well
}

// A backup is made while the database is served, and serves with its key file.
func TestBackup(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	issued := ada.issue("ERP")
	contains(t, "backup", p.must(t, "backup", "copy.db"), "Copied the database to "+p.path("copy.db"), "the key file ./data/keys too")
	if got := mode(t, p.path("copy.db")); got != 0o600 {
		t.Errorf("got mode %v, want 0600", got)
	}
	later := ada.issue("made after the backup")
	status, _, errs := p.run(t, "backup", "copy.db")
	if status != 1 {
		t.Errorf("a second one of the same name: got status %d, want 1", status)
	}
	contains(t, "a second one of the same name", errs, "is there already")
	s.stop()
	contains(t, "backup without a server", p.must(t, "backup", "again.db"), "Copied the database")

	p.environ = append(p.environ, "GATEHOUSE_DATABASE=sqlite:copy.db")
	p.serve(t).signIn("ada@example.com")
	wantStatus(t, "a token of the backup", p.url, issued.Secret, 200)
	wantStatus(t, "a token that was made later", p.url, later.Secret, 401)
}

func TestKeysInit(t *testing.T) {
	p := newPlace(t, "KEYS=secrets/keys")
	contains(t, "init", p.must(t, "keys", "init"), "Made secrets/keys", "Keep a copy")
	if file, dir := mode(t, p.path("secrets/keys")), mode(t, p.path("secrets")); file != 0o600 || dir != 0o700 {
		t.Errorf("got modes %v in %v, want 0600 in 0700", file, dir)
	}
	before, err := os.ReadFile(p.path("secrets/keys"))
	if err != nil {
		t.Fatal(err)
	}
	status, _, errs := p.run(t, "keys", "init")
	after, err := os.ReadFile(p.path("secrets/keys"))
	if status != 1 || err != nil || string(after) != string(before) {
		t.Errorf("a second init: got status %d (%v), want 1 and the file as it was", status, err)
	}
	contains(t, "the error", errs, "exists and is left as it is")
}

// keepNewest takes every pepper but the newest out of the key file.
func keepNewest(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	file["peppers"] = file["peppers"].([]any)[:1]
	if text, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKeysRotate(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	used, unused := ada.issue("used"), ada.issue("unused")
	wantStatus(t, "before", p.url, used.Secret, 200)

	contains(t, "rotate", p.must(t, "keys", "rotate"), "Added the pepper k2-", "The running server has it")
	wantStatus(t, "an old token after the rotation", p.url, used.Secret, 200)
	made := ada.issue("made with the new pepper")
	wantStatus(t, "a new token", p.url, made.Secret, 200)
	s.stop()

	// Without the old pepper only what is hashed with the new one is known.
	keepNewest(t, p.path("data/keys"))
	s = p.serve(t)
	wantStatus(t, "a token that was used after the rotation", p.url, used.Secret, 200)
	wantStatus(t, "a token made after the rotation", p.url, made.Secret, 200)
	wantStatus(t, "a token that was not used after it: closed, but not called invalid", p.url, unused.Secret, 503)
	s.stop()

	contains(t, "rotate without a server", p.must(t, "keys", "rotate"), "Added the pepper k2-", "re-keyed at their next use")
	contains(t, "rotate with notice", p.must(t, "keys", "rotate", "--active-in", "1h"), "Added the pepper k3-", "accepted from now on, and used from ")
	p.serve(t)
	wantStatus(t, "after a rotation without a server", p.url, used.Secret, 200)
	contains(t, "check", p.must(t, "check"), "has 3 peppers; in use is k2-", ", and k3-")
	if status, _, errs := p.run(t, "keys", "rotate", "--active-in", "-1s"); status != 2 {
		t.Errorf("a notice that is over: got status %d and %q, want 2", status, errs)
	}
}

func TestKeyFileIsWatched(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	keys, err := os.ReadFile(p.path("data/keys"))
	if err != nil {
		t.Fatal(err)
	}
	other := newPlace(t)
	if err := os.Mkdir(other.path("data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other.path("data/keys"), keys, 0o600); err != nil {
		t.Fatal(err)
	}
	other.must(t, "keys", "rotate")
	if err := os.Rename(other.path("data/keys"), p.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new key file is loaded", 10*time.Second, func() bool {
		return strings.Contains(s.logged(), "key file loaded again")
	})
	if err := os.WriteFile(p.path("data/keys"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a damaged key file is reported", 10*time.Second, func() bool {
		return strings.Contains(s.logged(), "the keys stay as they are")
	})
	ada := s.signUp("ada@example.com", "Acme")
	issued := ada.issue("ERP")
	foreign := newPlace(t)
	foreign.must(t, "keys", "init")
	if err := os.Rename(foreign.path("data/keys"), p.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a foreign key file is reported", 10*time.Second, func() bool {
		return strings.Contains(s.logged(), "is not the one in use")
	})
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "and again on SIGHUP", 10*time.Second, func() bool {
		return strings.Count(s.logged(), "is not the one in use") > 1
	})
	wantStatus(t, "a token beside a foreign key file", p.url, issued.Secret, 200)
	if _, err := ada.Session(t.Context()); err != nil {
		t.Errorf("a session beside a foreign key file: %v", err)
	}

	// The server still has the keys, and gives them back.
	if err := os.Remove(p.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	contains(t, "save", p.must(t, "keys", "save", "data/keys"), "Wrote the keys of the running server")
	s.stop()
	status, _, errs := p.run(t, "keys", "save", "elsewhere")
	if status != 1 {
		t.Errorf("without a server: got status %d, want 1", status)
	}
	contains(t, "without a server", errs, "nobody has the keys in memory")
	s = p.serve(t)
	wantStatus(t, "a token after the rescue", p.url, issued.Secret, 200)
	wantStatus(t, "the server goes on", p.url, "gtk_live_x", 401)
}

func TestAuditVerify(t *testing.T) {
	p := newPlace(t)
	s := p.serve(t)
	ada := s.signUp("ada@example.com", "Acme")
	ada.issue("ERP")
	ada.issue("CRM")
	ada.issue("BI")
	export := ada.export()
	s.stop()

	events := strings.SplitAfter(strings.TrimSuffix(export, "\n"), "\n")
	if len(events) != 4 {
		t.Fatalf("got %d events, want 4 (team and three tokens):\n%s", len(events), export)
	}
	list := "[" + strings.Join(events, ",") + "]"
	newestFirst := `{"data":[` + strings.Join([]string{events[3], events[2], events[1], events[0]}, ",") + `],"next_cursor":null}`
	var third audit.Event
	if err := json.Unmarshal([]byte(events[2]), &third); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text string
		from       string
		status     int
		want       string
	}{
		{"an export", export, "1", 0, "Verified 4 events of " + ada.team + ": 1 to 4, unbroken."},
		{"what an export proves", export, "1", 0, "Compare 4 and the hash with what you kept elsewhere"},
		{"a JSON list", list, "1", 0, "Verified 4 events"},
		{"a page of the API", newestFirst, "1", 0, "Verified 4 events"},
		{"a pruned chain", events[2] + events[3], "3", 0, "Verified 2 events of " + ada.team + ": 3 to 4"},
		{"a pruned chain without saying so", events[2] + events[3], "1", 1, "give --from 3"},
		{"a changed text", strings.Replace(export, `"CRM"`, `"CRN"`, 1), "1", 1, "event 3 of " + ada.team + ": its content does not match its hash; the events 1 to 2 before it hold"},
		{"a changed hash", strings.Replace(export, third.Hash, strings.Repeat("0", 64), 1), "1", 1, "event 3"},
		{"one left out", events[0] + events[1] + events[3], "1", 1, "event 3 was expected"},
		{"two in the wrong order", events[0] + events[2] + events[1] + events[3], "1", 1, "event 2 was expected"},
		{"another chain", strings.Replace(export, ada.team, "tea_other", 1), "1", 1, "broken"},
		{"cut in the middle of an event", export[:len(export)-40], "1", 1, "cannot be read at its event 4"},
		{"a field that is not hashed", strings.Replace(export, "{", `{"summary":"Nothing happened.",`, 1), "1", 1, `"summary"`},
		{"a field twice", strings.Replace(export, "{", `{"actor":"usr_eve",`, 1), "1", 1, `"actor" twice`},
		{"nothing", "", "1", 1, "there is no event"},
		{"no events", "hello", "1", 1, "cannot be read"},
		{"other JSON", `{"data":{}}`, "1", 1, "format version 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := p.runWith(t, strings.NewReader(tt.text), "audit", "verify", "-", "--from", tt.from)
			if status != tt.status {
				t.Errorf("got status %d, want %d", status, tt.status)
			}
			contains(t, "output", out+errs, tt.want)
			if err := os.WriteFile(p.path("export"), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if again, _, _ := p.run(t, "audit", "verify", "export", "--from", tt.from); again != tt.status {
				t.Errorf("from a file: got status %d, want %d", again, tt.status)
			}
		})
	}
	if status, _, errs := p.run(t, "audit", "verify", "absent"); status != 1 || !strings.Contains(errs, "absent") {
		t.Errorf("an absent file: got status %d and %q, want 1 and its name", status, errs)
	}
}

func TestCheck(t *testing.T) {
	p := newPlace(t)
	out := p.must(t, "check")
	contains(t, "before the first start", out, "keys       ./data/keys is made at the first start", "gatehouse.db is made at the first start",
		"catalogue  the embedded example has 6 abilities", "mails stay in ./data/outbox", "is free")
	if entries, err := os.ReadDir(p.dir); err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v in the directory, want that a check makes nothing", entries, err)
	}
	s := p.serve(t)
	contains(t, "while it is served", p.must(t, "check"), "is open in a running server, which says that it is ready", "has 1 pepper;")
	s.stop()
	contains(t, "afterwards", p.must(t, "check"), "opens and is at the version")

	if err := os.WriteFile(p.path("wrong.yaml"), []byte("version: 1\nabilities:\n  - name: orders read\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.path("data/keys"), 0o640); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p.environ = append(p.environ, "GATEHOUSE_CATALOGUE=wrong.yaml", "GATEHOUSE_LISTEN="+l.Addr().String(),
		"GATEHOUSE_MAIL=smtp://127.0.0.1:"+closedPort(t)+"?tls=none")
	status, out, _ := p.run(t, "check")
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	contains(t, "with mistakes", out, "FAILED  keys", "FAILED  catalogue  wrong.yaml, line 3", "FAILED  mail", "FAILED  listen", "ok      database")

	p.environ = append(p.environ, "GATEHOUSE_PUBLIC_URL=http://example.com", "GATEHOUSE_TRUSTED_PROXY=10.0.0.1")
	p.environ = append(p.environ, "GATEHOUSE_METRICS_LISTEN=192.0.2.1:1")
	_, out, _ = p.run(t, "check")
	contains(t, "with wrong settings, everything at once", out, "GATEHOUSE_PUBLIC_URL is http://example.com",
		"Did you mean GATEHOUSE_TRUSTED_PROXIES?", "wrong.yaml, line 3", "FAILED  keys", "FAILED  mail", "ok      database",
		"GATEHOUSE_LISTEN is "+l.Addr().String()+": another process", "GATEHOUSE_METRICS_LISTEN is 192.0.2.1:1: this machine does not have")
}

// closedPort is a port where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
