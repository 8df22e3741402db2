package mongo

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// fill gives every field of a struct a value of its own, and fails for a field
// it knows no value for, so that no new field is forgotten.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.UnixMilli(int64(1_700_000_000_000 + *n)).UTC()
		return
	case *netip.Prefix:
		*x = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)}), 32)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text " + string(rune('0'+*n)))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) << 33)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("there is no value for a %s", v.Type())
	}
}

func marshalToken(t testing.TB, tok portal.Token) []byte {
	t.Helper()
	doc := toTokenDoc(&tok)
	doc.Standing = &standingDoc{tok.Standing.MakerRole, tok.Standing.PlatformTeam, tok.Standing.TeamAbilities}
	text, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDecodeToken(t *testing.T) {
	var full portal.Token
	n := 0
	fill(t, reflect.ValueOf(&full).Elem(), &n)
	tests := []struct {
		name   string
		change func(*portal.Token)
	}{
		{"every field", func(*portal.Token) {}},
		{"no field", func(tok *portal.Token) { *tok = portal.Token{} }},
		{"empty lists", func(tok *portal.Token) { tok.Abilities, tok.Standing.TeamAbilities = []string{}, []string{} }},
		{"no lists", func(tok *portal.Token) {
			tok.Abilities, tok.Standing.TeamAbilities, tok.Addresses, tok.Generations = nil, nil, nil, nil
		}},
		{"environments", func(tok *portal.Token) { tok.Env = portal.Test }},
		{"the beginning of time", func(tok *portal.Token) { tok.CreatedAt = time.UnixMilli(0).UTC() }},
		{"NUL in texts", func(tok *portal.Token) { tok.Name, tok.Note = "a\x00b", "\x00" }},
		{"a prefix that is none", func(tok *portal.Token) { tok.Addresses = []netip.Prefix{{}} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := full
			tt.change(&want)
			got, err := decodeToken(marshalToken(t, want))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		})
	}
}

func TestDecodeTokenOfWrongTypes(t *testing.T) {
	for _, d := range []bson.D{
		{{Key: "_id", Value: 1}},
		{{Key: "created_at", Value: "now"}},
		{{Key: "rev", Value: "1"}},
		{{Key: "abilities", Value: "orders:read"}},
		{{Key: "abilities", Value: bson.A{1}}},
		{{Key: "addresses", Value: bson.A{"here"}}},
		{{Key: "generations", Value: bson.A{bson.D{{Key: "mac", Value: []byte{1}}}}}},
		{{Key: "generations", Value: bson.A{1}}},
		{{Key: "standing", Value: bson.D{{Key: "platform_team", Value: 1}}}},
		{{Key: "rate_limit", Value: bson.D{{Key: "quota", Value: "1"}}}},
	} {
		text, err := bson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeToken(text); err == nil {
			t.Errorf("%v: got %+v, want an error", d, *got)
		}
	}
}

func FuzzDecodeToken(f *testing.F) {
	var full portal.Token
	full.Generations = []portal.Generation{{Number: 1}}
	full.Abilities, full.Addresses = []string{"orders:read"}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Add(marshalToken(f, full))
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, doc []byte) {
		if tok, err := decodeToken(doc); (tok == nil) == (err == nil) {
			t.Errorf("got %v and %v, want one of the two", tok, err)
		}
	})
}

func BenchmarkDecodeToken(b *testing.B) {
	now := time.Now()
	doc := marshalToken(b, portal.Token{
		ID: "7Hq2LmZx9RtB", Team: "tea_01JD8R2T7Q", Name: "ERP", Env: portal.Live, Abilities: []string{"orders:read", "orders:write"},
		Maker: "usr_01JD8R2T7Q", CreatedAt: now, ExpiresAt: now, LastUsedAt: now, LastUsedFrom: "192.0.2.7", Rev: 7,
		Generations: []portal.Generation{{Number: 1, KeyID: "k1", CreatedAt: now, ActivatedAt: now, LastUsedAt: now}},
		Standing:    portal.Standing{MakerRole: portal.Owner},
	})
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeToken(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by reflection", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var d tokenDoc
			if err := bson.Unmarshal(doc, &d); err != nil {
				b.Fatal(err)
			}
		}
	})
}
