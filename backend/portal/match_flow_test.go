package portal_test

import (
	"crypto/rand"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Who changes what is there, whatever its revision, is not refused for a change
// that comes between. Who names a revision is.
func TestAChangeThatComesBetween(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	tok := w.token(ada, nil)
	d := w.wants(portal.OK, tok.secret)
	o := get[portal.Order](t)(w.CreateOrder(w.ctx, &d, portal.NewOrder{Reference: "PO-1", Currency: "EUR"}))
	whatever := new(portal.AnyRev)
	for _, tt := range []struct {
		name, id string
		change   func(id string, match *int64) (rev int64, err error)
	}{
		{"RenameTeam", ada.team, func(id string, match *int64) (int64, error) {
			m, err := w.RenameTeam(w.ctx, ada.Person, id, new(rand.Text()), match)
			return m.Team.Rev, err
		}},
		{"UpdateToken", tok.ID, func(id string, match *int64) (int64, error) {
			v, err := w.UpdateToken(w.ctx, ada.Person, ada.team, id, match, portal.TokenChange{Name: new(rand.Text())})
			return v.Rev, err
		}},
		{"UpdateOrder", o.ID, func(id string, match *int64) (int64, error) {
			o, err := w.UpdateOrder(w.ctx, &d, id, match, portal.OrderChange{Reference: new(rand.Text())})
			return o.Version, err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen, between int64
			other := func() (err error) {
				between, err = tt.change(tt.id, whatever)
				return err
			}
			w.meanwhile(other)
			if seen = get[int64](t)(tt.change(tt.id, whatever)); seen <= between || between == 0 {
				t.Errorf("got revision %d after %d, want both changes made", seen, between)
			}
			w.meanwhile(other)
			_, err := tt.change(tt.id, &seen)
			refused(t, err, "precondition-failed")
			if between <= seen {
				t.Error("nothing came between")
			}
			_, err = tt.change("none", whatever)
			refused(t, err, "not-found")
		})
	}
}

// A change that names no name does not bring back the one that was there when it
// began.
func TestATeamRenamedMeanwhile(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	w.meanwhile(func() error {
		_, err := w.RenameTeam(w.ctx, ada.Person, ada.team, new("Second"), new(portal.AnyRev))
		return err
	})
	m := get[portal.Membership](t)(w.RenameTeam(w.ctx, ada.Person, ada.team, nil, new(portal.AnyRev)))
	if m.Team.Name != "Second" {
		t.Errorf("got %q, want the name it was given meanwhile", m.Team.Name)
	}
	w.wantActions(ada.team, 0, "team.created", "team.renamed")
}
