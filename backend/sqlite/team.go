package sqlite

import (
	"context"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var teams = newTable("teams", 1, func(column columns, t *portal.Team) {
	column("id", &t.ID)
	column("name", &t.Name)
	column("platform", &t.Platform)
	column("created_at", at{&t.CreatedAt})
	column("abilities", jsonOrNull{&t.Policy.Abilities})
	column("rev", &t.Rev)
})

// InsertTeam implements portal.TeamStore. Conflict: the id is taken, or there is
// a platform team already.
func (s *Store) InsertTeam(ctx context.Context, t portal.Team) error {
	return s.write(ctx, func(w *work) error {
		_, err := w.exec(teams.insert, teams.fields(&t)...)
		return idTaken(err)
	})
}

// ReplaceTeam implements portal.TeamStore. Conflict: another team is the
// platform team.
func (s *Store) ReplaceTeam(ctx context.Context, t portal.Team) error {
	return s.write(ctx, func(w *work) error {
		// Only what stands in portal.Standing changes records.
		if err := w.touchAll(`SELECT t.id FROM teams x JOIN tokens t ON t.team = x.id
			WHERE x.id = ? AND (x.platform <> ? OR x.abilities IS NOT ?)`, t.ID, t.Platform, jsonOrNull{&t.Policy.Abilities}); err != nil {
			return err
		}
		return idTaken(w.execOne("Team", teams.update, teams.changes(&t)...))
	})
}

// Team implements portal.TeamStore.
func (s *Store) Team(ctx context.Context, id string) (portal.Team, error) {
	return teams.one(ctx, s, "Team", `WHERE id = ?`, id)
}

// Teams implements portal.TeamStore.
func (s *Store) Teams(ctx context.Context, ids []string) ([]portal.Team, error) {
	if len(ids) == 0 {
		return nil, s.idle(ctx)
	}
	in, arg := anyOf(ids)
	return teams.all(ctx, s, `WHERE id IN `+in, arg)
}

// TeamsNamed implements portal.TeamStore.
func (s *Store) TeamsNamed(ctx context.Context, name string) ([]portal.Team, error) {
	return teams.all(ctx, s, `WHERE name = ? ORDER BY id`, name)
}

// PlatformTeam implements portal.TeamStore.
func (s *Store) PlatformTeam(ctx context.Context) (portal.Team, error) {
	return teams.one(ctx, s, "Platform team", `WHERE platform = 1`)
}

// DeleteTeam implements portal.TeamStore. Members, orders and names go by their
// foreign keys.
func (s *Store) DeleteTeam(ctx context.Context, id string, at time.Time) error {
	if err := s.settle(ctx); err != nil { // most of it before the transaction, which shall be short
		return err
	}
	return s.Atomically(ctx, func(ctx context.Context) error {
		if err := s.settle(ctx); err != nil { // all of it: what is left of the team would be added later
			return err
		}
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
			for _, table := range []string{"calls", "rollups"} {
				if _, err := w.exec(`DELETE FROM `+table+` WHERE team = ?`, id); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
