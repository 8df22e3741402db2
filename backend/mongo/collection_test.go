package mongo

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
)

var update = flag.Bool("update", false, "write the golden file anew")

// A validator that changed reaches no database that is there: it wants a step
// of migrations besides, as align is one.
func TestValidatorsGolden(t *testing.T) {
	var b strings.Builder
	for _, c := range collections() {
		text, err := bson.MarshalExtJSON(c.schema, false, false)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", c.name, text)
	}
	const path = "testdata/validators.golden"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s\nappend to migrations, and write it anew with go test -update", got, want)
	}
}
