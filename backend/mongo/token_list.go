package mongo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// expiresOrder is when a token expires, as it is sorted: never comes last.
func expiresOrder(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixMilli()
}

// tokenOrder is how a list is sorted: by key, then by _id in the same direction.
type tokenOrder struct {
	key     string
	descend bool
	at      func(c portal.TokenCursor) any // the key at a cursor, nil if absent
}

func orderOf(sort portal.TokenSort) (tokenOrder, error) {
	instantAt := func(c portal.TokenCursor) any {
		if c.Time.IsZero() {
			return nil
		}
		return toInstant(c.Time)
	}
	switch sort {
	case portal.NewestFirst, "":
		return tokenOrder{"created_at", true, instantAt}, nil
	case portal.ByLastUse:
		return tokenOrder{"last_used_at", true, instantAt}, nil
	case portal.ByName:
		return tokenOrder{"name", false, func(c portal.TokenCursor) any { return c.Name }}, nil
	case portal.ByExpiry:
		return tokenOrder{"expires_order", false, func(c portal.TokenCursor) any { return expiresOrder(c.Time) }}, nil
	}
	return tokenOrder{}, fmt.Errorf("list tokens: there is no order %q", sort)
}

func (o tokenOrder) sort() bson.D {
	direction := 1
	if o.descend {
		direction = -1
	}
	return bson.D{{Key: o.key, Value: direction}, {Key: "_id", Value: direction}}
}

// after selects what comes after a cursor. An absent key is null, which comes
// last of what descends; those that ascend are never absent.
func (o tokenOrder) after(c portal.TokenCursor) bson.E {
	at, beyond := o.at(c), "$gt"
	if o.descend {
		beyond = "$lt"
	}
	tie := bson.D{{Key: o.key, Value: at}, {Key: "_id", Value: bson.D{{Key: beyond, Value: c.ID}}}}
	if at == nil {
		return bson.E{Key: "$or", Value: bson.A{tie}}
	}
	places := bson.A{bson.D{{Key: o.key, Value: bson.D{{Key: beyond, Value: at}}}}, tie}
	if o.descend {
		places = append(places, bson.D{{Key: o.key, Value: nil}})
	}
	return bson.E{Key: "$or", Value: places}
}

// Tokens implements [portal.TokenStore].
func (s *Store) Tokens(ctx context.Context, f portal.TokenFilter) ([]portal.Token, error) {
	order, err := orderOf(f.Sort)
	if err != nil {
		return nil, err
	}
	return all[rawToken](ctx, s, s.tokens, "Token", tokensFilter(f, order),
		options.Find().SetSort(order.sort()).SetLimit(int64(f.Limit)).SetBatchSize(int32(f.Limit)+1))
}

func tokensFilter(f portal.TokenFilter, order tokenOrder) bson.D {
	filter := bson.D{{Key: "team", Value: f.Team}}
	var and bson.A
	if f.Env != "" {
		filter = append(filter, bson.E{Key: "env", Value: f.Env})
	}
	if f.Ability != "" {
		filter = append(filter, bson.E{Key: "abilities", Value: f.Ability})
	}
	if f.Maker != "" {
		filter = append(filter, bson.E{Key: "maker", Value: f.Maker})
	}
	if len(f.Status) > 0 {
		and = append(and, bson.D{{Key: "$or", Value: statuses(f.Status, f.Now)}})
	}
	if f.Query != "" {
		and = append(and, bson.D{{Key: "$expr", Value: bson.D{{Key: "$or", Value: bson.A{
			bson.D{{Key: "$gte", Value: bson.A{position("$name_folded", fold(f.Query)), 0}}},
			bson.D{{Key: "$eq", Value: bson.A{position("$_id", f.Query), 0}}},
		}}}}})
	}
	if f.After != nil {
		and = append(and, bson.D{order.after(*f.After)})
	}
	if len(and) > 0 {
		filter = append(filter, bson.E{Key: "$and", Value: and})
	}
	return filter
}

// position is where a text stands in a field, by bytes, or -1. The text is a
// literal, so it may hold anything.
func position(field, part string) bson.D {
	return bson.D{{Key: "$indexOfBytes", Value: bson.A{field, bson.D{{Key: "$literal", Value: part}}}}}
}

// statuses selects tokens with any of the statuses, in the order in which
// [portal.Token.Status] decides.
func statuses(wanted []portal.TokenStatus, now time.Time) bson.A {
	var (
		at        = toInstant(now)
		revoked   = bson.E{Key: "revoked_at", Value: bson.D{{Key: "$ne", Value: nil}}}
		kept      = bson.E{Key: "revoked_at", Value: nil}
		ended     = bson.E{Key: "expires_order", Value: bson.D{{Key: "$lte", Value: now.UnixMilli()}}}
		running   = bson.E{Key: "expires_order", Value: bson.D{{Key: "$gt", Value: now.UnixMilli()}}}
		suspended = bson.E{Key: "suspended_at", Value: bson.D{{Key: "$ne", Value: nil}}}
		free      = bson.E{Key: "suspended_at", Value: nil}
		ahead     = bson.E{Key: "not_before", Value: bson.D{{Key: "$gt", Value: at}}}
		begun     = bson.E{Key: "not_before", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$gt", Value: at}}}}}
	)
	either := bson.A{}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(wanted))) {
		switch s {
		case portal.StatusRevoked:
			either = append(either, bson.D{revoked})
		case portal.StatusExpired:
			either = append(either, bson.D{kept, ended})
		case portal.StatusSuspended:
			either = append(either, bson.D{kept, running, suspended})
		case portal.StatusPending:
			either = append(either, bson.D{kept, running, free, ahead})
		case portal.StatusActive:
			either = append(either, bson.D{kept, running, free, begun})
		}
	}
	if len(either) == 0 { // none that there is
		either = append(either, bson.D{{Key: "_id", Value: nil}})
	}
	return either
}

// LivingTokens implements [portal.TokenStore].
func (s *Store) LivingTokens(ctx context.Context, team string, now time.Time) (int, error) {
	var n int64
	err := s.read(ctx, "count tokens", func(ctx context.Context) (err error) {
		n, err = s.tokens.CountDocuments(ctx, bson.D{
			{Key: "team", Value: team},
			{Key: "revoked_at", Value: nil},
			{Key: "expires_order", Value: bson.D{{Key: "$gt", Value: now.UnixMilli()}}},
		})
		return err
	})
	return int(n), err
}
