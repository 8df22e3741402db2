package mongo

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Tokens are decoded by hand, because every decision about a request reads one:
// the driver's reflection takes five times as long. A test holds decodeToken to
// tokenDoc, field by field.

var errMalformed = errors.New("a stored token is malformed")

// fields reads the elements of a document, or of an array, in turn. The first
// mistake is kept, and ends the reading.
type fields struct {
	// whole is all of the outermost document. Texts are parts of it, so that they
	// need no memory of their own.
	whole   string
	at      int // of rest in whole
	rest    []byte
	key     []byte
	value   bsoncore.Value
	valueAt int // in whole
	err     error
}

// fieldsOf reads doc, which begins at a place in whole.
func fieldsOf(doc []byte, whole string, at int) fields {
	const head, foot = 4, 1 // its length, and a zero
	length, rest, ok := bsoncore.ReadLength(doc)
	if !ok || int(length) != len(doc) || length < head+foot {
		return fields{err: errMalformed}
	}
	return fields{whole: whole, at: at + head, rest: rest[:length-head-foot]}
}

func (f *fields) next() bool {
	if f.err != nil || len(f.rest) == 0 {
		return false
	}
	kind := bsontype.Type(f.rest[0])
	end := 1
	for end < len(f.rest) && f.rest[end] != 0 {
		end++
	}
	if end == len(f.rest) {
		f.err = errMalformed
		return false
	}
	f.key = f.rest[1:end]
	value, rest, ok := bsoncore.ReadValue(f.rest[end+1:], kind)
	if !ok {
		f.err = errMalformed
		return false
	}
	f.valueAt = f.at + end + 1
	f.at += len(f.rest) - len(rest)
	f.value, f.rest = value, rest
	return true
}

func (f *fields) wrong() {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %s is of type %s", errMalformed, f.key, f.value.Type)
	}
}

func (f *fields) text() string {
	const head, foot = 4, 1 // its length with the foot, and a zero
	length, _, ok := bsoncore.ReadLength(f.value.Data)
	if f.value.Type != bson.TypeString || !ok || int(length) != len(f.value.Data)-head || length < foot {
		f.wrong()
		return ""
	}
	return f.whole[f.valueAt+head : f.valueAt+head+int(length)-foot]
}

func (f *fields) time() time.Time {
	v, ok := f.value.DateTimeOK()
	if !ok {
		f.wrong()
	}
	return time.UnixMilli(v).UTC()
}

func (f *fields) number() int64 {
	v, ok := f.value.AsInt64OK()
	if !ok {
		f.wrong()
	}
	return v
}

func (f *fields) flag() bool {
	v, ok := f.value.BooleanOK()
	if !ok {
		f.wrong()
	}
	return v
}

// list returns the elements of an array, and none for null.
func (f *fields) list() (elements fields, null bool) {
	switch f.value.Type {
	case bson.TypeNull:
		return fields{}, true
	case bson.TypeArray, bson.TypeEmbeddedDocument:
		return fieldsOf(f.value.Data, f.whole, f.valueAt), false
	default:
		f.wrong()
		return fields{}, true
	}
}

func (f *fields) texts() []string {
	e, null := f.list()
	if null {
		return nil
	}
	list := make([]string, 0, 4)
	for e.next() {
		list = append(list, e.text())
	}
	f.take(e.err)
	return list
}

func (f *fields) take(err error) {
	if f.err == nil {
		f.err = err
	}
}

// decodeToken reads a token. It keeps nothing of doc.
func decodeToken(doc []byte) (*portal.Token, error) { return decodeTokenOf(doc, string(doc)) }

// decodeTokenOf reads a token whose document is also there as a text, of which
// the texts of the token become parts.
func decodeTokenOf(doc []byte, whole string) (*portal.Token, error) {
	t := &portal.Token{}
	f := fieldsOf(doc, whole, 0)
	for f.next() {
		switch string(f.key) {
		case "_id":
			t.ID = strings.Clone(f.text()) // kept as a key for longer than the token, as is the team
		case "team":
			t.Team = strings.Clone(f.text())
		case "name":
			t.Name = f.text()
		case "note":
			t.Note = f.text()
		case "env":
			t.Env = envOf(f.text())
		case "abilities":
			t.Abilities = f.texts()
		case "addresses":
			t.Addresses = f.prefixes()
		case "rate_limit":
			t.RateLimit = f.rateLimit()
		case "maker":
			t.Maker = f.text()
		case "created_at":
			t.CreatedAt = f.time()
		case "expires_at":
			t.ExpiresAt = f.time()
		case "not_before":
			t.NotBefore = f.time()
		case "suspended_at":
			t.SuspendedAt = f.time()
		case "suspended_by":
			t.SuspendedBy = f.text()
		case "suspend_reason":
			t.SuspendReason = f.text()
		case "revoked_at":
			t.RevokedAt = f.time()
		case "revoked_by":
			t.RevokedBy = f.text()
		case "revoke_reason":
			t.RevokeReason = f.text()
		case "revoke_note":
			t.RevokeNote = f.text()
		case "first_used_at":
			t.FirstUsedAt = f.time()
		case "last_used_at":
			t.LastUsedAt = f.time()
		case "last_used_from":
			t.LastUsedFrom = f.text()
		case "generations":
			t.Generations = f.generations()
		case "rev":
			t.Rev = f.number()
		case "standing":
			t.Standing = f.standing()
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return t, nil
}

// envOf returns the constant, which needs no memory of its own.
func envOf(text string) portal.Env {
	switch text {
	case string(portal.Live):
		return portal.Live
	case string(portal.Test):
		return portal.Test
	}
	return portal.Env(text)
}

func (f *fields) prefixes() []netip.Prefix {
	e, null := f.list()
	if null {
		return nil
	}
	list := []netip.Prefix{}
	for e.next() {
		p, err := prefixOf(e.text())
		if err != nil {
			e.take(fmt.Errorf("%w: %w", errMalformed, err))
		}
		list = append(list, p)
	}
	f.take(e.err)
	return list
}

// prefixOf reads a prefix as it writes itself: the zero value is "".
func prefixOf(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	return netip.ParsePrefix(text)
}

func (f *fields) rateLimit() (l portal.RateLimit) {
	e, _ := f.list()
	for e.next() {
		switch string(e.key) {
		case "quota":
			l.Quota = int(e.number())
		case "window_ns":
			l.Window = time.Duration(e.number())
		}
	}
	f.take(e.err)
	return l
}

func (f *fields) standing() (s portal.Standing) {
	e, _ := f.list()
	for e.next() {
		switch string(e.key) {
		case "maker_role":
			s.MakerRole = portal.Role(e.text())
		case "platform_team":
			s.PlatformTeam = e.flag()
		case "team_abilities":
			s.TeamAbilities = e.texts()
		}
	}
	f.take(e.err)
	return s
}

func (f *fields) generations() []portal.Generation {
	e, null := f.list()
	if null {
		return nil
	}
	list := make([]portal.Generation, 0, 2)
	for e.next() {
		g, _ := e.list()
		list = append(list, g.generation())
		e.take(g.err)
	}
	f.take(e.err)
	return list
}

func (f *fields) generation() (g portal.Generation) {
	for f.next() {
		switch string(f.key) {
		case "number":
			g.Number = int(f.number())
		case "key_id":
			g.KeyID = f.text()
		case "mac":
			_, mac, ok := f.value.BinaryOK()
			if !ok || len(mac) != len(g.MAC) {
				f.wrong()
			}
			copy(g.MAC[:], mac)
		case "created_at":
			g.CreatedAt = f.time()
		case "activated_at":
			g.ActivatedAt = f.time()
		case "ends_at":
			g.EndsAt = f.time()
		case "cancelled_at":
			g.CancelledAt = f.time()
		case "overlap_ns":
			g.Overlap = time.Duration(f.number())
		case "last_used_at":
			g.LastUsedAt = f.time()
		case "last_used_from":
			g.LastUsedFrom = f.text()
		case "last_client":
			g.LastClient = f.text()
		}
	}
	return g
}
