package mongo

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

func TestDecodedIsDecodedAnewWhenAByteChanged(t *testing.T) {
	tok := portal.Token{ID: "7Hq2LmZx9RtB", Team: "tea_1", Name: "ERP", Rev: 1}
	d := newDecoded()
	get := func(tok portal.Token) *portal.Token {
		t.Helper()
		doc := marshalToken(t, tok)
		got, err := d.token(doc)
		if err != nil {
			t.Fatal(err)
		}
		clear(doc) // nothing of it is kept
		if !reflect.DeepEqual(*got, tok) {
			t.Errorf("got  %+v\nwant %+v", *got, tok)
		}
		return got
	}
	first := get(tok)
	if get(tok) != first {
		t.Error("the same bytes were decoded twice")
	}
	revoked := tok
	revoked.Rev, revoked.RevokedBy = 2, "usr_1"
	if get(revoked) == first {
		t.Error("other bytes gave the token of the last ones")
	}
	if get(tok) == first {
		t.Error("the token was remembered twice")
	}
}

func TestDecodedKeepsNoMistake(t *testing.T) {
	d := newDecoded()
	bad, err := bson.Marshal(bson.D{{Key: "_id", Value: "7Hq2LmZx9RtB"}, {Key: "rev", Value: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range [][]byte{nil, {5}, bad, bad} {
		if tok, err := d.token(doc); err == nil {
			t.Errorf("%v: got %+v, want an error", doc, *tok)
		}
	}
}

// Tokens that share a place, read at once, are not taken for each other.
func TestDecodedAtOnce(t *testing.T) {
	d := newDecoded()
	d.slots = d.slots[:2]
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			for n := range 1000 {
				tok := portal.Token{ID: fmt.Sprintf("token%07d", (i+n)%5), Name: "ERP", Rev: int64(n % 3)}
				got, err := d.token(marshalToken(t, tok))
				if err != nil || !reflect.DeepEqual(*got, tok) {
					t.Errorf("got %+v, %v, want %+v", got, err, tok)
					return
				}
			}
		})
	}
	readers.Wait()
}
