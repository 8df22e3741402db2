package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"net/netip"
	"strings"
	"time"
	"unique"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// maxRecords is how many tokens are read at once by their ids.
const maxRecords = 128

var tokens = newTable("tokens", 1, func(column columns, t *portal.Token) {
	column("id", &t.ID)
	column("team", &t.Team)
	column("name", &t.Name)
	column("name_folded", folded{&t.Name})
	column("note", &t.Note)
	column("env", &t.Env)
	column("abilities", asJSON{&t.Abilities})
	column("addresses", asJSON{&t.Addresses})
	column("quota", &t.RateLimit.Quota)
	column("window_ns", (*int64)(&t.RateLimit.Window))
	column("maker", &t.Maker)
	column("created_at", at{&t.CreatedAt})
	column("expires_at", atOrNull{&t.ExpiresAt})
	column("not_before", atOrNull{&t.NotBefore})
	column("suspended_at", atOrNull{&t.SuspendedAt})
	column("suspended_by", &t.SuspendedBy)
	column("suspend_reason", &t.SuspendReason)
	column("revoked_at", atOrNull{&t.RevokedAt})
	column("revoked_by", &t.RevokedBy)
	column("revoke_reason", &t.RevokeReason)
	column("revoke_note", &t.RevokeNote)
	column("first_used_at", atOrNull{&t.FirstUsedAt})
	column("last_used_at", atOrNull{&t.LastUsedAt})
	column("last_used_from", &t.LastUsedFrom)
	column("generations", asJSON{(*generations)(&t.Generations)})
	column("rev", &t.Rev)
})

// tokenRows reads tokens. What stands in portal.Standing comes from the team and
// the maker, so it is in step whatever changes.
var tokenRows = view[portal.Token]{
	query: `SELECT t.` + strings.Join(tokens.names, ", t.") + `,
	CASE WHEN u.id IS NULL THEN '' ELSE coalesce(m.role, '') END, coalesce(x.platform, 0), x.abilities
	FROM tokens t LEFT JOIN teams x ON x.id = t.team LEFT JOIN members m ON m.team = t.team AND m.user = t.maker
	LEFT JOIN users u ON u.id = t.maker AND u.disabled_at IS NULL`,
	fields: func(t *portal.Token) []any {
		return append(tokens.fields(t), &t.Standing.MakerRole, &t.Standing.PlatformTeam, jsonOrNull{&t.Standing.TeamAbilities})
	},
}

// folded is a name in lower case, for the search. It is stored and not read.
type folded struct{ name *string }

func (folded) Scan(any) error { return nil }

func (f folded) Value() (driver.Value, error) { return strings.ToLower(*f.name), nil }

// generations is how the secrets of a token are stored: a JSON list.
type generations []portal.Generation

// generationRow is a generation in JSON: times are milliseconds, absent ones
// left out.
type generationRow struct {
	Number       int    `json:"number"`
	KeyID        string `json:"key_id"`
	MAC          []byte `json:"mac"`
	CreatedAt    *int64 `json:"created_at,omitempty"`
	ActivatedAt  *int64 `json:"activated_at,omitempty"`
	EndsAt       *int64 `json:"ends_at,omitempty"`
	CancelledAt  *int64 `json:"cancelled_at,omitempty"`
	OverlapNS    int64  `json:"overlap_ns,omitempty"`
	LastUsedAt   *int64 `json:"last_used_at,omitempty"`
	LastUsedFrom string `json:"last_used_from,omitempty"`
	LastClient   string `json:"last_client,omitempty"`
}

func (gs generations) MarshalJSON() ([]byte, error) {
	opt := func(t time.Time) *int64 {
		if t.IsZero() {
			return nil
		}
		return new(t.UnixMilli())
	}
	rows := make([]generationRow, len(gs))
	for i, g := range gs {
		rows[i] = generationRow{
			Number: g.Number, KeyID: g.KeyID, MAC: g.MAC[:], CreatedAt: opt(g.CreatedAt), ActivatedAt: opt(g.ActivatedAt),
			EndsAt: opt(g.EndsAt), CancelledAt: opt(g.CancelledAt), OverlapNS: int64(g.Overlap), LastUsedAt: opt(g.LastUsedAt),
			LastUsedFrom: g.LastUsedFrom, LastClient: g.LastClient,
		}
	}
	return json.Marshal(rows)
}

func (gs *generations) UnmarshalJSON(text []byte) error {
	opt := func(ms *int64) time.Time {
		if ms == nil {
			return time.Time{}
		}
		return time.UnixMilli(*ms).UTC()
	}
	var rows []generationRow
	if err := json.Unmarshal(text, &rows); err != nil {
		return err
	}
	*gs = make(generations, len(rows))
	for i, r := range rows {
		g := portal.Generation{
			Number: r.Number, KeyID: r.KeyID, CreatedAt: opt(r.CreatedAt), ActivatedAt: opt(r.ActivatedAt), EndsAt: opt(r.EndsAt),
			CancelledAt: opt(r.CancelledAt), Overlap: time.Duration(r.OverlapNS), LastUsedAt: opt(r.LastUsedAt),
			LastUsedFrom: r.LastUsedFrom, LastClient: r.LastClient,
		}
		copy(g.MAC[:], r.MAC)
		(*gs)[i] = g
	}
	return nil
}

// noNull returns a token whose lists are not nil, as they are stored.
func noNull(t portal.Token) *portal.Token {
	if t.Abilities == nil {
		t.Abilities = []string{}
	}
	if t.Addresses == nil {
		t.Addresses = []netip.Prefix{}
	}
	return &t
}

// InsertToken implements portal.TokenStore. The standing is that of the team
// and the maker as they are stored.
func (s *Store) InsertToken(ctx context.Context, t portal.Token) error {
	return s.write(ctx, func(w *work) error {
		if _, err := w.exec(tokens.insert, tokens.fields(noNull(t))...); err != nil {
			return idTaken(err)
		}
		w.touch(t.ID)
		return nil
	})
}

// ReplaceToken implements portal.TokenStore.
func (s *Store) ReplaceToken(ctx context.Context, t portal.Token) error {
	return s.write(ctx, func(w *work) error {
		w.touch(t.ID)
		return w.execOne("Token", tokens.update+` AND team = ?`, append(tokens.changes(noNull(t)), t.Team)...)
	})
}

// Token implements portal.TokenStore.
func (s *Store) Token(ctx context.Context, team, id string) (portal.Token, error) {
	return tokenRows.one(ctx, s, "Token", `WHERE t.id = ? AND t.team = ?`, id, team)
}

// TokenRecords implements portal.TokenStore, from the records in memory unless
// it is called inside of a transaction.
func (s *Store) TokenRecords(ctx context.Context, ids []string) (found []*portal.Token, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ctx.Value(txKey{s}) != nil {
		err = s.read(ctx, func(w *work) error {
			found, err = w.tokens(ids)
			return err
		})
		return found, err
	}
	for _, id := range ids {
		t, err := s.records.Record(ctx, id)
		if err != nil {
			return nil, err
		}
		if t != nil {
			found = append(found, t)
		}
	}
	if len(ids) == 0 {
		return nil, s.idle(ctx)
	}
	return found, nil
}

// tokens reads tokens by their ids, whatever the team.
func (w *work) tokens(ids []string) ([]*portal.Token, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, arg := anyOf(ids)
	read := tokenRows.reader()
	return list(w, tokenRows.query+` WHERE t.id IN `+in, []any{arg}, func(scan scanner) (*portal.Token, error) {
		t, err := read(scan)
		intern(&t)
		return &t, err
	})
}

// intern makes the texts that many tokens share one in memory: records are kept,
// and what is kept the garbage collector visits again and again.
func intern(t *portal.Token) {
	t.Team, t.Maker, t.Env = unique.Make(t.Team).Value(), unique.Make(t.Maker).Value(), unique.Make(t.Env).Value()
	t.LastUsedFrom, t.Standing.MakerRole = unique.Make(t.LastUsedFrom).Value(), unique.Make(t.Standing.MakerRole).Value()
	for i, name := range t.Abilities {
		t.Abilities[i] = unique.Make(name).Value()
	}
	for i, name := range t.Standing.TeamAbilities {
		t.Standing.TeamAbilities[i] = unique.Make(name).Value()
	}
	for i := range t.Generations {
		g := &t.Generations[i]
		g.KeyID, g.LastUsedFrom, g.LastClient = unique.Make(g.KeyID).Value(), unique.Make(g.LastUsedFrom).Value(), unique.Make(g.LastClient).Value()
	}
}

// LivingTokens implements portal.TokenStore.
func (s *Store) LivingTokens(ctx context.Context, team string, now time.Time) (int, error) {
	n, err := readOne(ctx, s, "Count", livingTokens, []any{team, now.UnixMilli()}, scanInt)
	return int(n), err
}

const livingTokens = `SELECT count(*) FROM tokens WHERE team = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`
