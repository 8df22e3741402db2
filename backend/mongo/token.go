package mongo

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// tokenDoc is how a token is written. It is read by hand, see token_decode.go.
type tokenDoc struct {
	ID            string          `bson:"_id"`
	Team          string          `bson:"team"`
	Name          string          `bson:"name"`
	NameFolded    string          `bson:"name_folded"` // for searching
	Note          string          `bson:"note"`
	Env           portal.Env      `bson:"env"`
	Abilities     []string        `bson:"abilities"`
	Addresses     []string        `bson:"addresses"`
	RateLimit     *rateLimitDoc   `bson:"rate_limit,omitempty"`
	Maker         string          `bson:"maker"`
	CreatedAt     instant         `bson:"created_at,omitempty"`
	ExpiresAt     instant         `bson:"expires_at,omitempty"`
	ExpiresOrder  int64           `bson:"expires_order"` // milliseconds; after all others for never
	NotBefore     instant         `bson:"not_before,omitempty"`
	SuspendedAt   instant         `bson:"suspended_at,omitempty"`
	SuspendedBy   string          `bson:"suspended_by,omitempty"`
	SuspendReason string          `bson:"suspend_reason,omitempty"`
	RevokedAt     instant         `bson:"revoked_at,omitempty"`
	RevokedBy     string          `bson:"revoked_by,omitempty"`
	RevokeReason  string          `bson:"revoke_reason,omitempty"`
	RevokeNote    string          `bson:"revoke_note,omitempty"`
	FirstUsedAt   instant         `bson:"first_used_at,omitempty"`
	LastUsedAt    instant         `bson:"last_used_at,omitempty"`
	LastUsedFrom  string          `bson:"last_used_from,omitempty"`
	Generations   []generationDoc `bson:"generations"`
	Rev           int64           `bson:"rev"`
	Standing      *standingDoc    `bson:"standing,omitempty" schema:"required"` // nil when a token is replaced: it stays
}

type rateLimitDoc struct {
	Quota  int           `bson:"quota"`
	Window time.Duration `bson:"window_ns"`
}

type standingDoc struct {
	MakerRole     portal.Role `bson:"maker_role"`
	PlatformTeam  bool        `bson:"platform_team"`
	TeamAbilities []string    `bson:"team_abilities"` // null: all
}

type generationDoc struct {
	Number       int           `bson:"number"`
	KeyID        string        `bson:"key_id"`
	MAC          []byte        `bson:"mac" schema:"required"`
	CreatedAt    instant       `bson:"created_at,omitempty"`
	ActivatedAt  instant       `bson:"activated_at,omitempty"`
	EndsAt       instant       `bson:"ends_at,omitempty"`
	CancelledAt  instant       `bson:"cancelled_at,omitempty"`
	Overlap      time.Duration `bson:"overlap_ns,omitempty"`
	LastUsedAt   instant       `bson:"last_used_at,omitempty"`
	LastUsedFrom string        `bson:"last_used_from,omitempty"`
	LastClient   string        `bson:"last_client,omitempty"`
}

func tokenCollections() []collection {
	return []collection{{
		name:   "tokens",
		schema: schemaOf[tokenDoc](),
		indexes: []mongo.IndexModel{
			index("team", "-created_at", "-_id"), index("team", "name", "_id"), // the orders of a list
			index("team", "-last_used_at", "-_id"), index("team", "expires_order", "_id"),
			index("maker", "team"),                   // standing
			index("revoked_at"), index("expires_at"), // tombstones past their time
		},
	}}
}

func toTokenDoc(t *portal.Token) tokenDoc {
	d := tokenDoc{
		ID: t.ID, Team: t.Team, Name: t.Name, NameFolded: fold(t.Name), Note: t.Note, Env: t.Env, Abilities: t.Abilities, Maker: t.Maker,
		CreatedAt: toInstant(t.CreatedAt), ExpiresAt: toInstant(t.ExpiresAt), ExpiresOrder: expiresOrder(t.ExpiresAt), NotBefore: toInstant(t.NotBefore),
		SuspendedAt: toInstant(t.SuspendedAt), SuspendedBy: t.SuspendedBy, SuspendReason: t.SuspendReason,
		RevokedAt: toInstant(t.RevokedAt), RevokedBy: t.RevokedBy, RevokeReason: t.RevokeReason, RevokeNote: t.RevokeNote,
		FirstUsedAt: toInstant(t.FirstUsedAt), LastUsedAt: toInstant(t.LastUsedAt), LastUsedFrom: t.LastUsedFrom, Rev: t.Rev,
	}
	if t.RateLimit != (portal.RateLimit{}) {
		d.RateLimit = &rateLimitDoc{Quota: t.RateLimit.Quota, Window: t.RateLimit.Window}
	}
	for _, p := range t.Addresses {
		d.Addresses = append(d.Addresses, prefixText(p))
	}
	for i := range t.Generations {
		g := &t.Generations[i]
		d.Generations = append(d.Generations, generationDoc{
			Number: g.Number, KeyID: g.KeyID, MAC: g.MAC[:], CreatedAt: toInstant(g.CreatedAt), ActivatedAt: toInstant(g.ActivatedAt),
			EndsAt: toInstant(g.EndsAt), CancelledAt: toInstant(g.CancelledAt), Overlap: g.Overlap,
			LastUsedAt: toInstant(g.LastUsedAt), LastUsedFrom: g.LastUsedFrom, LastClient: g.LastClient,
		})
	}
	return d
}

func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

// fold makes two names equal that differ only in case.
func fold(name string) string { return strings.ToLower(name) }

// InsertToken implements [portal.TokenStore]. Whatever standing t has, the token
// gets the one that its maker and its team have now.
func (s *Store) InsertToken(ctx context.Context, t portal.Token) error {
	return s.inTransaction(ctx, "insert a token", func(ctx context.Context) error {
		if err := s.lock(ctx, t.Team); err != nil {
			return err
		}
		doc := toTokenDoc(&t)
		var err error
		if doc.Standing, err = s.standing(ctx, t.Team, t.Maker); err != nil {
			return err
		}
		return s.insert(ctx, s.tokens, "insert a token", doc, idTaken)
	})
}

// standing returns what the team and the maker of a new token say about it, and
// holds both, so that no change of theirs can pass the token by.
func (s *Store) standing(ctx context.Context, team, maker string) (*standingDoc, error) {
	var t teamDoc
	if err := hold(ctx, s.teams, byID(team), &t); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, s.fail(ctx, "read the team of a token", err)
	}
	d := &standingDoc{PlatformTeam: t.Platform, TeamAbilities: t.Policy.Abilities}
	var m memberDoc
	err := hold(ctx, s.members, membership(team, maker), &m)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return d, nil
	}
	if err != nil {
		return nil, s.fail(ctx, "read the maker of a token", err)
	}
	d.MakerRole, err = s.roleOfMaker(ctx, maker, m.Role)
	return d, err
}

// ReplaceToken implements [portal.TokenStore].
func (s *Store) ReplaceToken(ctx context.Context, t portal.Token) error {
	return s.inTransaction(ctx, "replace a token", func(ctx context.Context) error {
		if err := s.lock(ctx, t.Team); err != nil {
			return err
		}
		// $literal: in an update by expressions a text that begins with $ would
		// else be the name of a field.
		doc := bson.D{{Key: "$literal", Value: toTokenDoc(&t)}}
		kept := bson.D{{Key: "standing", Value: "$standing"}}
		replace := bson.D{{Key: "$replaceWith", Value: bson.D{{Key: "$mergeObjects", Value: bson.A{doc, kept}}}}}
		r, err := s.tokens.UpdateOne(ctx, bson.D{{Key: "_id", Value: t.ID}, {Key: "team", Value: t.Team}}, mongo.Pipeline{replace})
		if err == nil && r.MatchedCount == 0 {
			return portal.ErrNotFound("Token")
		}
		return s.fail(ctx, "replace a token", err)
	})
}

// Token implements [portal.TokenStore].
func (s *Store) Token(ctx context.Context, team, id string) (portal.Token, error) {
	return one[rawToken](ctx, s, s.tokens, "Token", bson.D{{Key: "_id", Value: id}, {Key: "team", Value: team}})
}

// rawToken is a token as it is read.
type rawToken struct{ bson.Raw }

// UnmarshalBSON keeps the document: the driver's own may be overwritten.
func (r *rawToken) UnmarshalBSON(doc []byte) error {
	r.Raw = append(r.Raw[:0], doc...)
	return nil
}

func (r rawToken) value() (portal.Token, error) {
	t, err := decodeToken(r.Raw)
	if err != nil {
		return portal.Token{}, err
	}
	return *t, nil
}
