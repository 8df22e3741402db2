package sqlite

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// maxRecords is how many tokens are read at once by their ids.
const maxRecords = 128

// tokenColumns are read by scanToken; what stands in portal.Standing comes from
// the team and the maker, so it is in step whatever changes.
const (
	tokenColumns = `t.id, t.team, t.name, t.env, t.maker, t.created_at, t.expires_at, t.not_before, t.suspended_at, t.revoked_at,
	t.first_used_at, t.last_used_at, t.abilities, t.rev, t.note, t.addresses, t.quota, t.window_ns, t.suspended_by,
	t.suspend_reason, t.revoked_by, t.revoke_reason, t.revoke_note, t.last_used_from, t.generations,
	CASE WHEN u.id IS NULL THEN '' ELSE coalesce(m.role, '') END, coalesce(x.platform, 0), x.abilities`
	tokenSource = ` FROM tokens t LEFT JOIN teams x ON x.id = t.team LEFT JOIN members m ON m.team = t.team AND m.user = t.maker
	LEFT JOIN users u ON u.id = t.maker AND u.disabled_at IS NULL`
)

func scanToken(scan scanner) (t portal.Token, err error) {
	var window int64
	err = scan(&t.ID, &t.Team, &t.Name, &t.Env, &t.Maker, at{&t.CreatedAt}, at{&t.ExpiresAt}, at{&t.NotBefore},
		at{&t.SuspendedAt}, at{&t.RevokedAt}, at{&t.FirstUsedAt}, at{&t.LastUsedAt}, fromJSON{&t.Abilities}, &t.Rev, &t.Note,
		fromJSON{&t.Addresses}, &t.RateLimit.Quota, &window, &t.SuspendedBy, &t.SuspendReason, &t.RevokedBy, &t.RevokeReason,
		&t.RevokeNote, &t.LastUsedFrom, fromJSON{(*generations)(&t.Generations)},
		&t.Standing.MakerRole, &t.Standing.PlatformTeam, fromJSON{&t.Standing.TeamAbilities})
	t.RateLimit.Window = time.Duration(window)
	return t, err
}

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

// tokenSet assigns every column but the id, in the order of tokenValues.
const tokenSet = `team = ?, name = ?, name_folded = ?, env = ?, maker = ?, created_at = ?, expires_at = ?, not_before = ?,
	suspended_at = ?, revoked_at = ?, first_used_at = ?, last_used_at = ?, abilities = ?, rev = ?, note = ?, addresses = ?,
	quota = ?, window_ns = ?, suspended_by = ?, suspend_reason = ?, revoked_by = ?, revoke_reason = ?, revoke_note = ?,
	last_used_from = ?, generations = ?`

func tokenValues(t portal.Token) ([]any, error) {
	if t.Abilities == nil {
		t.Abilities = []string{}
	}
	if t.Addresses == nil {
		t.Addresses = []netip.Prefix{}
	}
	var texts [3]string
	for i, v := range []any{t.Abilities, t.Addresses, generations(t.Generations)} {
		var err error
		if texts[i], err = jsonText(v); err != nil {
			return nil, err
		}
	}
	return []any{
		t.Team, t.Name, strings.ToLower(t.Name), string(t.Env), t.Maker, t.CreatedAt.UnixMilli(), ms(t.ExpiresAt),
		ms(t.NotBefore), ms(t.SuspendedAt), ms(t.RevokedAt), ms(t.FirstUsedAt), ms(t.LastUsedAt), texts[0], t.Rev, t.Note,
		texts[1], t.RateLimit.Quota, int64(t.RateLimit.Window), t.SuspendedBy, t.SuspendReason, t.RevokedBy, t.RevokeReason,
		t.RevokeNote, t.LastUsedFrom, texts[2],
	}, nil
}

// InsertToken implements portal.TokenStore. The standing is that of the team
// and the maker as they are stored.
func (s *Store) InsertToken(ctx context.Context, t portal.Token) error {
	values, err := tokenValues(t)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *work) error {
		columns := strings.ReplaceAll(tokenSet, " = ?", "")
		if _, err := w.exec(`INSERT INTO tokens (`+columns+`, id) VALUES `+marks(len(values)+1), append(values, t.ID)...); err != nil {
			return idTaken(err)
		}
		w.touch(t.ID)
		return nil
	})
}

// ReplaceToken implements portal.TokenStore.
func (s *Store) ReplaceToken(ctx context.Context, t portal.Token) error {
	return s.write(ctx, func(w *work) error { return w.replaceToken(t) })
}

func (w *work) replaceToken(t portal.Token) error {
	values, err := tokenValues(t)
	if err != nil {
		return err
	}
	w.touch(t.ID)
	return w.execOne("Token", `UPDATE tokens SET `+tokenSet+` WHERE team = ? AND id = ?`, append(values, t.Team, t.ID)...)
}

// Token implements portal.TokenStore.
func (s *Store) Token(ctx context.Context, team, id string) (portal.Token, error) {
	return readOne(ctx, s, "Token", `SELECT `+tokenColumns+tokenSource+` WHERE t.id = ? AND t.team = ?`, []any{id, team}, scanToken)
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
	in, args := anyOf(ids)
	return list(w, `SELECT `+tokenColumns+tokenSource+` WHERE t.id IN `+in, args, func(scan scanner) (*portal.Token, error) {
		t, err := scanToken(scan)
		return &t, err
	})
}

// LivingTokens implements portal.TokenStore.
func (s *Store) LivingTokens(ctx context.Context, team string, now time.Time) (int, error) {
	n, err := readOne(ctx, s, "Count", livingTokens, []any{team, now.UnixMilli()}, scanInt)
	return int(n), err
}

const livingTokens = `SELECT count(*) FROM tokens WHERE team = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`
