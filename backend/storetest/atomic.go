package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

var errFault = errors.New("a fault between the change and its event")

var atomicTests = []test{
	{"a change and its event are both there", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.newToken()
		noError(t, s.Atomically(ctx, func(ctx context.Context) error {
			if err := s.InsertToken(ctx, tok); err != nil {
				return err
			}
			_, err := s.Append(ctx, audit.Event{Chain: x.team.ID, At: now, Action: "token.created", Target: tok.ID})
			return err
		}))
		same(t, "token", get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)), tok)
		verify(t, s, x.team.ID, 1)
	}},
	{"a fault between the two leaves neither", func(t *testing.T, s portal.Store) {
		for _, fault := range []struct {
			name string
			make func(cancel context.CancelFunc) error
			want error
		}{
			{"an error", func(context.CancelFunc) error { return errFault }, errFault},
			{"a panic", func(context.CancelFunc) error { panic(errFault) }, errFault},
			{"the context ends", func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
		} {
			for _, first := range []string{"change", "event"} {
				t.Run(fault.name+" after the "+first, func(t *testing.T) {
					x := storeTeam(t, s)
					old := x.storeToken(t, s, nil)
					tok := x.newToken()
					changed := old
					changed.RevokedAt, changed.RevokedBy = now, x.owner.ID
					ctx, cancel := context.WithCancel(begin(t))
					defer cancel()
					err := orPanic(func() error {
						return s.Atomically(ctx, func(ctx context.Context) error {
							steps := []func() error{
								func() error { return errors.Join(s.InsertToken(ctx, tok), s.ReplaceToken(ctx, changed)) },
								func() error {
									_, err := s.Append(ctx, audit.Event{Chain: x.team.ID, At: now, Action: "token.created", Target: tok.ID})
									return err
								},
							}
							if first == "event" {
								steps[0], steps[1] = steps[1], steps[0]
							}
							if err := steps[0](); err != nil {
								return err
							}
							if err := fault.make(cancel); err != nil {
								return err
							}
							return steps[1]()
						})
					})
					if !errors.Is(err, fault.want) {
						t.Errorf("got error %v, want %v", err, fault.want)
					}
					clean := begin(t)
					kind[portal.Token](t, portal.NotFound)(s.Token(clean, x.team.ID, tok.ID))
					same(t, "the token before", get[portal.Token](t)(s.Token(clean, x.team.ID, old.ID)), old)
					verify(t, s, x.team.ID, 0)
					get[audit.Event](t)(appendEvent(clean, s, x.team.ID, "team.renamed", nil)) // nothing is left locked
				})
			}
		}
	}},
	{"a context that ends after all writes leaves none of them", func(t *testing.T, s portal.Store) {
		x := storeTeam(t, s)
		tok := x.newToken()
		ctx, cancel := context.WithCancel(begin(t))
		err := s.Atomically(ctx, func(ctx context.Context) error {
			defer cancel()
			return s.InsertToken(ctx, tok)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
		kind[portal.Token](t, portal.NotFound)(s.Token(begin(t), x.team.ID, tok.ID))
	}},
	{"a refusal comes back as it is", func(t *testing.T, s portal.Store) {
		want := &portal.Error{Kind: portal.Conflict, Detail: "no"}
		if err := s.Atomically(begin(t), func(context.Context) error { return want }); err != error(want) {
			t.Errorf("got %v, want the very error of do", err)
		}
	}},
	{"inside it one's own writes are seen, outside they are not", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.newToken()
		err := s.Atomically(ctx, func(ctx context.Context) error {
			if err := s.InsertToken(ctx, tok); err != nil {
				return err
			}
			if _, err := s.Token(ctx, x.team.ID, tok.ID); err != nil {
				return fmt.Errorf("own token: %w", err)
			}
			records, err := s.TokenRecords(ctx, []string{tok.ID})
			if err != nil || len(records) != 1 {
				return fmt.Errorf("own record: got %v %w, want it", records, err)
			}
			list, err := s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: 10, Now: now})
			if err != nil || len(list) != 1 {
				return fmt.Errorf("own token in a list: got %v %w, want it", list, err)
			}
			e, err := s.Append(ctx, audit.Event{Chain: x.team.ID, At: now, Action: "token.created"})
			if err != nil {
				return err
			}
			seq, hash, err := s.Head(ctx, x.team.ID)
			if err != nil || seq != e.Seq || hash != e.Hash {
				return fmt.Errorf("own head: got %d %s %w, want %d %s", seq, hash, err, e.Seq, e.Hash)
			}
			return errFault
		})
		if !errors.Is(err, errFault) || err.Error() != errFault.Error() {
			t.Errorf("got error %v, want %v", err, errFault)
		}
		if got := get[[]*portal.Token](t)(s.TokenRecords(ctx, []string{tok.ID})); len(got) != 0 {
			t.Errorf("got %v after the roll-back, want none", got)
		}
	}},
	{"it joins the transaction that it is called in", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.newToken()
		err := s.Atomically(ctx, func(ctx context.Context) error {
			err := s.Atomically(ctx, func(ctx context.Context) error {
				return s.Atomically(ctx, func(ctx context.Context) error { return s.InsertToken(ctx, tok) })
			})
			if err != nil {
				return err
			}
			if _, err := s.Append(ctx, audit.Event{Chain: x.team.ID, At: now, Action: "token.created"}); err != nil {
				return err
			}
			return errFault
		})
		if !errors.Is(err, errFault) {
			t.Errorf("got error %v, want %v", err, errFault)
		}
		kind[portal.Token](t, portal.NotFound)(s.Token(ctx, x.team.ID, tok.ID))
		verify(t, s, x.team.ID, 0)
	}},
	{"no update is lost between transactions that read and then write", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		tok := x.storeToken(t, s, func(tok *portal.Token) { tok.Rev = 0 })
		for _, err := range race(writers, func(int) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				now, err := s.Token(ctx, x.team.ID, tok.ID)
				if err != nil {
					return err
				}
				time.Sleep(time.Millisecond) // the others read meanwhile
				now.Rev++
				return s.ReplaceToken(ctx, now)
			})
		}) {
			noError(t, err)
		}
		if got := get[portal.Token](t)(s.Token(ctx, x.team.ID, tok.ID)); got.Rev != writers {
			t.Errorf("got %d updates, want %d", got.Rev, writers)
		}
	}},
	{"many transactions at once keep change and event together", func(t *testing.T, s portal.Store) {
		ctx, x := begin(t), storeTeam(t, s)
		errs := race(writers, func(i int) error {
			return s.Atomically(ctx, func(ctx context.Context) error {
				tok := x.newToken()
				if err := s.InsertToken(ctx, tok); err != nil {
					return err
				}
				if i%4 == 0 {
					return errFault
				}
				_, err := s.Append(ctx, audit.Event{Chain: x.team.ID, At: now, Action: "token.created", Target: tok.ID})
				return err
			})
		})
		for i, err := range errs {
			if want := i%4 == 0; errors.Is(err, errFault) != want || !want && err != nil {
				t.Errorf("writer %d: got error %v", i, err)
			}
		}
		var targets []string
		for _, e := range verify(t, s, x.team.ID, writers*3/4) {
			targets = append(targets, e.Target)
		}
		list := get[[]portal.Token](t)(s.Tokens(ctx, portal.TokenFilter{Team: x.team.ID, Limit: 101, Now: now}))
		equal(t, "tokens", sorted(list, tokenID), sorted(targets, func(id string) string { return id }))
	}},
	{"a context whose transaction has ended is refused", func(t *testing.T, s portal.Store) {
		x := storeTeam(t, s)
		var kept context.Context
		noError(t, s.Atomically(begin(t), func(ctx context.Context) error { kept = ctx; return nil }))
		if err := s.InsertToken(kept, x.newToken()); err == nil {
			t.Error("got no error from a write in a transaction that was committed")
		}
	}},
}

// orPanic returns what do panics with as an error.
func orPanic(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	return do()
}
