package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var members = newTable("members", 2, func(column columns, m *portal.Member) {
	column("team", &m.Team)
	column("user", &m.User)
	column("role", &m.Role)
	column("joined_at", at{&m.JoinedAt})
})

// madeBy finds the tokens whose standing hangs on one membership.
const madeBy = `SELECT id FROM tokens WHERE team = ? AND maker = ?`

// SaveMember implements portal.MemberStore. NotFound: the team or the user is gone.
func (s *Store) SaveMember(ctx context.Context, m portal.Member) error {
	return s.write(ctx, func(w *work) error {
		if err := w.touchAll(madeBy, m.Team, m.User); err != nil {
			return err
		}
		_, err := w.exec(members.upsert, members.fields(&m)...)
		return err
	})
}

// DeleteMember implements portal.MemberStore.
func (s *Store) DeleteMember(ctx context.Context, team, user string) error {
	return s.write(ctx, func(w *work) error {
		if err := w.touchAll(madeBy, team, user); err != nil {
			return err
		}
		return w.execOne("Member", `DELETE FROM members WHERE team = ? AND user = ?`, team, user)
	})
}

// Member implements portal.MemberStore.
func (s *Store) Member(ctx context.Context, team, user string) (portal.Member, error) {
	return members.one(ctx, s, "Member", `WHERE team = ? AND user = ?`, team, user)
}

// Members implements portal.MemberStore.
func (s *Store) Members(ctx context.Context, team string) ([]portal.Member, error) {
	return members.all(ctx, s, `WHERE team = ? ORDER BY joined_at, user`, team)
}

// Memberships implements portal.MemberStore.
func (s *Store) Memberships(ctx context.Context, user string) ([]portal.Member, error) {
	return members.all(ctx, s, `WHERE user = ? ORDER BY joined_at, team`, user)
}
