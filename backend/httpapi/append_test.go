package httpapi

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// What is written by hand is what encoding/json writes, whatever the fields hold:
// a field that was added to a type and forgotten here fails this test.
func TestAppendBodyIsEncodingJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		for _, body := range []any{new(api.WhoAmI), new(api.Problem), new(api.List[api.Order])} {
			fillRandomly(r, reflect.ValueOf(body).Elem())
			if list, ok := body.(*api.List[api.Order]); ok {
				body = *list
			}
			want, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := appendBody(nil, body)
			if p, isProblem := body.(*api.Problem); !ok && isProblem && len(p.Errors) > 0 {
				continue
			}
			if string(got) != string(want) {
				t.Fatalf("got\n%s, want\n%s", got, want)
			}
		}
	}
}

var randomTexts = []string{"", "ERP integration", "a\"b\\c", "<b>&amp;</b>", "naïve – 東京 🚚", "\u2028\u2029", "tab\tline\n\x00\x1f\x7f", "\xff\xfe", "orders:read"}

// fillRandomly sets every field of a value, also to zero at times.
func fillRandomly(r *rand.Rand, v reflect.Value) {
	if at, ok := v.Addr().Interface().(*api.Time); ok {
		switch r.IntN(4) {
		case 0:
			*at = api.Time{}
		case 1:
			*at = api.Time{Time: time.Unix(r.Int64N(1e11)-5e10, r.Int64N(1e9)).In(time.FixedZone("", 3600*(r.IntN(24)-12)))}
		default:
			*at = api.At(time.UnixMilli(r.Int64N(4e12)))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(randomTexts[r.IntN(len(randomTexts))])
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -5, r.Int64()}[r.IntN(4)])
	case reflect.Struct:
		for i := range v.NumField() {
			fillRandomly(r, v.Field(i))
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range v.Len() {
				fillRandomly(r, v.Index(i))
			}
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillRandomly(r, v.Elem())
		}
	default:
		panic("no value for " + v.Type().String())
	}
}
