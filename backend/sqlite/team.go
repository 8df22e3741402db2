package sqlite

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const teamColumns = `id, name, platform, created_at, abilities, rev`

func scanTeam(scan scanner) (t portal.Team, err error) {
	err = scan(&t.ID, &t.Name, &t.Platform, at{&t.CreatedAt}, fromJSON{&t.Policy.Abilities}, &t.Rev)
	return t, err
}

// policyText returns a team's abilities as they are stored: NULL means all.
func policyText(p portal.TeamPolicy) (any, error) {
	if p.Abilities == nil {
		return nil, nil
	}
	return jsonText(p.Abilities)
}

// InsertTeam implements portal.TeamStore. Conflict: the id is taken, or there is
// a platform team already.
func (s *Store) InsertTeam(ctx context.Context, t portal.Team) error {
	policy, err := policyText(t.Policy)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(`INSERT INTO teams (`+teamColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
			t.ID, t.Name, t.Platform, t.CreatedAt.UnixMilli(), policy, t.Rev)
		return idTaken(err)
	})
}

// ReplaceTeam implements portal.TeamStore. Conflict: another team is the
// platform team.
func (s *Store) ReplaceTeam(ctx context.Context, t portal.Team) error {
	policy, err := policyText(t.Policy)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		// Only what stands in portal.Standing changes records.
		if err := w.touchAll(`SELECT t.id FROM teams x JOIN tokens t ON t.team = x.id
			WHERE x.id = ? AND (x.platform <> ? OR x.abilities IS NOT ?)`, t.ID, t.Platform, policy); err != nil {
			return err
		}
		return idTaken(w.execOne("Team", `UPDATE teams SET name = ?, platform = ?, created_at = ?, abilities = ?, rev = ? WHERE id = ?`,
			t.Name, t.Platform, t.CreatedAt.UnixMilli(), policy, t.Rev, t.ID))
	})
}

// Team implements portal.TeamStore.
func (s *Store) Team(ctx context.Context, id string) (portal.Team, error) {
	return readOne(ctx, s, "Team", `SELECT `+teamColumns+` FROM teams WHERE id = ?`, []any{id}, scanTeam)
}

// Teams implements portal.TeamStore.
func (s *Store) Teams(ctx context.Context, ids []string) ([]portal.Team, error) {
	if len(ids) == 0 {
		return nil, s.idle(ctx)
	}
	in, args := anyOf(ids)
	return readList(ctx, s, `SELECT `+teamColumns+` FROM teams WHERE id IN `+in, args, scanTeam)
}

// TeamsNamed implements portal.TeamStore.
func (s *Store) TeamsNamed(ctx context.Context, name string) ([]portal.Team, error) {
	return readList(ctx, s, `SELECT `+teamColumns+` FROM teams WHERE name = ? ORDER BY id`, []any{name}, scanTeam)
}

// PlatformTeam implements portal.TeamStore.
func (s *Store) PlatformTeam(ctx context.Context) (portal.Team, error) {
	return readOne(ctx, s, "Platform team", `SELECT `+teamColumns+` FROM teams WHERE platform = 1`, nil, scanTeam)
}

// DeleteTeam implements portal.TeamStore. Members, orders and names go by their
// foreign keys.
func (s *Store) DeleteTeam(ctx context.Context, id string, at time.Time) error {
	return s.write(ctx, func(w *work) error {
		if err := w.touchAll(`SELECT id FROM tokens WHERE team = ?`, id); err != nil {
			return err
		}
		if err := w.execOne("Team", `DELETE FROM teams WHERE id = ?`, id); err != nil {
			return err
		}
		if _, err := w.exec(`UPDATE tokens SET revoked_at = ? WHERE team = ? AND revoked_at IS NULL`, at.UnixMilli(), id); err != nil {
			return err
		}
		if err := w.settleRollups(); err != nil {
			return err
		}
		for _, table := range []string{"calls", "rollups"} {
			if _, err := w.exec(`DELETE FROM `+table+` WHERE team = ?`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
