package storetest

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

var eventTests = []test{
	{"the published vectors come back byte for byte", func(t *testing.T, s portal.Store) {
		// The chain's name is part of the hash, so this test needs it for itself.
		ctx, chain := begin(t), "tea_acme"
		vectors := []struct {
			at        time.Time
			action    string
			data      map[string]any
			canonical string
			hash      string
		}{
			{
				time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC), "token.created",
				map[string]any{"abilities": []string{"orders:read"}},
				`{"action":"token.created","actor":"usr_ada","at":"2026-11-22T01:00:00.000Z","chain":"tea_acme","data":{"abilities":["orders:read"]},"prev":"0000000000000000000000000000000000000000000000000000000000000000","seq":1,"target":"7Hq2LmZx9RtB","v":1}`,
				"d616230466f91e717b8e36aac1c2f70aaf6c63b79b3d05bb36fe1813b56e4a53",
			},
			{
				time.Date(2026, 11, 22, 1, 5, 0, 0, time.UTC), "token.revoked",
				map[string]any{"reason": "superseded"},
				`{"action":"token.revoked","actor":"usr_ada","at":"2026-11-22T01:05:00.000Z","chain":"tea_acme","data":{"reason":"superseded"},"prev":"d616230466f91e717b8e36aac1c2f70aaf6c63b79b3d05bb36fe1813b56e4a53","seq":2,"target":"7Hq2LmZx9RtB","v":1}`,
				"995e3a79b67acca1551ebb81b36405fef9a17547d6497146dd3b940b7d05a904",
			},
		}
		for _, v := range vectors {
			noError(t, s.Atomically(ctx, func(ctx context.Context) error {
				e, err := s.Append(ctx, audit.Event{
					Chain: chain, At: v.at, Actor: "usr_ada", Action: v.action, Target: "7Hq2LmZx9RtB", Data: v.data,
				})
				if e.Hash != v.hash {
					t.Errorf("%s: got hash %s, want %s", v.action, e.Hash, v.hash)
				}
				return err
			}))
		}
		for i, e := range verify(t, s, chain, 2) {
			text := string(get[[]byte](t)(e.Canonical()))
			if text != vectors[i].canonical || e.Hash != vectors[i].hash {
				t.Errorf("event %d:\n got %s %s\nwant %s %s", i+1, text, e.Hash, vectors[i].canonical, vectors[i].hash)
			}
		}
	}},
	{"data comes back with the same hash and in its plain types", func(t *testing.T, s portal.Store) {
		chain := newID("tea")
		e := get[audit.Event](t)(appendEvent(begin(t), s, chain, "team.changed", map[string]any{
			"text": "Ünïcode \x00 \u2028 <&> 🦊 שלום \"\\", "int": 7, "int64": int64(1)<<53 - 1, "negative": -3, "zero": 0,
			"yes": true, "no": false, "nil": nil, "strings": []string{"a", ""}, "none": []string{}, "empty": map[string]any{},
			"deep": map[string]any{"list": []any{1, "x", nil, map[string]any{"🦊": []any{}}}},
			"$set": map[string]any{"a.b": 1}, "": "no key", "\ufb33": 1, "😀": 2,
		}))
		got := verify(t, s, chain, 1)[0]
		want := map[string]any{
			"text": "Ünïcode \x00 \u2028 <&> 🦊 שלום \"\\", "int": int64(7), "int64": int64(1)<<53 - 1, "negative": int64(-3), "zero": int64(0),
			"yes": true, "no": false, "nil": nil, "strings": []any{"a", ""}, "none": []any{}, "empty": map[string]any{},
			"deep": map[string]any{"list": []any{int64(1), "x", nil, map[string]any{"🦊": []any{}}}},
			"$set": map[string]any{"a.b": int64(1)}, "": "no key", "\ufb33": int64(1), "😀": int64(2),
		}
		equal(t, "data", got.Data, want)
		if got.Hash != e.Hash || !got.At.Equal(e.At) {
			t.Errorf("got %+v, want %+v", got, e)
		}
	}},
	{"nil lists and objects keep their hash, which is that of empty ones", func(t *testing.T, s portal.Store) {
		ctx, chain := begin(t), newID("tea")
		get[audit.Event](t)(appendEvent(ctx, s, chain, "team.changed", map[string]any{
			"texts": []string(nil), "list": []any(nil), "object": map[string]any(nil), "deep": []any{map[string]string(nil)},
		}))
		verify(t, s, chain, 1)
	}},
	{"an event without data", func(t *testing.T, s portal.Store) {
		chain := newID("tea")
		e := get[audit.Event](t)(appendEvent(begin(t), s, chain, "user.signed_in", nil))
		if got := verify(t, s, chain, 1)[0]; got.Hash != e.Hash || len(got.Data) != 0 {
			t.Errorf("got %+v, want %+v", got, e)
		}
	}},
	{"data that has no canonical form is refused and the transaction with it", func(t *testing.T, s portal.Store) {
		chain := newID("tea")
		for _, v := range []any{1.5, math.MaxInt64, "\xff", struct{}{}} {
			if _, err := appendEvent(begin(t), s, chain, "team.changed", map[string]any{"v": v}); err == nil {
				t.Errorf("%v: got no error", v)
			}
		}
		verify(t, s, chain, 0)
	}},
	{"outside a transaction nothing is appended", func(t *testing.T, s portal.Store) {
		ctx, chain := begin(t), newID("tea")
		if _, err := s.Append(ctx, audit.Event{Chain: chain, At: now, Action: "team.changed"}); err == nil {
			t.Error("got no error")
		}
		verify(t, s, chain, 0)
	}},
	{"several events in one transaction", func(t *testing.T, s portal.Store) {
		ctx, chain, other := begin(t), newID("tea"), newID("usr")
		noError(t, s.Atomically(ctx, func(ctx context.Context) error {
			for _, c := range []string{chain, other, chain, chain} {
				if _, err := s.Append(ctx, audit.Event{Chain: c, At: now, Action: "team.changed"}); err != nil {
					return err
				}
			}
			return nil
		}))
		verify(t, s, chain, 3)
		verify(t, s, other, 1)
	}},
	{"chains have no gaps and no forks under many writers", func(t *testing.T, s portal.Store) {
		ctx := begin(t)
		chains := []string{newID("tea"), newID("tea"), newID("usr")}
		const each = 6
		for _, err := range race(writers, func(i int) error {
			for n := range each {
				// Whoever changes two chains takes them in both orders.
				first, second := chains[(i+n)%3], chains[(i+n+1+i%2)%3]
				err := s.Atomically(ctx, func(ctx context.Context) error {
					for _, c := range []string{first, second} {
						e := audit.Event{Chain: c, At: now, Actor: label("usr_%d", i), Action: "team.changed", Data: map[string]any{"n": n}}
						if _, err := s.Append(ctx, e); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			noError(t, err)
		}
		total := 0
		for _, c := range chains {
			seq, _, err := s.Head(ctx, c)
			noError(t, err)
			total += len(verify(t, s, c, int(seq)))
		}
		if want := writers * each * 2; total != want {
			t.Errorf("got %d events in all, want %d", total, want)
		}
	}},
	{"every filter", func(t *testing.T, s portal.Store) {
		ctx, chain := begin(t), newID("tea")
		for i, e := range []audit.Event{
			{Actor: "usr_a", Action: "token.created", Target: "t1"},
			{Actor: "usr_b", Action: "token.revoked", Target: "t2"},
			{Actor: "usr_a", Action: "team.renamed", Target: "tea"},
			{Actor: "usr_a", Action: "tokens", Target: "t1"},
			{Actor: "usr_c", Action: "token_created", Target: "t3"},
		} {
			e.Chain, e.At = chain, now.Add(time.Duration(i)*time.Millisecond)
			noError(t, s.Atomically(ctx, func(ctx context.Context) error { _, err := s.Append(ctx, e); return err }))
		}
		ms := func(n int) time.Time { return now.Add(time.Duration(n) * time.Millisecond) }
		for _, tt := range []struct {
			name string
			f    portal.EventFilter
			want string
		}{
			{"newest first", portal.EventFilter{}, "5 4 3 2 1"},
			{"oldest first", portal.EventFilter{Oldest: true}, "1 2 3 4 5"},
			{"limit", portal.EventFilter{Limit: 2}, "5 4"},
			{"after", portal.EventFilter{After: 4}, "3 2 1"},
			{"after the first, newest first", portal.EventFilter{After: 1}, ""},
			{"after, oldest first", portal.EventFilter{After: 4, Oldest: true}, "5"},
			{"one action", portal.EventFilter{Actions: []string{"token.created"}}, "1"},
			{"any of the actions", portal.EventFilter{Actions: []string{"token.created", "team.renamed"}}, "3 1"},
			{"all actions that begin so", portal.EventFilter{Actions: []string{"token."}}, "2 1"},
			{"a prefix and an action", portal.EventFilter{Actions: []string{"token.", "tokens"}}, "4 2 1"},
			{"an action that is no prefix", portal.EventFilter{Actions: []string{"token"}}, ""},
			{"actor", portal.EventFilter{Actor: "usr_a"}, "4 3 1"},
			{"targets", portal.EventFilter{Targets: []string{"t1", "t3"}}, "5 4 1"},
			{"no targets at all", portal.EventFilter{Targets: []string{}}, ""},
			{"from is included", portal.EventFilter{From: ms(3)}, "5 4"},
			{"to is not", portal.EventFilter{To: ms(3)}, "3 2 1"},
			{"from and to", portal.EventFilter{From: ms(1), To: ms(2)}, "2"},
			{"all together", portal.EventFilter{
				Actions: []string{"token."}, Actor: "usr_a", Targets: []string{"t1"}, From: ms(0), To: ms(5), Oldest: true,
			}, "1"},
		} {
			tt.f.Chain = chain
			if tt.f.Limit == 0 {
				tt.f.Limit = 1001
			}
			got := ids(get[[]audit.Event](t)(s.Events(ctx, tt.f)), func(e audit.Event) string { return label("%d", e.Seq) })
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
			}
		}
	}},
	{"pages stay as they were while events are added", func(t *testing.T, s portal.Store) {
		ctx, chain := begin(t), newID("tea")
		for range 9 {
			get[audit.Event](t)(appendEvent(ctx, s, chain, "team.changed", nil))
		}
		got := paged(t, 2, func(e audit.Event) string { return label("%d", e.Seq) }, func(after *audit.Event, limit int) ([]audit.Event, error) {
			f := portal.EventFilter{Chain: chain, Limit: limit}
			if after != nil {
				f.After = after.Seq
			}
			get[audit.Event](t)(appendEvent(ctx, s, chain, "team.changed", nil))
			return s.Events(ctx, f)
		})
		if len(got) != 10 || got[0].Seq != 10 {
			t.Errorf("got %d events from %d, want 10 from 10", len(got), got[0].Seq)
		}
	}},
}
