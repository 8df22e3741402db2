package block

import (
	"encoding/hex"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var at0 = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestHourEnd(t *testing.T) {
	for _, at := range []time.Time{
		time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(1), at0, at0.Truncate(time.Hour), at0.Truncate(time.Hour).Add(-1e6), {},
	} {
		end := time.UnixMilli(HourEnd(at.UnixMilli()))
		if !at.Before(end) || end.Sub(at) > time.Hour || end.UnixMilli()%hour != 0 {
			t.Errorf("%v: got %v, want the end of its hour", at, end)
		}
	}
}

// FuzzUnpack holds the reading of damaged bytes to an error.
func FuzzUnpack(f *testing.F) {
	b := &Block{Calls: []*portal.Call{
		{ID: "a", At: at0, Token: "t", Status: 200, Address: netip.MustParseAddr("192.0.2.7"), UserAgent: "x"},
		{ID: "b", At: at0.Add(-time.Second), Token: "t", Address: netip.MustParseAddr("fe80::1%eth0"), Bytes: -1},
	}}
	f.Add(b.Pack())
	f.Add(PackSums([]portal.Rollup{{Team: "t", Calls: 3, Bucket: [portal.Buckets]int64{5: 3}}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var calls []*portal.Call
		if Unpack("", data, func(c *portal.Call) { calls = append(calls, new(*c)) }) == nil {
			var again []*portal.Call
			err := Unpack("", (&Block{Calls: calls}).Pack(), func(c *portal.Call) { again = append(again, new(*c)) })
			if err != nil || !reflect.DeepEqual(again, calls) {
				t.Errorf("got %+v %v, want %+v", again, err, calls)
			}
		}
		_ = UnpackSums(data, new(Sums).Add)
	})
}

func TestSumsOfOneKindAreAddedUp(t *testing.T) {
	var sums Sums
	r := portal.Rollup{Team: "t", Step: portal.Hour, At: at0, Token: "tok", Route: "GET /", Status: 200, Calls: 3, Bucket: [portal.Buckets]int64{5: 3}}
	other := r
	other.Status = 404
	if err := UnpackSums(PackSums([]portal.Rollup{r, other, r}), sums.Add); err != nil {
		t.Fatal(err)
	}
	r.Calls, r.Bucket[5] = 6, 6
	if got := sums.List(); !reflect.DeepEqual(got, []portal.Rollup{r, other}) {
		t.Errorf("got %+v, want twice the first and the other", got)
	}
}

func TestCut(t *testing.T) {
	var calls []portal.Call
	for i := range 4 {
		calls = append(calls, portal.Call{ID: string(rune('a' + i)), Team: "t", At: at0.Add(time.Duration(i) * time.Second), Status: 200})
	}
	b := Of(calls)[0]
	for _, tt := range []struct {
		name          string
		before        time.Time
		limit         int
		removed, left int
	}{
		{"none is before", at0, 9, 0, 4},
		{"two are before", at0.Add(2 * time.Second), 9, 2, 2},
		{"one is enough", at0.Add(2 * time.Second), 1, 1, 3},
		{"all", at0.Add(time.Hour), 9, 4, 0},
	} {
		left, removed, err := Cut(b, b.Pack(), tt.before, tt.limit)
		if err != nil || removed != tt.removed || len(left.Calls) != tt.left || left.NewestAt != b.NewestAt || left.FirstID != b.FirstID {
			t.Errorf("%s: got %+v, %d removed and %v, want %d and %d left", tt.name, left, removed, err, tt.removed, tt.left)
		}
		if tt.left > 0 && left.OldestAt != left.Calls[0].At.UnixMilli() {
			t.Errorf("%s: got the oldest at %d, want that of what is left", tt.name, left.OldestAt)
		}
	}
}

// Written by the first version that sums hours only.
const (
	goldenBlock = "b0c8e9f3966701610003746f6b02000347455400012f900300026f6bb40180080004c0000207020172cf0f016202040202a6060014696e73756666696369656e74" +
		"2d6162696c69747900010014fe80000000000000000000000000000165746830000000d00f0163010008030008000008000178000001640100020300080000050900"
	goldenSummed = "0001740004686f757280e2bcf396670003746f6b0005474554202f90030602050421020001750280e2bcf396670101900306010006010280e2bcf3966703049003060205042102"
)

// What earlier versions packed is read, and packed again to the same bytes.
func TestPackedBytesStay(t *testing.T) {
	calls := goldenCalls()
	data := (&Block{Calls: calls}).Pack()
	if got := hex.EncodeToString(data); got != goldenBlock {
		t.Errorf("got calls  %s\nwant       %s", got, goldenBlock)
	}
	if got := hex.EncodeToString(PackSums(goldenSums())); got != goldenSummed {
		t.Errorf("got sums   %s\nwant       %s", got, goldenSummed)
	}
	var again []*portal.Call
	if err := Unpack("", data, func(c *portal.Call) { again = append(again, new(*c)) }); err != nil || !reflect.DeepEqual(again, calls) {
		t.Errorf("got %+v %v, want what was packed", again, err)
	}
}

func goldenCalls() []*portal.Call {
	at := at0.Truncate(time.Millisecond)
	return []*portal.Call{
		{ID: "a", At: at, Token: "tok", Generation: 1, Method: "GET", Route: "/", Status: 200, Code: portal.OK, Duration: 90, Bytes: 512, Address: netip.MustParseAddr("192.0.2.7"), UserAgent: "GET", RequestID: "r"},
		{ID: "b", At: at.Add(-time.Second), Token: "GET", Generation: 2, Method: "GET", Route: "GET", Status: 403, Code: portal.Insufficient, Bytes: -1, Address: netip.MustParseAddr("fe80::1%eth0"), UserAgent: "", RequestID: ""},
		{ID: "c", At: at, Token: "tok", Method: "", Route: "/", UserAgent: "x"},
		{ID: "d", At: at, Token: "tok", Method: "GET", Route: "/", Address: netip.MustParseAddr("192.0.2.7"), UserAgent: "x"},
	}
}

func goldenSums() []portal.Rollup {
	r := portal.Rollup{Team: "t", Step: portal.Hour, At: at0.Truncate(time.Hour), Token: "tok", Route: "GET /", Status: 200, Calls: 3, Bucket: [portal.Buckets]int64{5: 2, 33: 1}}
	other := r
	other.Team, other.Token, other.Route, other.Bucket = "u", "t", "t", [portal.Buckets]int64{0: 3}
	return []portal.Rollup{r, other, r}
}
