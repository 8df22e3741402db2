package mongo

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/testskip"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// ownSet starts servers that a test may stop.
func ownSet(t *testing.T, members int) *mongotest.Set {
	t.Helper()
	if testing.Short() {
		t.Skip("stopping and starting servers is too slow for a short run")
	}
	if os.Getenv(mongotest.URI) != "" {
		testskip.Because(t, "a server was given, so none is started that may be stopped.")
	}
	return mongotest.StartReplicaSet(t, members)
}

// issue makes a token and its event in one transaction.
func issue(ctx context.Context, s *Store, team, owner string) (id string, err error) {
	tok := newToken(team, owner)
	return tok.ID, s.Atomically(ctx, func(ctx context.Context) error {
		if err := s.InsertToken(ctx, tok); err != nil {
			return err
		}
		_, err := s.Append(ctx, audit.Event{Chain: team, At: testTime, Actor: owner, Action: "token.created", Target: tok.ID})
		return err
	})
}

// eachTokenHasItsEvent checks that the tokens of a team and its events are the
// same, and that those that were answered are among them.
func eachTokenHasItsEvent(t *testing.T, s *Store, team string, answered []string) {
	t.Helper()
	cursor, err := s.tokens.Find(t.Context(), bson.D{{Key: "team", Value: team}})
	if err != nil {
		t.Fatal(err)
	}
	var docs []tokenDoc
	if err := cursor.All(t.Context(), &docs); err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for _, d := range docs {
		tokens = append(tokens, d.ID)
	}
	events := verifyChain(t, s, team)
	slices.Sort(tokens)
	slices.Sort(events)
	if !slices.Equal(tokens, events) {
		t.Errorf("got %d tokens and %d events, want them to be the same", len(tokens), len(events))
	}
	for _, id := range answered {
		if _, found := slices.BinarySearch(tokens, id); !found {
			t.Errorf("token %s was answered and is lost", id)
		}
	}
}

// writers issue tokens until stop is called, and return those that were
// answered. Failures are counted, and must say that storage is unavailable.
func writers(t *testing.T, s *Store, n int, team, owner string) (stop func() (answered []string, failed int64)) {
	t.Helper()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		ids    []string
		failed atomic.Int64
		end    = make(chan struct{})
	)
	for range n {
		wg.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				id, err := issue(context.Background(), s, team, owner)
				if err != nil {
					failed.Add(1)
					if !errors.Is(err, portal.ErrUnavailable) {
						t.Errorf("got %v, want that it is unavailable", err)
					}
					continue
				}
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		})
	}
	return func() ([]string, int64) {
		close(end)
		wg.Wait()
		return ids, failed.Load()
	}
}

// calls are one of each kind of call.
func calls(s *Store, team, owner string) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"TokenRecords": func(ctx context.Context) error { _, err := s.TokenRecords(ctx, []string{"a", "b"}); return err },
		"Team":         func(ctx context.Context) error { _, err := s.Team(ctx, team); return err },
		"Hit":          func(ctx context.Context) error { _, _, err := s.Hit(ctx, "key", 1, time.Minute, testTime); return err },
		"Atomically":   func(ctx context.Context) error { _, err := issue(ctx, s, team, owner); return err },
		"RecordCalls": func(ctx context.Context) error {
			return s.RecordCalls(ctx, portal.CallBatch{Calls: []portal.Call{{ID: newID("call"), Team: team, At: testTime}}})
		},
		"Ready": s.Ready,
	}
}

// A server that hangs keeps its connections open: only deadlines help.
func TestFrozenServer(t *testing.T) {
	set := ownSet(t, 1)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"), WithDeadline(1500*time.Millisecond))
	team, owner := storeTeam(t, s)
	thaw := freeze(t, s)
	var wg sync.WaitGroup
	for name, call := range calls(s, team, owner) {
		for _, tt := range []struct {
			name   string
			within time.Duration // of the caller, or 0 for none
		}{{"the caller's deadline", 700 * time.Millisecond}, {"the store's deadline", 0}} {
			for range 4 {
				wg.Go(func() {
					ctx, most := context.Background(), 1500*time.Millisecond
					if tt.within > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, tt.within)
						defer cancel()
						most = tt.within
					}
					began := time.Now()
					err := call(ctx)
					if took := time.Since(began); took > most+500*time.Millisecond {
						t.Errorf("%s, %s: it took %v, want %v kept", name, tt.name, took, most)
					}
					if !errors.Is(err, portal.ErrUnavailable) {
						t.Errorf("%s, %s: got %v, want that it is unavailable", name, tt.name, err)
					}
				})
			}
		}
	}
	wg.Wait()
	thaw()
	worksAgain(t, s, team, owner, 10*time.Second)
}

func worksAgain(t *testing.T, s *Store, team, owner string, within time.Duration) {
	t.Helper()
	for name, call := range calls(s, team, owner) {
		for ends := time.Now().Add(within); ; {
			err := call(t.Context())
			if err == nil {
				break
			}
			if time.Now().After(ends) {
				t.Errorf("%s: %v after the server came back: %v", name, within, err)
				break
			}
		}
	}
}

// A caller that gives up is told so, also while the server hangs.
func TestCancelledWhileFrozen(t *testing.T) {
	set := ownSet(t, 1)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"))
	team, owner := storeTeam(t, s)
	freeze(t, s)
	for name, call := range calls(s, team, owner) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		began := time.Now()
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: it took %v to give up, want about 100ms", name, took)
		}
	}
}

func TestShortOutageIsWaitedOut(t *testing.T) {
	set := ownSet(t, 1)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"))
	team, owner := storeTeam(t, s)
	set.Kill(0)
	var wg sync.WaitGroup
	for name, call := range calls(s, team, owner) {
		wg.Go(func() {
			if err := call(t.Context()); err != nil {
				t.Errorf("%s: got %v, want that the outage is waited out", name, err)
			}
		})
	}
	time.Sleep(300 * time.Millisecond) // the calls meet the outage first
	set.Restart(t, 0)
	wg.Wait()
}

func TestLongOutageFails(t *testing.T) {
	set := ownSet(t, 1)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"), WithDeadline(time.Second))
	team, owner := storeTeam(t, s)
	set.Kill(0)
	var wg sync.WaitGroup
	for name, call := range calls(s, team, owner) {
		wg.Go(func() {
			began := time.Now()
			if err := call(t.Context()); !errors.Is(err, portal.ErrUnavailable) {
				t.Errorf("%s: got %v, want that it is unavailable", name, err)
			}
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("%s: it took %v, want about a second", name, took)
			}
		})
	}
	wg.Wait()
	if s.FailedWrites() == 0 {
		t.Error("no write that failed was counted")
	}
	set.Restart(t, 0)
	worksAgain(t, s, team, owner, 20*time.Second)
}

// What was answered is there after a power cut, and no change is without its
// event.
func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	set := ownSet(t, 1)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"))
	team, owner := storeTeam(t, s)
	stop := writers(t, s, 8, team, owner)
	sent := recordUntil(t, s, team)
	for range 3 {
		time.Sleep(500 * time.Millisecond)
		set.Kill(0)
		set.Restart(t, 0)
		set.Primary(t)
	}
	time.Sleep(500 * time.Millisecond)
	answered, failed := stop()
	t.Logf("%d tokens answered, %d calls failed", len(answered), failed)
	if len(answered) == 0 {
		t.Error("nothing was written at all")
	}
	eachTokenHasItsEvent(t, s, team, answered)
	sumsAre(t, s, team, sent())
}

// recordUntil records batches of ten calls, each until it is stored, until the
// returned function is called, which returns how many calls there were.
func recordUntil(t *testing.T, s *Store, team string) (stop func() int64) {
	end, done := make(chan struct{}), make(chan int64)
	go func() {
		var sent int64
		defer func() { done <- sent }()
		for {
			select {
			case <-end:
				return
			default:
			}
			var b portal.CallBatch
			for range 10 {
				b.Calls = append(b.Calls, portal.Call{ID: newID("call"), Team: team, At: testTime, Token: "tok", Route: "/api/v1/orders"})
			}
			b.Rollups = []portal.Rollup{{Team: team, Step: portal.Hour, At: testTime.Truncate(time.Hour), Token: "tok", Route: "GET /", Calls: 10}}
			for try := 0; ; try++ {
				err := s.RecordCalls(context.Background(), b)
				if err == nil {
					break
				}
				if try == 20 {
					t.Errorf("calls could not be recorded: %v", err)
					return
				}
			}
			sent += 10
		}
	}()
	return func() int64 { close(end); return <-done }
}

// countCalls counts the calls in a team's blocks.
func countCalls(t testing.TB, s *Store, team string) (n int64) {
	t.Helper()
	blocks, err := all[blockDoc](t.Context(), s, s.calls, "block of call", bson.D{{Key: "team", Value: team}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		n += int64(b.Count)
	}
	return n
}

// sumsAre checks that calls were neither lost nor counted twice.
func sumsAre(t *testing.T, s *Store, team string, want int64) {
	t.Helper()
	if n := countCalls(t, s, team); n != want {
		t.Errorf("got %d calls, want %d", n, want)
	}
	sums, err := s.Rollups(t.Context(), portal.RollupFilter{Team: team, Step: portal.Hour})
	if err != nil || len(sums) != 1 || sums[0].Calls != want {
		t.Errorf("got sums %+v and %v, want one of %d", sums, err, want)
	}
}

// A planned change of the primary fails nothing.
func TestStepDownIsSurvived(t *testing.T) {
	set := ownSet(t, 3)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"), WithDeadline(30*time.Second))
	team, owner := storeTeam(t, s)
	stop := writers(t, s, 4, team, owner)
	sent := recordUntil(t, s, team)
	var hits atomic.Int64
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-end:
				return
			default:
			}
			if _, _, err := s.Hit(context.Background(), team, 1, time.Hour, testTime); err != nil {
				t.Errorf("a write of one document: %v", err)
				return
			}
			hits.Add(1)
		}
	}()
	for range 2 {
		time.Sleep(300 * time.Millisecond)
		before := set.Primary(t)
		command := bson.D{{Key: "replSetStepDown", Value: 20}, {Key: "secondaryCatchUpPeriodSecs", Value: 10}}
		if err := s.client.Database("admin").RunCommand(t.Context(), command).Err(); err != nil {
			t.Log("step down:", err) // the connection may close instead of an answer
		}
		for set.Primary(t) == before {
			time.Sleep(50 * time.Millisecond)
		}
	}
	time.Sleep(300 * time.Millisecond)
	close(end)
	<-done
	answered, failed := stop()
	if failed != 0 || len(answered) == 0 {
		t.Errorf("got %d failures and %d tokens, want none and some", failed, len(answered))
	}
	if count, _, err := s.Hit(t.Context(), team, 0, time.Hour, testTime); err != nil || count < hits.Load() {
		t.Errorf("got count %d and %v, want at least %d", count, err, hits.Load())
	}
	eachTokenHasItsEvent(t, s, team, answered)
	sumsAre(t, s, team, sent())
}

// A primary that dies takes nothing with it that was answered.
func TestKilledPrimaryIsReplaced(t *testing.T) {
	set := ownSet(t, 3)
	s := openAt(t, mongotest.WithDatabase(set.URI, "gatehouse"), WithDeadline(30*time.Second))
	team, owner := storeTeam(t, s)
	stop := writers(t, s, 4, team, owner)
	sent := recordUntil(t, s, team)
	for range 2 {
		time.Sleep(300 * time.Millisecond)
		dead := set.Primary(t)
		set.Kill(dead)
		set.Primary(t)
		time.Sleep(300 * time.Millisecond)
		set.Restart(t, dead)
	}
	answered, failed := stop()
	if failed != 0 || len(answered) == 0 {
		t.Errorf("got %d failures and %d tokens, want none and some", failed, len(answered))
	}
	eachTokenHasItsEvent(t, s, team, answered)
	sumsAre(t, s, team, sent())
	t.Logf("%d tokens answered", len(answered))
}
