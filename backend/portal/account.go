package portal

import (
	"context"
	"strings"
)

// Rename changes the person's own name.
func (p *Portal) Rename(ctx context.Context, who Person, name string) (User, error) {
	name = strings.TrimSpace(name)
	if err := checkName("#/name", name); err != nil {
		return User{}, err
	}
	var u User
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if u, err = p.store.User(ctx, who.User.ID); err != nil || u.Name == name {
			return err
		}
		data := map[string]any{"from": u.Name, "to": name}
		u.Name, u.Version = name, u.Version+1
		if err := p.store.ReplaceUser(ctx, u); err != nil {
			return err
		}
		_, err = p.store.Append(ctx, p.event(u.ID, u.ID, "user.renamed", u.ID, who.Origin, data))
		return err
	})
	return u, err
}

// ChangePassword replaces the person's password, ends every other session of
// theirs, and tells them by mail. A wrong current password is Invalid at
// #/current, a bad new one at #/password.
func (p *Portal) ChangePassword(ctx context.Context, who Person, current, password string) error {
	if err := checkPassword("#/password", password, who.User.Name, who.User.Email); err != nil {
		return err
	}
	if err := p.rightPassword(ctx, who, "#/current", current); err != nil {
		return err
	}
	hash, err := p.hash(ctx, password)
	if err != nil {
		return err
	}
	err = p.atomically(ctx, func(ctx context.Context) error {
		u, err := p.store.User(ctx, who.User.ID)
		if err != nil {
			return err
		}
		u.PasswordHash, u.Version = hash, u.Version+1
		if err := p.store.ReplaceUser(ctx, u); err != nil {
			return err
		}
		ended, err := p.store.DeleteSessions(ctx, u.ID, who.Session.ID)
		if err != nil {
			return err
		}
		_, err = p.store.Append(ctx, p.event(u.ID, u.ID, "user.password_changed", u.ID, who.Origin, map[string]any{"sessions_ended": ended}))
		return err
	})
	if err != nil {
		return err
	}
	if err := p.mailer.Send(ctx, p.mailPasswordChanged(who.User)); err != nil {
		p.log.WarnContext(ctx, "the mail about a changed password was not queued", "user", who.User.ID, "error", err)
	}
	return nil
}

// AccountEvents lists the person's own security log, newest first.
func (p *Portal) AccountEvents(ctx context.Context, who Person, q EventQuery) (EventPage, error) {
	q.Target = ""
	return p.events(ctx, who.User.ID, nil, q)
}
