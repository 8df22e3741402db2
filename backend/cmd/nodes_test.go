package cmd_test

import (
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// onMongo is a place with a fresh database and a key file.
func onMongo(t *testing.T) *place {
	t.Helper()
	p := newPlace(t, "DATABASE="+mongotest.Start(t))
	p.must(t, "keys", "init")
	return p
}

func TestMongoDemandsKeys(t *testing.T) {
	p := newPlace(t, "DATABASE="+mongotest.Start(t))
	for _, command := range []string{"serve", "check", "prune"} {
		status, out, errs := p.run(t, command)
		if status != 1 {
			t.Errorf("%s: got status %d, want 1", command, status)
		}
		contains(t, command, out+errs, "gatehouse keys init", "all nodes")
	}
	if _, err := os.Stat(p.path("data")); !os.IsNotExist(err) {
		t.Errorf("got %v, want nothing made", err)
	}
}

func TestMongoRefusesAStandalone(t *testing.T) {
	p := newPlace(t, "DATABASE="+mongotest.StartStandalone(t))
	p.must(t, "keys", "init")
	status, _, errs := p.run(t)
	if status != 1 || len(lines(t, errs)) != 1 {
		t.Errorf("got status %d and %s, want 1 and a sentence", status, errs)
	}
	contains(t, "the log", errs, "replica set")
}

// Two nodes share a database: what one revokes, the other refuses at the next
// request, on a connection that was open all along.
func TestTwoNodes(t *testing.T) {
	p := onMongo(t)
	contains(t, "check before the first start", p.must(t, "check"), "a start brings it from schema version 0 to ")
	a := p.serve(t)
	b := placeIn(t, p.dir, strings.TrimPrefix(p.environ[3], "GATEHOUSE_")).serve(t)
	contains(t, "node a", a.logged(), `"store":"mongodb"`)
	ada := a.signUp("ada@example.com", "Acme")
	issued := ada.issue("ERP")

	kept := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	ask := func() (status int, reused bool) {
		t.Helper()
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
		status, _, err := call(ctx, kept, b.url, issued.Secret)
		if err != nil {
			t.Fatal(err)
		}
		return status, reused
	}
	if status, _ := ask(); status != http.StatusOK {
		t.Fatalf("node b before: got %d, want 200", status)
	}
	if _, err := ada.SuspendToken(t.Context(), ada.team, issued.Token.ID, api.Reason{}); err != nil {
		t.Fatal(err)
	}
	if status, reused := ask(); status != http.StatusUnauthorized || !reused {
		t.Errorf("node b after a suspends: got %d (same connection: %v), want 401 on the same", status, reused)
	}
	if _, err := ada.ResumeToken(t.Context(), ada.team, issued.Token.ID, api.Reason{}); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(); status != http.StatusOK {
		t.Errorf("node b after a resumes: got %d, want 200", status)
	}
	for range 50 { // with traffic under way on b
		ask()
	}
	if _, err := ada.RevokeToken(t.Context(), ada.team, issued.Token.ID, api.Reason{Reason: "compromised"}); err != nil {
		t.Fatal(err)
	}
	if status, reused := ask(); status != http.StatusUnauthorized || !reused {
		t.Errorf("node b after a revokes: got %d (same connection: %v), want 401 on the same", status, reused)
	}

	// Both nodes learn of a new pepper at once.
	other := ada.issue("CRM")
	wantStatus(t, "before the rotation", b.url, other.Secret, http.StatusOK)
	contains(t, "rotate", p.must(t, "keys", "rotate"), "on this machine that have loaded it: 2", "by then every node needs this file")
	contains(t, "node b", b.logged(), `"key_id":"k1-`, `"next_key_id":"k2-`)
	for range 3 {
		wantStatus(t, "on a", a.url, other.Secret, http.StatusOK)
		wantStatus(t, "on b", b.url, other.Secret, http.StatusOK)
	}
	// Killed in the middle of storing its calls it would leave a transaction behind,
	// which holds up the calls of node a until the server ends it.
	time.Sleep(time.Second)
	b.kill()
	contains(t, "rotate again", p.must(t, "keys", "rotate"), "on this machine that have loaded it: 1")
	if left, err := filepath.Glob(p.path("data/keys.*.sock")); err != nil || len(left) != 1 {
		t.Errorf("got the sockets %v, %v, want that of the living node", left, err)
	}
	// An operator's command works beside running nodes.
	contains(t, "grant", p.must(t, "admin", "grant", "ada@example.com"), "is a platform admin")
	contains(t, "check", p.must(t, "check"), "MongoDB is a replica set")
	if took := a.stop(); took > 10*time.Second {
		t.Errorf("got %v to stop, want at most 10 s", took)
	}
}

// A server with its default settings, which are not the best for more than one
// node.
func TestMongoSettingsAreToldAbout(t *testing.T) {
	p := newPlace(t, "DATABASE="+mongotest.WithDatabase(mongotest.StartReplicaSet(t, 1).URI, "gatehouse"))
	p.must(t, "keys", "init")
	s := p.serve(t)
	const mend = "--setParameter transactionLifetimeLimitSeconds=5"
	eventually(t, "the log tells", 5*time.Second, func() bool {
		return strings.Contains(s.logged(), `"level":"WARN","msg":"the MongoDB server keeps a transaction`) && strings.Contains(s.logged(), mend)
	})
	contains(t, "check", p.must(t, "check"), "note    database", mend)
}

func TestMongoKeepsToItsKeys(t *testing.T) {
	p := onMongo(t)
	s := p.serve(t)
	other := newPlace(t, strings.TrimPrefix(p.environ[3], "GATEHOUSE_"))
	status, _, errs := other.run(t, "keys", "init")
	if status != 1 {
		t.Errorf("new keys for a database with data: got status %d, want 1", status)
	}
	contains(t, "keys init", errs, "has data already", "the key file of a running node")
	// Made without asking the database, as for another one.
	elsewhere := newPlace(t)
	elsewhere.must(t, "keys", "init")
	if err := os.MkdirAll(other.path("data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(elsewhere.path("data/keys"), other.path("data/keys")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "check"} {
		status, out, errs := other.run(t, command)
		if status != 1 {
			t.Errorf("%s: got status %d, want 1", command, status)
		}
		contains(t, command, out+errs, "the key file ./data/keys does not belong to this database")
	}
	s.stop()
}

// In a container the key file may only be read, so there is no socket beside it.
func TestCheckBesideAServerWithoutASocket(t *testing.T) {
	p := onMongo(t)
	p.environ = append(p.environ, "GATEHOUSE_METRICS_LISTEN=127.0.0.1:"+closedPort(t))
	p.serve(t)
	keys, err := os.ReadFile(p.path("data/keys"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path("copy"), keys, 0o600); err != nil {
		t.Fatal(err)
	}
	p.environ = append(p.environ, "GATEHOUSE_KEYS=copy")
	out := p.must(t, "check")
	if n := strings.Count(out, "a running server of these settings listens at "); n != 2 {
		t.Errorf("got %s, want both listeners explained", out)
	}
	p.environ = append(p.environ, "GATEHOUSE_PUBLIC_URL=http://other.localhost")
	status, out, _ := p.run(t, "check")
	if status != 1 {
		t.Errorf("beside a server of others: got status %d, want 1", status)
	}
	contains(t, "beside a server of others", out, "another process listens there")
}

func TestMongoDrainsUnderLoad(t *testing.T) { drainsUnderLoad(t, onMongo(t)) }

func TestMongoDemo(t *testing.T) {
	p := onMongo(t)
	began := time.Now()
	contains(t, "the demo", p.must(t, "demo"), "Filled the store")
	t.Logf("filled in %v", time.Since(began))
	contains(t, "the second demo", p.must(t, "demo"), "nothing was changed")
	checkDemo(t, p.serve(t))
}
