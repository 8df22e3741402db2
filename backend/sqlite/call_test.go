package sqlite

import (
	"bytes"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func TestTokenListOfBlockIsBounded(t *testing.T) {
	few, many := &block.Block{}, &block.Block{}
	for i := range block.MaxTokens + 1 {
		c := &portal.Call{Token: newToken("", "", i).ID}
		if many.Calls = append(many.Calls, c); i < block.MaxTokens {
			few.Calls = append(few.Calls, c, c)
		}
	}
	if list := tokenMarks(few); !bytes.Contains(list, tokenMark(few.Calls[0].Token)) || len(list) != block.MaxTokens*13 {
		t.Errorf("got a list of %d bytes, want each token once", len(list))
	}
	if list := tokenMarks(many); list == nil || len(list) != 0 {
		t.Errorf("got a list of %d bytes for too many tokens, want none", len(list))
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

// FuzzUnpackBuckets holds the reading of damaged rows to an error.
func FuzzUnpackBuckets(f *testing.F) {
	f.Add(packBuckets(&[portal.Buckets]int64{5: 3}))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = unpackBuckets(data) })
}
