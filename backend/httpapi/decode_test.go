package httpapi

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// decoding decodes a body as a T and returns the refusal, nil if there is none.
func decoding[T any](t testing.TB, method, media, body string) (T, *refusal) {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(method)
	ctx.Request.Header.SetContentType(media)
	ctx.Request.SetBodyString(body)
	app := fiber.New()
	c := app.AcquireCtx(&ctx)
	defer app.ReleaseCtx(c)
	v, err := decode[T](c)
	var r *refusal
	if err != nil && !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return v, r
}

func TestDecode(t *testing.T) {
	const order = `"reference":"PO-1","currency":"EUR","amount_minor":1`
	tests := []struct {
		name string
		body string
		kind string // "" means it is taken
		want string // pointer and code of each mistake
	}{
		{"whole", `{` + order + `,"lines":[{"sku":"a","quantity":1}]}`, "", ""},
		{"null is absent", `{` + order + `,"lines":null}`, "", ""},
		{"not JSON", `{`, kindBadRequest, ""},
		{"nothing", ``, kindBadRequest, ""},
		{"only space", "  \n", kindBadRequest, ""},
		{"two values", `{` + order + `}{}`, kindBadRequest, ""},
		{"rubbish after it", `{` + order + `} x`, kindBadRequest, ""},
		{"a field twice", `{` + order + `,"currency":"USD"}`, kindBadRequest, ""},
		{"a field twice in another case", `{` + order + `,"Currency":"USD"}`, kindBadRequest, ""},
		{"a field in another case", `{"Reference":"PO-1","currency":"EUR","amount_minor":1}`, kindInvalid, "#/Reference unknown_field"},
		{"not UTF-8", "{\"reference\":\"\xff\"}", kindBadRequest, ""},
		{"half a surrogate pair", `{"reference":"\ud800"}`, kindBadRequest, ""},
		{"a replacement character of one's own", `{"reference":"\ufffd","currency":"EUR","amount_minor":1}`, "", ""},
		{"too deep", strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50), kindBadRequest, ""},
		{"very deep", strings.Repeat(`[`, 30000), kindBadRequest, ""},
		{"a list", `[]`, kindInvalid, "# type"},
		{"a number", `7`, kindInvalid, "# type"},
		{"null", `null`, kindInvalid, "# type"},
		{"an unknown field", `{` + order + `,"id":"x"}`, kindInvalid, "#/id unknown_field"},
		{"an unknown field with odd signs", `{` + order + `,"a/b~c%":1}`, kindInvalid, "#/a~1b~0c%25 unknown_field"},
		{"wrong types, all at once", `{"reference":7,"currency":null,"amount_minor":"1","lines":{}}`, kindInvalid, "#/reference type, #/amount_minor type, #/lines type"},
		{"a fraction", `{` + strings.Replace(order, ":1", ":1.5", 1) + `}`, kindInvalid, "#/amount_minor type"},
		{"an exponent", `{` + strings.Replace(order, ":1", ":1e3", 1) + `}`, kindInvalid, "#/amount_minor type"},
		{"a huge number", `{` + strings.Replace(order, ":1", ":99999999999999999999", 1) + `}`, kindInvalid, "#/amount_minor type"},
		{"below the least", `{` + strings.Replace(order, ":1", ":-1", 1) + `}`, kindInvalid, "#/amount_minor min"},
		{"rules in a list", `{` + order + `,"lines":[{"sku":"a","quantity":1},{"sku":"","quantity":0}]}`, kindInvalid, "#/lines/1/sku required, #/lines/1/quantity min"},
		{"null in a list", `{` + order + `,"lines":[null]}`, kindInvalid, "#/lines/0 type"},
		{"unknown in a list", `{` + order + `,"lines":[{"sku":"a","quantity":1,"x":1}]}`, kindInvalid, "#/lines/0/x unknown_field"},
		{"no amount", `{"reference":"PO-1","currency":"EUR"}`, kindInvalid, "#/amount_minor required"},
		{"an amount of null", `{"reference":"PO-1","currency":"EUR","amount_minor":null}`, kindInvalid, "#/amount_minor required"},
		{"an amount of nothing", `{"reference":"PO-1","currency":"EUR","amount_minor":0}`, "", ""},
		{"a currency", `{` + strings.Replace(order, "EUR", "eur", 1) + `}`, kindInvalid, "#/currency currency"},
		{"nothing that is needed", `{}`, kindInvalid, "#/reference required, #/currency required, #/amount_minor required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := decoding[api.CreateOrder](t, "POST", "application/json", tt.body)
			checkRefusal(t, r, tt.kind, tt.want)
		})
	}
}

func checkRefusal(t *testing.T, r *refusal, kind, want string) {
	t.Helper()
	if kind == "" {
		if r != nil {
			t.Fatalf("got the refusal %v %v, want none", r, r.fields)
		}
		return
	}
	if r == nil || r.kind != kind {
		t.Fatalf("got %v, want %s", r, kind)
	}
	var got []string
	for _, f := range r.fields {
		if f.Detail == "" {
			t.Errorf("%s: nothing is said", f.Pointer)
		}
		got = append(got, f.Pointer+" "+f.Code)
	}
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

func TestDecodePatch(t *testing.T) {
	tests := []struct {
		name, body, kind, want string
	}{
		{"nothing", `{}`, "", ""},
		{"a name", `{"name":"x"}`, "", ""},
		{"no abilities", `{"abilities":[]}`, "", ""},
		{"taken away", `{"rate_limit":null,"expires_at":null,"note":null,"addresses":null}`, "", ""},
		{"what cannot be taken away", `{"name":null,"abilities":null}`, kindInvalid, "#/name required, #/abilities required"},
		{"a whole token as name", `{"name":"gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"}`, kindInvalid, "#/name no_secret"},
		{"blank", `{"name":" "}`, kindInvalid, "#/name plain"},
		{"too long", `{"name":"` + strings.Repeat("é", 101) + `"}`, kindInvalid, "#/name max"},
		{"in a list", `{"abilities":["orders:read","*"],"addresses":["10.0.0.0/8","x"]}`, kindInvalid, "#/abilities/1 ability, #/addresses/1 address"},
		{"in a struct", `{"rate_limit":{"quota":0,"window_seconds":1}}`, kindInvalid, "#/rate_limit/quota min"},
		{"wrong types", `{"abilities":"orders:read","expires_at":7,"rate_limit":[]}`, kindInvalid, "#/abilities type, #/expires_at type, #/rate_limit type"},
		{"no time", `{"expires_at":"tomorrow"}`, kindInvalid, "#/expires_at time"},
		{"a time with a comma", `{"expires_at":"2027-02-20T12:00:00,5Z"}`, kindInvalid, "#/expires_at time"},
		{"the time that means none", `{"expires_at":"0001-01-01T00:00:00Z"}`, kindInvalid, "#/expires_at time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := decoding[api.UpdateToken](t, "PATCH", "application/merge-patch+json", tt.body)
			checkRefusal(t, r, tt.kind, tt.want)
		})
	}
}

// What has to be there at creation cannot be taken away, and the browser's check
// says of each field that is null what the server says.
func TestPatchesKeepWhatIsNeeded(t *testing.T) {
	for patch, create := range patched {
		for i := range patch.NumField() {
			f := patch.Field(i)
			if tag, _ := tagOf(create, jsonName(f)); strings.HasPrefix(tag, "required") && !mayNotGo(f) {
				t.Errorf("%v: %s is needed, but null takes it away", patch, f.Name)
			}
			body := reflect.New(patch)
			body.Elem().Field(i).FieldByName("Set").SetBool(true)
			body.Elem().Field(i).FieldByName("Null").SetBool(true)
			if server, browser := validateStruct(body.Interface()), validate.Check(body.Interface()); !slices.Equal(server, browser) {
				t.Errorf("%v: %s is null: the server says %v, the browser %v", patch, f.Name, server, browser)
			}
		}
	}
	for name, want := range map[string]string{
		`{"amount_minor":null}`: "#/amount_minor required", `{"lines":null}`: "#/lines required",
		`{"amount_minor":0,"lines":[]}`: "", `{}`: "",
	} {
		_, r := decoding[api.UpdateOrder](t, "PATCH", "application/merge-patch+json", name)
		kind := kindInvalid
		if want == "" {
			kind = ""
		}
		checkRefusal(t, r, kind, want)
	}
}

func TestMedia(t *testing.T) {
	tests := []struct {
		method, media string
		ok            bool
	}{
		{"POST", "application/json", true},
		{"POST", "Application/JSON; charset=UTF-8", true},
		{"PATCH", "application/merge-patch+json", true},
		{"POST", "application/merge-patch+json", false},
		{"POST", "", false},
		{"POST", "text/plain", false},
		{"POST", "application/x-www-form-urlencoded", false},
		{"POST", "application/json; charset=latin1", false},
		{"POST", ";;;", false},
	}
	for _, tt := range tests {
		_, r := decoding[api.UpdateTeam](t, tt.method, tt.media, `{}`)
		if (r == nil) != tt.ok || r != nil && r.kind != kindMedia {
			t.Errorf("%s %q: got %v, want ok %v", tt.method, tt.media, r, tt.ok)
		}
	}
}

// What parseJSON takes, encoding/json takes too, and the other way round but for
// what is refused on purpose.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `[1,{"a":null}]`, `"\ud83d\ude00"`, `{"a":1,"a":2}`, `1e9`, ` true `, `{"a":`, "\xff", `[[[[]]]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := parseJSON(body)
		if err == nil && !json.Valid(body) {
			t.Errorf("%q is taken but is not JSON", body)
		}
		var r *refusal
		if err != nil && (!errors.As(err, &r) || r.kind != kindBadRequest) {
			t.Errorf("%q: got %v, want a bad request", body, err)
		}
	})
}

// No body makes decode fail in another way than a refusal, or panic.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"name":"x","env":"live","abilities":[]}`, `{"abilities":null}`, `{"rate_limit":{"quota":1}}`, `{"expires_at":"9999-12-31T23:59:59Z"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		decoding[api.CreateToken](t, "POST", "application/json", body)
		decoding[api.UpdateToken](t, "PATCH", "application/json", body)
		decoding[api.UpdateOrder](t, "PATCH", "application/json", body)
	})
}
