package sqlite

import (
	"context"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func scanMember(scan scanner) (m portal.Member, err error) {
	err = scan(&m.Team, &m.User, &m.Role, at{&m.JoinedAt})
	return m, err
}

// madeBy finds the tokens whose standing hangs on one membership.
const madeBy = `SELECT id FROM tokens WHERE team = ? AND maker = ?`

// SaveMember implements portal.MemberStore. NotFound: the team or the user is gone.
func (s *Store) SaveMember(ctx context.Context, m portal.Member) error {
	return s.write(ctx, func(w *work) error {
		if err := w.touchAll(madeBy, m.Team, m.User); err != nil {
			return err
		}
		_, err := w.exec(`INSERT INTO members (team, user, role, joined_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (team, user) DO UPDATE SET role = excluded.role, joined_at = excluded.joined_at`,
			m.Team, m.User, string(m.Role), m.JoinedAt.UnixMilli())
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
	return readOne(ctx, s, "Member", `SELECT team, user, role, joined_at FROM members WHERE team = ? AND user = ?`,
		[]any{team, user}, scanMember)
}

// Members implements portal.MemberStore.
func (s *Store) Members(ctx context.Context, team string) ([]portal.Member, error) {
	return readList(ctx, s, `SELECT team, user, role, joined_at FROM members WHERE team = ? ORDER BY joined_at, user`,
		[]any{team}, scanMember)
}

// Memberships implements portal.MemberStore.
func (s *Store) Memberships(ctx context.Context, user string) ([]portal.Member, error) {
	return readList(ctx, s, `SELECT team, user, role, joined_at FROM members WHERE user = ? ORDER BY joined_at, team`,
		[]any{user}, scanMember)
}
