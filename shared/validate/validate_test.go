package validate

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-playground/validator/v10"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// peer is go-playground/validator as the server sets it up.
func peer(t testing.TB) *validator.Validate {
	t.Helper()
	v := validator.New()
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	for tag, rule := range map[string]func(string) bool{
		"plain": Plain, "multiline": Multiline, "no_secret": NoSecret, "ability": Ability, "address": Address, "currency": Currency,
	} {
		if err := v.RegisterValidation(tag, func(fl validator.FieldLevel) bool { return rule(fl.Field().String()) }); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

var index = regexp.MustCompile(`\[(\d+)\]`)

// verdict returns what validator finds, in the form of ours: "#/name max".
func verdict(t testing.TB, v *validator.Validate, body any) []string {
	t.Helper()
	out := []string{}
	err := v.Struct(body)
	var wrong validator.ValidationErrors
	if err != nil && !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	for _, e := range wrong {
		_, where, _ := strings.Cut(e.Namespace(), ".")
		where = index.ReplaceAllString(strings.ReplaceAll(where, ".", "/"), "/$1")
		out = append(out, "#/"+where+" "+e.Tag())
	}
	slices.Sort(out)
	return out
}

func ours(body any) []string {
	out := []string{}
	for _, e := range Check(body) {
		out = append(out, e.Pointer+" "+e.Code)
	}
	slices.Sort(out)
	return out
}

func ptr[T any](v T) *T { return &v }

func TestSameVerdictAsValidator(t *testing.T) {
	long := strings.Repeat("ä", 101)
	const secret = "gtk_live_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"
	bodies := []any{
		api.SignUp{},
		api.CrashReport{},
		api.SignUp{Name: "Ada", Email: "ada@example.com", Password: "correct horse", TeamName: "Acme"},
		api.SignUp{Name: long, Email: "ada@example", Password: "short", TeamName: " "},
		api.SignUp{Name: "a\x00", Email: strings.Repeat("a", 250) + "@b.cd", Password: strings.Repeat("p", 129), TeamName: "😀"},
		api.SignUp{Name: strings.Repeat("😀", 100), Email: "ü@exämple.com", Password: strings.Repeat("😀", 12), TeamName: "\t"},
		api.SignIn{Email: "x", Password: "y"},
		api.CreateToken{},
		api.CreateToken{Name: "n", Env: "live", Abilities: &[]string{}},
		api.CreateToken{Name: "n", Env: "prod", Abilities: ptr([]string(nil))},
		api.CreateToken{Name: "n", Env: "test", Abilities: &[]string{"orders:read", "*", "Orders:x"}, Addresses: []string{"10.0.0.1", "::/0", "fe80::1%eth0", "10.0.0.0/33"}},
		api.CreateToken{Name: "n", Env: "test", Abilities: &[]string{}, RateLimit: &api.RateLimit{}},
		api.CreateToken{Name: "n", Env: "test", Abilities: &[]string{}, RateLimit: &api.RateLimit{Quota: 1000001, WindowSeconds: 60}, Note: "a\nb\x07"},
		api.CreateToken{Name: "n", Env: "test", Abilities: ptr(slices.Repeat([]string{"a:b"}, 257)), Addresses: slices.Repeat([]string{"::1"}, 51)},
		api.CreateToken{Name: secret, Env: "test", Abilities: &[]string{}, Note: "it is\n" + secret},
		api.CreateToken{Name: strings.Repeat("x", 60) + secret, Env: "test", Abilities: &[]string{}, Note: secret + "\x00"},
		api.SignUp{Name: secret, Email: "ada@example.com", Password: "correct horse", TeamName: secret},
		api.CreateOrder{Reference: secret, Currency: "EUR", Lines: []api.OrderLine{{SKU: secret, Description: secret, Quantity: 1}}},
		api.Reason{Note: secret},
		api.RotateToken{},
		api.RotateToken{OverlapSeconds: ptr(0), Activate: "now"},
		api.RotateToken{OverlapSeconds: ptr(-1), Activate: "later"},
		api.RotateToken{OverlapSeconds: ptr(604801)},
		api.Reason{Reason: "bored", Note: strings.Repeat("x", 1001)},
		api.UpdateToken{},
		api.UpdateToken{RateLimit: api.Null[api.RateLimit]()},
		api.UpdateToken{RateLimit: api.Some(api.RateLimit{Quota: 0, WindowSeconds: 1})},
		api.UpdateToken{Name: api.Some("x"), Abilities: api.Some([]string{"x"})},
		api.CreateOrder{},
		api.CreateOrder{Reference: "r", Currency: "EUR", AmountMinor: ptr(int64(0))},
		api.CreateOrder{Reference: "r", Currency: "EUR", Lines: []api.OrderLine{{SKU: "s", Quantity: 1}, {}}},
		api.CreateOrder{Reference: "r", Currency: "eur", AmountMinor: ptr(int64(-1))},
		api.UpdateOrder{},
		api.UpdateTeam{},
		api.CreateTeam{Name: "\u0085"},
		api.ConfirmPassword{},
		api.ChangePassword{Current: "x", Password: "12345678901"},
	}
	v := peer(t)
	for i, body := range bodies {
		t.Run(fmt.Sprintf("%d %T", i, body), func(t *testing.T) {
			if got, want := ours(body), verdict(t, v, body); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q\n%+v", got, want, body)
			}
		})
	}
}

func TestPatchesMayLeaveFieldsAlone(t *testing.T) {
	v := peer(t)
	for _, body := range []any{api.UpdateToken{}, api.UpdateOrder{}, api.UpdateToken{RateLimit: api.Null[api.RateLimit]()}} {
		if got, want := ours(body), verdict(t, v, body); len(got)+len(want) > 0 {
			t.Errorf("%+v: got %q, validator %q, want nothing", body, got, want)
		}
	}
	body := api.UpdateToken{RateLimit: api.Some(api.RateLimit{Quota: 1})}
	if got := ours(body); !slices.Equal(got, []string{"#/rate_limit/window_seconds min"}) {
		t.Errorf("got %q", got)
	}
}

func TestPatchesKeepWhatIsNeeded(t *testing.T) {
	body := api.UpdateOrder{
		Reference: api.Null[string](), Currency: api.Null[string](), AmountMinor: api.Null[int64](), Lines: api.Null[[]api.OrderLine](),
	}
	if got := ours(body); !slices.Equal(got, []string{"#/amount_minor required", "#/currency required", "#/lines required", "#/reference required"}) {
		t.Errorf("got %q", got)
	}
}

func TestEmail(t *testing.T) {
	v := peer(t)
	for _, s := range []string{
		"a@b.cd", "a@b", "@b.cd", "a@", "a@@b.cd", "a.b@c.de", ".a@b.cd", "a.@b.cd", "a..b@c.de", "a@b..cd", "a@.b.cd",
		"a@b.cd.", "a@b.c1", "a@b.1c", "a@b.1c.d", "a@1.d", "a@b-.cd", "a@-b.cd", "a@b.-d", "a@b.c-d", "a@b.d-", "a b@c.de",
		`"a b"@c.de`, `"a"b@c.de`, `""@c.de`, `"\""@c.de`, `"a\"@c.de`, "\"\x01\"@c.de", "\"a\tb\"@c.de", "\"\\\x01\"@c.de",
		"ü@ü.de", "a@[1.2.3.4]", "a(c)@b.cd", "Ada <a@b.cd>", "<a@b.cd>", "a@b.cd ", "😀@b.cd", "a@b.😀", "\xff@b.cd", "a@b.cd\n",
		"!#$%&'*+-/=?^_`{|}~@b.cd", "a@b~c.de", "a@b_c.de", "\u00a0@b.cd", "a@b.\ufdd0", "=?utf-8?q?a?=@b.cd", "a@xn--a.de", "",
	} {
		if got, want := Email(s), v.Var(s, "email") == nil; got != want {
			t.Errorf("Email(%q) = %v, want %v", s, got, want)
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"a@b.cd", `"a b"@c.de`, "a@b.1c.d", "ü@ü.de", "a@b-.c", "\"\\\"\"@a.b"} {
		f.Add(s)
	}
	v := peer(f)
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := Email(s), v.Var(s, "email") == nil; got != want {
			t.Errorf("Email(%q) = %v, want %v", s, got, want)
		}
	})
}

func FuzzSameVerdict(f *testing.F) {
	f.Add("Ada", "ada@example.com", "correct horse", "live", "orders:read", "10.0.0.0/8", "EUR", int64(5), uint8(3))
	f.Add("", "", "", "", "", "", "", int64(-1), uint8(0))
	v := peer(f)
	f.Fuzz(func(t *testing.T, name, email, password, word, ability, address, currency string, n int64, bits uint8) {
		var limit *api.RateLimit
		abilities, addresses := &[]string{ability, name}, []string{address, name}
		if bits&1 != 0 {
			limit = &api.RateLimit{Quota: int(n), WindowSeconds: int(n % 90000)}
		}
		if bits&2 != 0 {
			abilities = nil
		}
		if bits&4 != 0 {
			addresses = nil
		}
		for _, body := range []any{
			api.SignUp{Name: name, Email: email, Password: password, TeamName: word},
			api.CreateToken{Name: name, Env: word, Abilities: abilities, Addresses: addresses, RateLimit: limit, Note: password},
			api.RotateToken{OverlapSeconds: ptr(int(n)), Activate: word},
			api.UpdateToken{RateLimit: api.Optional[api.RateLimit]{Set: bits&8 != 0, Null: bits&16 != 0, Value: api.RateLimit{Quota: int(n)}}},
			api.CreateOrder{Reference: name, Currency: currency, AmountMinor: &n, Lines: []api.OrderLine{{SKU: word, Description: password, Quantity: n, AmountMinor: n}}},
		} {
			if got, want := ours(body), verdict(t, v, body); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q\n%+v", got, want, body)
			}
		}
	})
}

func TestUnknownRulePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a rule that nobody knows was let through")
		}
	}()
	Check(struct {
		A string `validate:"uuid"`
	}{"x"})
}

func TestEveryRuleHasItsSentence(t *testing.T) {
	tests := []struct {
		rule, param string
		kind        reflect.Kind
		want        string
	}{
		{"max", "100", reflect.String, "At most 100 characters."},
		{"min", "1", reflect.Slice, "At least 1 entry."},
		{"max", "86400", reflect.Int, "At most 86400."},
		{"oneof", "live test", reflect.String, "One of live, test."},
	}
	for _, tt := range tests {
		if got := Broken("#/x", tt.rule, tt.param, tt.kind).Detail; got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
