package portal

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// AccountChange is what a person changes of their own account; nil leaves a field
// as it is.
type AccountChange struct {
	Name     *string
	LastTeam *string // the team looked at last; "" forgets it
}

// UpdateAccount changes the person's own account. LastTeam is where the portal
// opens the next time: a convenience that decides nothing, so it leaves no event.
// NotFound for a team they are not in.
func (p *Portal) UpdateAccount(ctx context.Context, who Person, c AccountChange) (User, error) {
	name := ""
	if c.Name != nil {
		name = normalName(*c.Name)
		if err := checkName("#/name", name); err != nil {
			return User{}, err
		}
	}
	if c.LastTeam != nil && *c.LastTeam != "" {
		if _, err := p.member(ctx, who, *c.LastTeam, ViewTeam); err != nil {
			return User{}, err
		}
	}
	var u User
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if u, err = p.store.User(ctx, who.User.ID); err != nil {
			return err
		}
		old := u
		if c.Name != nil {
			u.Name = name
		}
		if c.LastTeam != nil {
			u.LastTeam = *c.LastTeam
		}
		if u == old {
			return nil
		}
		u.Version++
		if err := p.store.ReplaceUser(ctx, u); err != nil {
			return err
		}
		if u.Name == old.Name {
			return p.stillIn(ctx, who)
		}
		_, err = p.appendAs(ctx, who, u.ID, audit.UserRenamed, u.ID, map[string]any{"from": old.Name, "to": u.Name})
		return err
	})
	return u, err
}

// ChangePassword replaces the person's password, ends every other session of
// theirs, gives this one a new cookie, and tells them by mail. Once it has
// answered, nothing is changed any more for a session that it ended, by whatever
// request. A wrong current password is Invalid at #/current, a bad new one at
// #/password.
func (p *Portal) ChangePassword(ctx context.Context, who Person, current, password string) (Renewal, error) {
	if err := checkPassword("#/password", password, who.User.Name, who.User.Email); err != nil {
		return Renewal{}, err
	}
	hash, err := p.hash(ctx, password) // before the transaction, which shall be short
	if err != nil {
		return Renewal{}, err
	}
	var r Renewal
	err = p.withOwnPassword(ctx, who, "#/current", current, func(ctx context.Context, u User) error {
		u.PasswordHash, u.Version = hash, u.Version+1
		if err := p.store.ReplaceUser(ctx, u); err != nil {
			return err
		}
		ended, err := p.store.DeleteSessions(ctx, u.ID, who.Session.ID)
		if err != nil {
			return err
		}
		_, err = p.appendAs(ctx, who, u.ID, audit.UserPasswordChanged, u.ID, map[string]any{"sessions_ended": ended})
		if err != nil {
			return err
		}
		r, err = p.renewSession(ctx, who, who.Session.FreshUntil)
		return err
	})
	if err != nil {
		return Renewal{}, err
	}
	if err := p.mailer.Send(ctx, p.mailPasswordChanged(who.User)); err != nil {
		p.log.WarnContext(ctx, "the mail about a changed password was not queued", "user", who.User.ID, "error", err)
	}
	return r, nil
}

// AccountEvents lists the person's own security log, newest first.
func (p *Portal) AccountEvents(ctx context.Context, who Person, q EventQuery) (EventPage, error) {
	q.Target = ""
	return p.events(ctx, who.User.ID, nil, q)
}
