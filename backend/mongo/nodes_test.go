package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/gatehouse-portal/gatehouse/backend/mongotest"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

func newID(prefix string) string { return prefix + "_" + ulid.Make().String() }

var testTime = time.Date(2026, 11, 22, 1, 2, 3, 456e6, time.UTC)

// storeTeam stores a team with its owner.
func storeTeam(t testing.TB, s *Store) (team, owner string) {
	t.Helper()
	team, owner = newID("tea"), newID("usr")
	err := errors.Join(
		s.InsertUser(t.Context(), portal.User{ID: owner, EmailKey: owner, CreatedAt: testTime}),
		s.InsertTeam(t.Context(), portal.Team{ID: team, Name: "Acme", CreatedAt: testTime}),
		s.SaveMember(t.Context(), portal.Member{Team: team, User: owner, Role: portal.Owner, JoinedAt: testTime}))
	if err != nil {
		t.Fatal(err)
	}
	return team, owner
}

func newToken(team, owner string) portal.Token {
	id := ulid.Make().String()
	return portal.Token{
		ID: id, Team: team, Name: "ERP " + id, Env: portal.Live, Abilities: []string{"orders:read", "orders:write"}, Maker: owner,
		CreatedAt: testTime, ExpiresAt: testTime.AddDate(0, 0, 90),
		Generations: []portal.Generation{{Number: 1, KeyID: "k1", CreatedAt: testTime, ActivatedAt: testTime}},
	}
}

func storeToken(t testing.TB, s *Store, team, owner string) portal.Token {
	t.Helper()
	tok := newToken(team, owner)
	if err := s.InsertToken(t.Context(), tok); err != nil {
		t.Fatal(err)
	}
	return tok
}

func appendTo(ctx context.Context, s *Store, chain, target string) error {
	return s.Atomically(ctx, func(ctx context.Context) error {
		_, err := s.Append(ctx, audit.Event{Chain: chain, At: testTime, Actor: "usr", Action: "token.changed", Target: target})
		return err
	})
}

// verifyChain reads a chain and checks it, and returns the targets of its
// events.
func verifyChain(t testing.TB, s *Store, chain string) (targets []string) {
	t.Helper()
	var v audit.Verifier
	for {
		events, err := s.Events(t.Context(), portal.EventFilter{Chain: chain, After: v.Seq, Oldest: true, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := v.Add(e); err != nil {
				t.Fatal(err)
			}
			targets = append(targets, e.Target)
		}
		if len(events) < 1000 {
			return targets
		}
	}
}

// What one node answered, the other one shows to every read that begins later.
func TestOneNodeReadsWhatTheOtherAnswered(t *testing.T) {
	uri := mongotest.Start(t)
	a, b := openAt(t, uri), openAt(t, uri)
	team, owner := storeTeam(t, a)
	for i := range 100 {
		tok := storeToken(t, a, team, owner)
		writer, reader := a, b
		if i%2 == 1 {
			writer, reader = b, a
		}
		tok.RevokedAt = testTime
		if err := writer.ReplaceToken(t.Context(), tok); err != nil {
			t.Fatal(err)
		}
		got, err := reader.TokenRecords(t.Context(), []string{tok.ID})
		if err != nil || len(got) != 1 || got[0].RevokedAt.IsZero() {
			t.Fatalf("round %d: got %+v and %v, want it revoked", i, got, err)
		}
	}
	for _, role := range []portal.Role{portal.Auditor, portal.Developer} {
		tok := storeToken(t, a, team, owner)
		if err := a.SaveMember(t.Context(), portal.Member{Team: team, User: owner, Role: role, JoinedAt: testTime}); err != nil {
			t.Fatal(err)
		}
		got, err := b.TokenRecords(t.Context(), []string{tok.ID})
		if err != nil || got[0].Standing.MakerRole != role {
			t.Errorf("got %+v and %v, want role %s", got, err, role)
		}
	}
	ses := portal.Session{ID: newID("ses"), Hash: newID("hash"), User: owner, CreatedAt: testTime, ExpiresAt: testTime.Add(time.Hour)}
	if err := a.InsertSession(t.Context(), ses); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SessionByHash(t.Context(), ses.Hash); err != nil {
		t.Error(err)
	}
	if err := b.DeleteSession(t.Context(), owner, ses.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SessionByHash(t.Context(), ses.Hash); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a session that ended on the other node: got %v, want NotFound", err)
	}
}

func TestNodesAppendWithoutGapOrFork(t *testing.T) {
	uri := mongotest.Start(t)
	nodes := []*Store{openAt(t, uri), openAt(t, uri)}
	team := newID("tea")
	const writers, each = 16, 8
	var wg sync.WaitGroup
	for _, s := range nodes {
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := appendTo(t.Context(), s, team, fmt.Sprint(w, " ", i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if got, want := len(verifyChain(t, nodes[0], team)), 2*writers*each; got != want {
		t.Errorf("got %d events, want %d", got, want)
	}
}

// The standing of a token is in step however its making and a change of its
// maker, its membership and its team fall together on different nodes.
func TestNoChangePassesANewTokenBy(t *testing.T) {
	uri := mongotest.Start(t)
	a, b := openAt(t, uri), openAt(t, uri)
	changes := []struct {
		name   string
		change func(ctx context.Context, team, owner string) error
		want   portal.Standing
	}{
		{"disable the maker", func(ctx context.Context, _, owner string) error {
			return b.ReplaceUser(ctx, portal.User{ID: owner, EmailKey: owner, CreatedAt: testTime, DisabledAt: testTime})
		}, portal.Standing{}},
		{"delete the maker", func(ctx context.Context, _, owner string) error { return b.DeleteUser(ctx, owner) }, portal.Standing{}},
		{"remove the member", func(ctx context.Context, team, owner string) error { return b.DeleteMember(ctx, team, owner) }, portal.Standing{}},
		{"change the role", func(ctx context.Context, team, owner string) error {
			return b.SaveMember(ctx, portal.Member{Team: team, User: owner, Role: portal.Auditor, JoinedAt: testTime})
		}, portal.Standing{MakerRole: portal.Auditor}},
		{"narrow the team", func(ctx context.Context, team, _ string) error {
			return b.ReplaceTeam(ctx, portal.Team{ID: team, Platform: false, Policy: portal.TeamPolicy{Abilities: []string{}}})
		}, portal.Standing{MakerRole: portal.Owner, TeamAbilities: []string{}}},
	}
	for _, tt := range changes {
		t.Run(tt.name, func(t *testing.T) {
			for range 15 {
				team, owner := storeTeam(t, a)
				tok := newToken(team, owner)
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := a.InsertToken(t.Context(), tok); err != nil {
						t.Error(err)
					}
				})
				wg.Go(func() {
					if err := tt.change(t.Context(), team, owner); err != nil {
						t.Error(err)
					}
				})
				wg.Wait()
				got, err := a.Token(t.Context(), team, tok.ID)
				if err != nil {
					t.Fatal(err)
				}
				if fmt.Sprintf("%#v", got.Standing) != fmt.Sprintf("%#v", tt.want) {
					t.Fatalf("got standing %+v, want %+v", got.Standing, tt.want)
				}
			}
		})
	}
}

func TestEnablingAMakerGivesTheirTokensBack(t *testing.T) {
	s := openAt(t, mongotest.Start(t))
	team, owner := storeTeam(t, s)
	tok := storeToken(t, s, team, owner)
	u, err := s.User(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		disabled time.Time
		want     portal.Role
	}{{testTime, ""}, {testTime.Add(time.Hour), ""}, {time.Time{}, portal.Owner}} {
		u.DisabledAt = tt.disabled
		if err := s.ReplaceUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Token(t.Context(), team, tok.ID); err != nil || got.Standing.MakerRole != tt.want {
			t.Errorf("disabled at %v: got role %q and %v, want %q", tt.disabled, got.Standing.MakerRole, err, tt.want)
		}
	}
	// A role that changes while the maker is disabled counts for nothing yet.
	u.DisabledAt = testTime
	err = errors.Join(s.ReplaceUser(t.Context(), u), s.SaveMember(t.Context(), portal.Member{Team: team, User: owner, Role: portal.Admin}))
	if got, readErr := s.Token(t.Context(), team, tok.ID); err != nil || readErr != nil || got.Standing.MakerRole != "" {
		t.Errorf("got role %q and %v %v, want none", got.Standing.MakerRole, err, readErr)
	}
}

func TestThereIsOnePlatformTeam(t *testing.T) {
	uri := mongotest.Start(t)
	a, b := openAt(t, uri), openAt(t, uri)
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		s := []*Store{a, b}[i%2]
		wg.Go(func() { errs[i] = s.InsertTeam(t.Context(), portal.Team{ID: newID("tea"), Name: "We", Platform: true}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if portal.KindOf(err) != portal.Conflict {
			t.Errorf("got %v, want a Conflict", err)
		}
	}
	if won != 1 {
		t.Errorf("got %d platform teams, want 1", won)
	}
	first, err := a.PlatformTeam(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteTeam(t.Context(), first.ID, testTime); err != nil {
		t.Fatal(err)
	}
	if err := a.InsertTeam(t.Context(), portal.Team{ID: newID("tea"), Platform: true}); err != nil {
		t.Errorf("after the first is gone: %v", err)
	}
}
