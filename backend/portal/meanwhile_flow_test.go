package portal_test

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	nextPassword = "another horse with a red umbrella"
	bcrypted     = "$2a$04$Xc.eLKIO9xWruTuj5d.gBuZMihXlvH5nyOVI.fZdUKu3IwwzfjYXO" // of password
)

// meanwhile has something happen once between what the next request looked at
// and its transaction.
func (w *world) meanwhile(do func() error) {
	w.store.before = func(string) error {
		w.store.before = nil
		return do()
	}
}

// A password that was right when it was compared is worth nothing if it is not
// right any more in the transaction. The refusal is that of a wrong password.
func TestAPasswordThatChangesWhileItIsCompared(t *testing.T) {
	disable := func(w *world, ada person) error {
		u, err := w.store.User(w.ctx, ada.User.ID)
		if err != nil {
			return err
		}
		u.DisabledAt = w.now
		return w.store.ReplaceUser(w.ctx, u)
	}
	change := func(w *world, ada person) error {
		_, err := w.ChangePassword(w.ctx, ada.Person, password, nextPassword)
		return err
	}
	signIn := func(w *world, ada person) error {
		_, err := w.SignIn(w.ctx, "ada@example.com", password, home)
		return err
	}
	confirm := func(w *world, ada person) error {
		_, err := w.ConfirmPassword(w.ctx, ada.Person, password)
		return err
	}
	again := func(w *world, ada person) error {
		_, err := w.ChangePassword(w.ctx, ada.Person, password, "a third horse without umbrella")
		return err
	}
	for _, tt := range []struct {
		name      string
		meanwhile func(w *world, ada person) error
		do        func(w *world, ada person) error
		want      string // "": none
		last      string // action in the person's own log
	}{
		{"sign in, changed", change, signIn, "invalid #/email", "user.sign_in_refused"},
		{"sign in, disabled", disable, signIn, "invalid #/email", "user.sign_in_refused"},
		{"sign in, hashed anew", signIn, signIn, "", "user.signed_in"},
		{"confirm, changed", change, confirm, "invalid #/password", "user.sign_in_refused"},
		{"confirm, disabled", disable, confirm, "invalid #/password", "user.sign_in_refused"},
		{"confirm, hashed anew", signIn, confirm, "", "user.signed_in"},
		{"change, changed", change, again, "invalid #/current", "user.sign_in_refused"},
		{"change, disabled", disable, again, "invalid #/current", "user.sign_in_refused"},
		{"change, hashed anew", signIn, again, "", "user.password_changed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			ada := w.signedUp("Ada")
			ada.User.PasswordHash = bcrypted // which a sign-in replaces
			noError(t, w.store.ReplaceUser(w.ctx, ada.User))
			w.now = w.now.Add(time.Hour)
			w.meanwhile(func() error { return tt.meanwhile(w, ada) })
			if err := tt.do(w, ada); tt.want == "" {
				noError(t, err)
			} else {
				refused(t, err, tt.want)
			}
			if actions := w.actions(ada.User.ID, 0); actions[len(actions)-1] != tt.last {
				t.Errorf("got events %v, want %s at the end", actions, tt.last)
			}
			if tt.want == "" {
				return
			}
			for _, s := range get[[]portal.Session](t)(w.store.Sessions(w.ctx, ada.User.ID)) {
				if s.ID != ada.Session.ID || s.FreshUntil.After(w.now) {
					t.Errorf("got %+v, want no other session and none that is fresh", s)
				}
			}
			if _, err := w.SignIn(w.ctx, "ada@example.com", "a third horse without umbrella", home); err == nil {
				t.Error("the password of the second change holds")
			}
		})
	}
}

// An account that is gone by then is a wrong password too.
func TestAnAccountThatGoesWhileItsPasswordIsCompared(t *testing.T) {
	w := newWorld(t)
	ada := w.signedUp("Ada")
	w.meanwhile(func() error { return w.store.DeleteUser(w.ctx, ada.User.ID) })
	_, err := w.SignIn(w.ctx, "ada@example.com", password, home)
	refused(t, err, "invalid #/email")
}

// Every change that a person makes is for a session that is still there. One
// that ended while the request was under way changes nothing.
func TestASessionThatEndsWhileItActs(t *testing.T) {
	ends := []struct {
		name string
		end  func(w *world, ada, other portal.Person) error
	}{
		{"signed out", func(w *world, ada, _ portal.Person) error { return w.SignOut(w.ctx, ada) }},
		{"the password changed", func(w *world, _, other portal.Person) error {
			_, err := w.ChangePassword(w.ctx, other, password, nextPassword)
			return err
		}},
		{"disabled", func(w *world, ada, _ portal.Person) error {
			ada.User.DisabledAt = w.now
			return w.store.ReplaceUser(w.ctx, ada.User)
		}},
	}
	for _, change := range []struct {
		name string
		do   func(w *world, ada person, bob, token string) error
	}{
		{"UpdateAccount, name", func(w *world, ada person, _, _ string) error {
			_, err := w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{Name: new("Eve")})
			return err
		}},
		{"UpdateAccount, team", func(w *world, ada person, _, _ string) error {
			_, err := w.UpdateAccount(w.ctx, ada.Person, portal.AccountChange{LastTeam: &ada.team})
			return err
		}},
		{"CreateTeam", func(w *world, ada person, _, _ string) error {
			_, err := w.CreateTeam(w.ctx, ada.Person, "Second")
			return err
		}},
		{"RenameTeam", func(w *world, ada person, _, _ string) error {
			_, err := w.RenameTeam(w.ctx, ada.Person, ada.team, new("Third"), new(int64(1)))
			return err
		}},
		{"AddMember", func(w *world, ada person, bob, _ string) error {
			return w.AddMember(w.ctx, ada.Person, ada.team, bob, portal.Owner)
		}},
		{"CreateToken", func(w *world, ada person, _, _ string) error {
			_, _, err := w.CreateToken(w.ctx, ada.Person, ada.team, portal.NewToken{Name: "x", Env: portal.Live})
			return err
		}},
		{"UpdateToken", func(w *world, ada person, _, token string) error {
			_, err := w.UpdateToken(w.ctx, ada.Person, ada.team, token, new(int64(2)), portal.TokenChange{Name: new("y")})
			return err
		}},
		{"RotateToken", func(w *world, ada person, _, token string) error {
			_, _, err := w.RotateToken(w.ctx, ada.Person, ada.team, token, portal.Rotation{})
			return err
		}},
		{"SuspendToken", func(w *world, ada person, _, token string) error {
			_, err := w.SuspendToken(w.ctx, ada.Person, ada.team, token, portal.Reason{})
			return err
		}},
		{"RevokeAll", func(w *world, ada person, _, _ string) error {
			_, _, err := w.RevokeAll(w.ctx, ada.Person, ada.team, "", portal.Reason{})
			return err
		}},
		{"with an Idempotency-Key", func(w *world, ada person, _, _ string) error {
			scope := portal.IdempotentScope{Team: ada.team, Principal: ada.User.ID, Method: "POST", Route: "/", Key: "k"}
			_, _, err := w.Idempotent(w.ctx, scope, nil, nil, func(ctx context.Context) (portal.Answer, error) {
				_, _, err := w.CreateToken(ctx, ada.Person, ada.team, portal.NewToken{Name: "x", Env: portal.Live})
				return portal.Answer{}, err
			})
			return err
		}},
	} {
		for _, tt := range ends {
			t.Run(change.name+", "+tt.name, func(t *testing.T) {
				w := newWorld(t)
				bob := w.signedUp("Bob")
				ada := w.signedUp("Ada")
				token := w.token(ada, nil).ID
				other := get[portal.SignedIn](t)(w.SignIn(w.ctx, "ada@example.com", password, home)).Person
				n := len(w.events(ada.team))
				before := get[portal.User](t)(w.store.User(w.ctx, ada.User.ID))
				w.meanwhile(func() error { return tt.end(w, ada.Person, other) })
				refused(t, change.do(w, ada, bob.User.ID, token), "signed-out")
				w.wantActions(ada.team, n)
				after := get[portal.User](t)(w.store.User(w.ctx, ada.User.ID))
				if after.Name != before.Name || after.LastTeam != before.LastTeam {
					t.Errorf("got %+v, want the account as it was", after)
				}
				if teams := get[[]portal.Member](t)(w.store.Memberships(w.ctx, ada.User.ID)); len(teams) != 1 {
					t.Errorf("got %d teams, want no new one", len(teams))
				}
			})
		}
	}
}
