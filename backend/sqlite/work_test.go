package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// A commit that the database refuses changes neither the file nor the records.
func TestRefusedCommitLeavesNothing(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	tok := newToken("tea_1", "usr_1", 1)
	err := s.Atomically(ctx, func(ctx context.Context) error {
		if err := s.InsertToken(ctx, tok); err != nil {
			return err
		}
		// Foreign keys are checked at the end.
		return s.SaveMember(ctx, portal.Member{Team: "tea_none", User: "usr_1", Role: portal.Owner})
	})
	if portal.KindOf(err) != portal.NotFound {
		t.Errorf("got error %v, want that the team is not found", err)
	}
	if got, err := s.Records().Record(ctx, tok.ID); got != nil || err != nil {
		t.Errorf("got record %+v %v, want none", got, err)
	}
	if _, err := s.Token(ctx, tok.Team, tok.ID); portal.KindOf(err) != portal.NotFound {
		t.Errorf("got error %v, want that the token is not found", err)
	}
}

// hold starts a transaction and returns when it has the connection.
func hold(t *testing.T, s *Store) (release func() error) {
	t.Helper()
	held, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.Atomically(context.Background(), func(ctx context.Context) error {
			close(held)
			<-let
			return s.InsertTeam(ctx, portal.Team{ID: "tea_held"})
		})
	}()
	<-held
	return sync.OnceValue(func() error { close(let); return <-done })
}

func TestCloseWaitsForTransactionAndRefusesTheLine(t *testing.T) {
	s := openNew(t)
	release := hold(t, s)
	waiting := make(chan error, 1)
	go func() {
		_, err := s.Team(context.Background(), "tea_1")
		waiting <- err
	}()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	for !s.closed.Load() {
		time.Sleep(time.Millisecond)
	}
	if _, err := s.Team(t.Context(), "tea_1"); !errors.Is(err, errClosed) {
		t.Errorf("got error %v, want %v", err, errClosed)
	}
	if _, err := s.Records().Record(t.Context(), "x"); !errors.Is(err, errClosed) {
		t.Errorf("records: got error %v, want %v", err, errClosed)
	}
	select {
	case err := <-closed:
		t.Fatalf("closed (%v) under a transaction", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := release(); err != nil {
		t.Errorf("the transaction under way: got error %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("close: got error %v", err)
	}
	if err := <-waiting; portal.KindOf(err) != portal.Busy && portal.KindOf(err) != portal.NotFound {
		t.Errorf("who waited in line: got error %v", err)
	}
	again := open(t, s.path)
	if _, err := again.Team(t.Context(), "tea_held"); err != nil {
		t.Errorf("what the transaction wrote: got error %v", err)
	}
}

func TestLineIsFairAndEndsWithTheContext(t *testing.T) {
	s := openNew(t)
	release := hold(t, s)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Team(short, "tea_1"); portal.KindOf(err) != portal.Busy || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that storage is unavailable and the deadline over", err)
	}
	gone, leave := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, leave)
	if _, err := s.Team(gone, "tea_1"); !errors.Is(err, context.Canceled) || portal.KindOf(err) != "" {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}

	var mu sync.Mutex
	var served []int
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			_ = s.read(context.Background(), func(*work) error {
				mu.Lock()
				defer mu.Unlock()
				served = append(served, i)
				return nil
			})
		})
		time.Sleep(2 * time.Millisecond) // one after the other into the line
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if !slices.IsSorted(served) {
		t.Errorf("got served in the order %v, want first come, first served", served)
	}
}

// A transaction that calls with a context from outside of it would wait for
// itself: it ends with the deadline.
func TestContextFromOutsideDoesNotHang(t *testing.T) {
	s := openNew(t)
	outside, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := s.Atomically(t.Context(), func(context.Context) error {
		return s.InsertTeam(outside, portal.Team{ID: "tea_1"})
	})
	if portal.KindOf(err) != portal.Busy {
		t.Errorf("got error %v, want that storage is unavailable", err)
	}
}

// A transaction may be used by several goroutines, as an errgroup does.
func TestOneTransactionManyGoroutines(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	err := s.Atomically(ctx, func(ctx context.Context) error {
		var all sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			all.Go(func() {
				errs[i] = s.InsertToken(ctx, newToken("tea_1", "usr_1", i))
				_, err := s.Tokens(ctx, portal.TokenFilter{Team: "tea_1", Limit: 101})
				errs[i] = errors.Join(errs[i], err)
			})
		}
		all.Wait()
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.LivingTokens(ctx, "tea_1", at0.Add(-time.Hour)); n != 16 || err != nil {
		t.Errorf("got %d tokens %v, want 16", n, err)
	}
}

// More texts of statements than are kept.
func TestStatementsAreBounded(t *testing.T) {
	s := openNew(t)
	for n := range 2*maxStatements + 1 {
		got, err := readOne(t.Context(), s, "Number", fmt.Sprintf("SELECT %d", n), nil, scanInt)
		if err != nil || got != int64(n) {
			t.Fatalf("got %d %v, want %d", got, err, n)
		}
	}
	if n := len(s.stmts); n > maxStatements {
		t.Errorf("got %d statements kept, want at most %d", n, maxStatements)
	}
}

// A list of many actions or targets is planned in no time.
func TestManyValuesInAFilter(t *testing.T) {
	s := openNew(t)
	var many []string
	for n := range 5000 {
		many = append(many, fmt.Sprint(n))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.Events(ctx, portal.EventFilter{Chain: "tea_1", Actions: many, Targets: many, Limit: 1}); err != nil {
		t.Error(err)
	}
	if _, err := s.Rollups(ctx, portal.RollupFilter{Team: "tea_1", Step: portal.Hour, From: at0, To: at0, Tokens: many}); err != nil {
		t.Error(err)
	}
}
