package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func storeSession(t *testing.T, s portal.Store, user string, change func(*portal.Session)) portal.Session {
	t.Helper()
	ses := portal.Session{
		ID: newID("ses"), Hash: newID("hash"), User: user, CreatedAt: now, LastSeenAt: now.Add(time.Minute),
		ExpiresAt: now.AddDate(0, 0, 14), FreshUntil: now.Add(15 * time.Minute), Address: "192.0.2.7", UserAgent: "Firefox",
	}
	if change != nil {
		change(&ses)
	}
	noError(t, s.InsertSession(begin(t), ses))
	return ses
}

var sessionTests = []test{
	{"every field comes back", func(t *testing.T, s portal.Store) {
		u := storeUser(t, s)
		ses := storeSession(t, s, u.ID, nil)
		whole(t, ses)
		equal(t, "session", get[portal.Session](t)(s.SessionByHash(begin(t), ses.Hash)), ses)
		stale := storeSession(t, s, u.ID, func(ses *portal.Session) { ses.FreshUntil = time.Time{} })
		equal(t, "not fresh", get[portal.Session](t)(s.SessionByHash(begin(t), stale.Hash)), stale)
	}},
	{"unknown ones are not found", func(t *testing.T, s portal.Store) {
		ctx, u := begin(t), storeUser(t, s)
		kind[portal.Session](t, portal.NotFound)(s.SessionByHash(ctx, "none"))
		kind[portal.Session](t, portal.NotFound)(s.HoldSession(ctx, u.ID, "none"))
		wantKind(t, s.ReplaceSession(ctx, portal.Session{ID: newID("ses"), Hash: newID("hash"), User: u.ID, CreatedAt: now}), portal.NotFound)
		wantKind(t, s.DeleteSession(ctx, u.ID, "ses_none"), portal.NotFound)
	}},
	{"replace", func(t *testing.T, s portal.Store) {
		ctx, u := begin(t), storeUser(t, s)
		ses := storeSession(t, s, u.ID, nil)
		ses.LastSeenAt, ses.FreshUntil, ses.Address = now.Add(time.Hour), time.Time{}, "2001:db8::1"
		noError(t, s.ReplaceSession(ctx, ses))
		equal(t, "replaced", get[portal.Session](t)(s.SessionByHash(ctx, ses.Hash)), ses)
	}},
	{"what holds a session is stored before it ends, or not at all", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		ses := storeSession(t, s, x.owner.ID, nil)
		equal(t, "held", get[portal.Session](t)(s.HoldSession(ctx, x.owner.ID, ses.Hash)), ses)
		kind[portal.Session](t, portal.NotFound)(s.HoldSession(ctx, storeUser(t, s).ID, ses.Hash)) // another's
		equal(t, "after that", get[portal.Session](t)(s.SessionByHash(ctx, ses.Hash)), ses)
		var after int64 // events at the end of the session
		errs := race(8, func(i int) error {
			if i == 0 {
				time.Sleep(5 * time.Millisecond) // others have begun
				if _, err := s.DeleteSessions(ctx, x.owner.ID, ""); err != nil {
					return err
				}
				var err error
				after, _, err = s.Head(ctx, x.team.ID)
				return err
			}
			for {
				err := s.Atomically(ctx, func(ctx context.Context) error {
					if _, err := s.HoldSession(ctx, x.owner.ID, ses.Hash); err != nil {
						return err
					}
					time.Sleep(time.Millisecond) // in which it could end
					_, err := appendEvent(ctx, s, x.team.ID, "token.created", nil)
					return err
				})
				if err != nil {
					return err
				}
			}
		})
		for i, err := range errs {
			if i == 0 {
				noError(t, err)
			} else {
				wantKind(t, err, portal.NotFound)
			}
		}
		if n, _, err := s.Head(ctx, x.team.ID); err != nil || n != after {
			t.Errorf("got %d events, %v, want the %d that there were when the session had ended", n, err, after)
		}
	}},
	{"one goes on under another hash, once", func(t *testing.T, s portal.Store) {
		ctx, u := begin(t), storeUser(t, s)
		ses := storeSession(t, s, u.ID, nil)
		errs := race(8, func(i int) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				held, err := s.HoldSession(ctx, u.ID, ses.Hash)
				if err != nil {
					return err
				}
				held.Hash = fmt.Sprintf("%s-%d", ses.Hash, i)
				if err := s.DeleteSession(ctx, u.ID, ses.ID); err != nil {
					return err
				}
				return s.InsertSession(ctx, held)
			})
		})
		kind[portal.Session](t, portal.NotFound)(s.SessionByHash(ctx, ses.Hash))
		won := 0
		for i, err := range errs {
			if err != nil {
				wantKind(t, err, portal.NotFound)
				continue
			}
			won++
			ses.Hash = fmt.Sprintf("%s-%d", ses.Hash, i)
		}
		if won != 1 {
			t.Fatalf("got %d that renewed the session, want 1", won)
		}
		equal(t, "sessions", get[[]portal.Session](t)(s.Sessions(ctx, u.ID)), []portal.Session{ses})
	}},
	{"a hash is stored once", func(t *testing.T, s portal.Store) {
		ctx, u, hash := begin(t), storeUser(t, s), newID("hash")
		won := 0
		for _, err := range race(writers, func(int) error {
			return s.InsertSession(ctx, portal.Session{ID: newID("ses"), Hash: hash, User: u.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
		}) {
			if err == nil {
				won++
			}
		}
		if won != 1 {
			t.Errorf("got %d sessions with one hash, want 1", won)
		}
	}},
	{"listed newest first and ended", func(t *testing.T, s portal.Store) {
		ctx, u := begin(t), storeUser(t, s)
		var made []portal.Session
		for i := range 4 {
			made = append(made, storeSession(t, s, u.ID, func(ses *portal.Session) {
				ses.CreatedAt = now.Add(time.Duration(i) * time.Millisecond)
			}))
		}
		equal(t, "sessions", get[[]portal.Session](t)(s.Sessions(ctx, u.ID)), []portal.Session{made[3], made[2], made[1], made[0]})
		noError(t, s.DeleteSession(ctx, u.ID, made[3].ID))
		kind[portal.Session](t, portal.NotFound)(s.SessionByHash(ctx, made[3].Hash))
		if n := get[int](t)(s.DeleteSessions(ctx, u.ID, made[1].ID)); n != 2 {
			t.Errorf("got %d ended, want 2", n)
		}
		equal(t, "the one kept", get[[]portal.Session](t)(s.Sessions(ctx, u.ID)), made[1:2])
		if n := get[int](t)(s.DeleteSessions(ctx, u.ID, "")); n != 1 {
			t.Errorf("got %d ended, want 1", n)
		}
	}},
}
