package sqlite

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func TestHourEnd(t *testing.T) {
	for _, at := range []time.Time{
		time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(1), at0, at0.Truncate(time.Hour), at0.Truncate(time.Hour).Add(-1e6), {},
	} {
		end := time.UnixMilli(hourEnd(at.UnixMilli()))
		if !at.Before(end) || end.Sub(at) > time.Hour || end.UnixMilli()%blockHour != 0 {
			t.Errorf("%v: got %v, want the end of its hour", at, end)
		}
	}
}

func TestTokenListOfBlockIsBounded(t *testing.T) {
	few, many := &block{}, &block{}
	for i := range maxListedTokens + 1 {
		c := &portal.Call{Token: newToken("", "", i).ID}
		if many.calls = append(many.calls, c); i < maxListedTokens {
			few.calls = append(few.calls, c, c)
		}
	}
	if list := few.tokens(); !bytes.Contains(list, tokenMark(few.calls[0].Token)) || len(list) != maxListedTokens*13 {
		t.Errorf("got a list of %d bytes, want each token once", len(list))
	}
	if list := many.tokens(); list == nil || len(list) != 0 {
		t.Errorf("got a list of %d bytes for too many tokens, want none", len(list))
	}
	// A token of many in a block without a list is found nevertheless.
	s := openNew(t)
	var calls []portal.Call
	for i, c := range many.calls {
		calls = append(calls, portal.Call{ID: c.Token, Team: "tea", At: at0.Add(time.Duration(i) * time.Millisecond), Token: c.Token})
	}
	if err := s.RecordCalls(t.Context(), portal.CallBatch{Calls: calls}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Calls(t.Context(), portal.CallFilter{Team: "tea", Token: calls[50].Token, Limit: 9})
	if err != nil || len(got) != 1 || got[0].ID != calls[50].ID {
		t.Errorf("got %+v %v, want call 50", got, err)
	}
}

// Lists that read more than others can wait for go on where they were.
func TestLongListsOfCalls(t *testing.T) {
	ctx, s := t.Context(), openNew(t)
	const batches = 40
	for n := range batches {
		b := newBatch(n, 100, 1000)
		b.Uses = nil
		if err := s.RecordCalls(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		f    portal.CallFilter
		want int
	}{
		{portal.CallFilter{Limit: batches*1000 + 1}, batches * 1000},
		{portal.CallFilter{Limit: batches*1000 + 1, Token: "tok000000007"}, batches * 10},
		{portal.CallFilter{Limit: 9, Status: 5}, 0},
	} {
		tt.f.Team = "tea_0"
		got, err := s.Calls(ctx, tt.f)
		if err != nil || len(got) != tt.want {
			t.Errorf("%+v: got %d calls %v, want %d", tt.f, len(got), err, tt.want)
		}
	}
}

// FuzzUnpack holds the reading of damaged rows to an error.
func FuzzUnpack(f *testing.F) {
	b := &block{calls: []*portal.Call{
		{ID: "a", At: at0, Token: "t", Status: 200, Address: netip.MustParseAddr("192.0.2.7"), UserAgent: "x"},
		{ID: "b", At: at0.Add(-time.Second), Token: "t", Address: netip.MustParseAddr("fe80::1%eth0"), Bytes: -1},
	}}
	f.Add(b.pack())
	f.Add(packRollups([]portal.Rollup{{Team: "t", Calls: 3, Bucket: [portal.Buckets]int64{5: 3}}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var calls []*portal.Call
		if unpackCalls("", data, func(c *portal.Call) { calls = append(calls, new(*c)) }) == nil {
			var again []*portal.Call
			err := unpackCalls("", (&block{calls: calls}).pack(), func(c *portal.Call) { again = append(again, new(*c)) })
			if err != nil || !reflect.DeepEqual(again, calls) {
				t.Errorf("got %+v %v, want %+v", again, err, calls)
			}
		}
		_ = addPacked(data, map[rollupKey]*portal.Rollup{})
		_, _ = unpackBuckets(data)
	})
}
