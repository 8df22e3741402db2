package ability

import (
	"slices"
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	tests := []struct {
		name string
		want bool
	}{
		{"orders:read", true},
		{"purchase-orders:read_all", true},
		{"a:b", true},
		{"orders", false},
		{"orders:", false},
		{":read", false},
		{"orders:read:all", false},
		{"Orders:read", false},
		{"orders:*", false},
		{"*", false},
		{"", false},
		{"9orders:read", false},
		{"orders:9read", false},
		{"orders: read", false},
		{"orders:read\x00", false},
		{strings.Repeat("a", 60) + ":read", false},
	}
	for _, tt := range tests {
		if got := Valid(tt.name); got != tt.want {
			t.Errorf("Valid(%q) = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWriteDoesNotImplyRead(t *testing.T) {
	x := NewIndex([]string{"orders:read", "orders:write"})
	if x.Set([]string{"orders:write"}).Contains(x.Set([]string{"orders:read"})) {
		t.Error("a set of orders:write contains orders:read")
	}
}

func TestSetOfManyAbilities(t *testing.T) {
	names := make([]string, MaxAbilities)
	for i := range names {
		names[i] = "r:a" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
	}
	x := NewIndex(names)
	for i, name := range names {
		s := x.Set([]string{name, "left:catalogue"})
		if !s.Has(i) || !slices.Equal(x.Names(s), []string{name}) {
			t.Fatalf("ability %d: got %v, want [%s]", i, x.Names(s), name)
		}
		if !x.All().Contains(s) || !x.All().Without(s).And(s).Empty() {
			t.Fatalf("ability %d: set operations disagree", i)
		}
	}
}

func TestDecidingDoesNotAllocate(t *testing.T) {
	x := NewIndex([]string{"orders:read", "orders:write"})
	need, have := x.Set([]string{"orders:read"}), x.All()
	if n := testing.AllocsPerRun(100, func() {
		if !have.And(x.All()).Contains(need) {
			t.Fatal("not contained")
		}
	}); n > 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestWider(t *testing.T) {
	got := Wider([]string{"orders:read"}, []string{"orders:read", "orders:write"})
	if !slices.Equal(got, []string{"orders:write"}) {
		t.Errorf("got %v, want [orders:write]", got)
	}
}
