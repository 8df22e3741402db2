package sqlite

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var at0 = time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)

// storeTeam stores a team and its owner, who makes the tokens.
func storeTeam(t testing.TB, s *Store, team, user string) {
	t.Helper()
	err := errors.Join(
		s.InsertUser(t.Context(), portal.User{ID: user, EmailKey: user, CreatedAt: at0}),
		s.InsertTeam(t.Context(), portal.Team{ID: team, Name: "Acme", CreatedAt: at0}),
		s.SaveMember(t.Context(), portal.Member{Team: team, User: user, Role: portal.Owner, JoinedAt: at0}),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func newToken(team, user string, i int) portal.Token {
	return portal.Token{
		ID: fmt.Sprintf("tok%09d", i), Team: team, Name: fmt.Sprintf("Integration %d", i), Env: portal.Live, Maker: user,
		Abilities: []string{"orders:read", "orders:write"}, CreatedAt: at0.Add(time.Duration(i) * time.Second),
		ExpiresAt: at0.AddDate(0, 0, i%90), LastUsedAt: at0.Add(time.Duration(i*7919%10_000) * time.Second),
		Generations: []portal.Generation{{Number: 1, KeyID: "k1", CreatedAt: at0, ActivatedAt: at0}},
	}
}

// What many records have in common is in memory once, whether they were written or
// read when the file was opened.
func TestRecordsShareTexts(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // what is shared is forgotten with its last record
	s := openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	for i := range 2 {
		if err := s.InsertToken(t.Context(), newToken("tea_1", "usr_1", i)); err != nil {
			t.Fatal(err)
		}
	}
	shared := func(s *Store, when string) {
		a, b := s.records.shard("tok000000000").tokens["tok000000000"], s.records.shard("tok000000001").tokens["tok000000001"]
		for _, pair := range [][2]string{
			{a.Team, b.Team}, {a.Maker, b.Maker}, {a.Abilities[1], b.Abilities[1]}, {a.Generations[0].KeyID, b.Generations[0].KeyID},
		} {
			if unsafe.StringData(pair[0]) != unsafe.StringData(pair[1]) {
				t.Errorf("%s: %q is in memory twice", when, pair[0])
			}
		}
	}
	shared(s, "written")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	shared(open(t, s.path), "read from the file")
}

// The records in memory are those of the file, after whatever happened.
func wantRecordsOfFile(t *testing.T, s *Store) {
	t.Helper()
	n := 0
	err := s.read(t.Context(), func(w *work) error {
		all, err := list(w, tokenRows.query, nil, tokenRows.reader())
		for _, want := range all {
			got, err := s.records.Record(t.Context(), want.ID)
			if err != nil || got == nil || !reflect.DeepEqual(*got, want) {
				t.Errorf("got record %+v %v, want %+v", got, err, want)
			}
		}
		for i := range s.records.shards {
			n += len(s.records.shards[i].tokens)
		}
		if n != len(all) {
			t.Errorf("got %d records, want %d", n, len(all))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecordsStayThoseOfTheFile(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	storeTeam(t, s, "tea_2", "usr_2")
	for i := range 300 { // more than are read at once
		team := []string{"tea_1", "tea_2"}[i%2]
		if err := s.InsertToken(ctx, newToken(team, "usr"+team[3:], i)); err != nil {
			t.Fatal(err)
		}
	}
	use := func(i, generation int, at time.Time) portal.Use {
		tok := newToken([]string{"tea_1", "tea_2"}[i%2], "", i)
		return portal.Use{Team: tok.Team, Token: tok.ID, Generation: generation, At: at, Address: "192.0.2.7", Client: "curl"}
	}
	later := at0.AddDate(1, 0, 0)
	steps := []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"uses", func(ctx context.Context) error {
			return s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{use(1, 1, later), use(2, 1, later), use(1, 1, later.Add(1)), use(3, 7, later)}})
		}},
		{"a change and a use", func(ctx context.Context) error {
			tok := newToken("tea_1", "usr_1", 4)
			tok.RevokedAt = at0
			return errors.Join(s.ReplaceToken(ctx, tok), s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{use(4, 1, later)}}))
		}},
		{"a use and a change", func(ctx context.Context) error {
			tok := newToken("tea_1", "usr_1", 6)
			tok.Name = "changed"
			return errors.Join(s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{use(6, 1, later)}}), s.ReplaceToken(ctx, tok))
		}},
		{"a use and a role", func(ctx context.Context) error {
			return errors.Join(s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{use(8, 1, later)}}),
				s.SaveMember(ctx, portal.Member{Team: "tea_1", User: "usr_1", Role: portal.Auditor, JoinedAt: at0}))
		}},
		{"a new token and its use", func(ctx context.Context) error {
			return errors.Join(s.InsertToken(ctx, newToken("tea_1", "usr_1", 1000)),
				s.RecordCalls(ctx, portal.CallBatch{Uses: []portal.Use{use(1000, 1, later)}}))
		}},
		{"a narrower team", func(ctx context.Context) error {
			return s.ReplaceTeam(ctx, portal.Team{ID: "tea_1", Policy: portal.TeamPolicy{Abilities: []string{}}})
		}},
		{"a maker is disabled", func(ctx context.Context) error {
			return s.ReplaceUser(ctx, portal.User{ID: "usr_1", EmailKey: "usr_1", DisabledAt: at0})
		}},
		{"and enabled", func(ctx context.Context) error {
			return s.ReplaceUser(ctx, portal.User{ID: "usr_1", EmailKey: "usr_1"})
		}},
		{"a member leaves", func(ctx context.Context) error { return s.DeleteMember(ctx, "tea_1", "usr_1") }},
		{"a user goes", func(ctx context.Context) error { return s.DeleteUser(ctx, "usr_1") }},
		{"a team goes", func(ctx context.Context) error { return s.DeleteTeam(ctx, "tea_2", at0) }},
		{"tokens are pruned", func(ctx context.Context) error {
			_, err := s.Prune(ctx, portal.PruneTimes{EndedTokens: at0.Add(1e6)}, 20)
			return err
		}},
	}
	errFault := errors.New("fault")
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			err := s.Atomically(ctx, func(ctx context.Context) error {
				if err := step.do(ctx); err != nil {
					return err
				}
				return errFault
			})
			if !errors.Is(err, errFault) || err.Error() != errFault.Error() {
				t.Fatalf("got error %v, want %v", err, errFault)
			}
			wantRecordsOfFile(t, s)
			if err := s.Atomically(ctx, step.do); err != nil {
				t.Fatal(err)
			}
			wantRecordsOfFile(t, s)
		})
	}
}

func TestDisabledMakerIsGone(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	tok := newToken("tea_1", "usr_1", 1)
	if err := s.InsertToken(ctx, tok); err != nil {
		t.Fatal(err)
	}
	for _, disabled := range []time.Time{at0, {}} {
		if err := s.ReplaceUser(ctx, portal.User{ID: "usr_1", EmailKey: "usr_1", DisabledAt: disabled}); err != nil {
			t.Fatal(err)
		}
		want := portal.Owner
		if !disabled.IsZero() {
			want = ""
		}
		if got, err := s.Records().Record(ctx, tok.ID); err != nil || got.Standing.MakerRole != want {
			t.Errorf("disabled at %v: got %+v %v, want role %q", disabled, got, err, want)
		}
	}
}

// While readers decide, tokens are revoked. After the answer to a revocation
// nobody sees the token as it was.
func TestRevocationIsSeenAtOnce(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	const tokens = 200
	var revoked [tokens]atomic.Bool // set after the answer
	for i := range tokens {
		if err := s.InsertToken(ctx, newToken("tea_1", "usr_1", i)); err != nil {
			t.Fatal(err)
		}
	}
	var reads, late atomic.Int64
	done := make(chan struct{})
	var readers sync.WaitGroup
	for r := range 4 {
		readers.Go(func() {
			for i := r; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				n := i % tokens
				answered := revoked[n].Load()
				got, err := s.Records().Record(ctx, fmt.Sprintf("tok%09d", n))
				if err != nil || got == nil {
					t.Errorf("got %v %v, want a record", got, err)
					return
				}
				if reads.Add(1); answered {
					late.Add(1)
					if got.RevokedAt.IsZero() {
						t.Errorf("token %d: got it valid after its revocation was answered", n)
						return
					}
				}
			}
		})
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for n := w; n < tokens; n += 4 {
				tok := newToken("tea_1", "usr_1", n)
				tok.RevokedAt = at0
				if err := s.ReplaceToken(ctx, tok); err != nil {
					t.Errorf("revoke: %v", err)
				}
				revoked[n].Store(true)
			}
		})
	}
	writers.Wait()
	for late.Load() < 10_000 { // enough reads after the last answer
		time.Sleep(time.Millisecond)
	}
	close(done)
	readers.Wait()
	t.Logf("%d reads, %d of them after the answer", reads.Load(), late.Load())
}

func TestRecordAllocatesNothing(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	storeTeam(t, s, "tea_1", "usr_1")
	tok := newToken("tea_1", "usr_1", 1)
	if err := s.InsertToken(ctx, tok); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{tok.ID, "none"} {
		if n := testing.AllocsPerRun(100, func() { _, _ = s.Records().Record(ctx, id) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", id, n)
		}
	}
}
