package ui

import (
	"slices"
	"strconv"
	"testing"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// deadSecret is an alarm that stands for so many tries from an address.
func deadSecret(seq int64, times int, address string) api.Event {
	e := api.Event{
		Seq: seq, Actor: "anonymous", ActorName: "Somebody", Action: "token.dead_secret_used", Target: "tok1",
		Summary: "tried a dead secret of the token ERP", Data: map[string]any{"address": address, "count": float64(times)},
	}
	if times > 1 {
		e.Summary += ", " + strconv.Itoa(times) + " times since it was last told"
	}
	return e
}

func signedInFrom(seq int64, address string) api.Event {
	return api.Event{Seq: seq, Actor: "usr_ada", ActorName: "Ada", Action: "user.signed_in", Target: "usr_ada", Summary: "signed in", Data: map[string]any{"address": address}}
}

func TestEventRuns(t *testing.T) {
	other := api.Event{Seq: 4, Actor: "usr_ada", Action: "token.resumed", Target: "tok1", Summary: "resumed the token ERP"}
	tests := []struct {
		name string
		list []api.Event
		want []int // lengths
	}{
		{"nothing", nil, nil},
		{"two are read as fast", []api.Event{deadSecret(2, 1, "a"), deadSecret(1, 1, "a")}, []int{1, 1}},
		{"three", []api.Event{deadSecret(3, 5, "a"), deadSecret(2, 1, "b"), deadSecret(1, 3, "a")}, []int{3}},
		{"another between", []api.Event{deadSecret(6, 1, "a"), deadSecret(5, 1, "a"), other, deadSecret(3, 1, "a"), deadSecret(2, 1, "a"), deadSecret(1, 1, "a")}, []int{1, 1, 1, 3}},
		{"signing in from one place", []api.Event{signedInFrom(3, "a"), signedInFrom(2, "a"), signedInFrom(1, "a")}, []int{3}},
		{"and from another is told", []api.Event{signedInFrom(3, "a"), signedInFrom(2, "b"), signedInFrom(1, "a")}, []int{1, 1, 1}},
	}
	for _, tt := range tests {
		var got []int
		for _, r := range eventRuns(tt.list) {
			got = append(got, len(r))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestARunIsOneLineThatUnfolds(t *testing.T) {
	d := deskWith(map[string]any{"GET /events": api.List[api.Event]{Data: []api.Event{
		deadSecret(1204, 5, "192.0.2.1"), deadSecret(1203, 1, "192.0.2.2"), deadSecret(1202, 3, "192.0.2.1"),
	}}})
	l := &eventLog{At: at(d, "owner", "/audit")}
	do := page(t, l)
	drawn(t, l, "9 times", ">2 addresses<", "1202–1204", `aria-expanded="false"`, "!since it was last told", "3 events")
	do(func(app.Context) { l.spread = map[int64]bool{1204: true} })
	drawn(t, l, "9 times", "5 times since it was last told", "192.0.2.2", "is-part")
}
