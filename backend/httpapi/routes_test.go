package httpapi

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; look at the change, then run go test -update. Got:\n%s", path, got)
	}
}

func TestRoutesGolden(t *testing.T) {
	var b strings.Builder
	for _, rt := range table() {
		fmt.Fprintf(&b, "%-6s %-55s %s\n", rt.method, rt.path, rt.access)
	}
	golden(t, "routes.golden", b.String())
}

func TestEveryRouteHasARule(t *testing.T) {
	seen := map[string]bool{}
	for _, rt := range table() {
		name := rt.method + " " + rt.path
		switch rt.access.door {
		case doorPublic, doorAnyone:
			if strings.HasPrefix(rt.path, apiSpace) {
				t.Errorf("%s: the API needs a token", name)
			}
		case doorSession:
			if !strings.HasPrefix(rt.path, portalSpace) {
				t.Errorf("%s: a session is for the portal", name)
			}
			if strings.Contains(rt.path, ":team") != (rt.access.action != "") {
				t.Errorf("%s: a route of a team names what a member must be allowed to do, others do not", name)
			}
		case doorToken:
			if !strings.HasPrefix(rt.path, apiSpace) {
				t.Errorf("%s: a token is for the API", name)
			}
		default:
			t.Errorf("%s has no rule", name)
		}
		if rt.access.action != "" && len(portal.WhoMay(rt.access.action)) == 0 {
			t.Errorf("%s: nobody may %s", name, rt.access.action)
		}
		if seen[name] {
			t.Errorf("%s stands twice", name)
		}
		seen[name] = true
		if rt.handle == nil || rt.about == "" {
			t.Errorf("%s: no handler or no description", name)
		}
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.name] || k.status < 400 || k.title == "" || k.fix == "" || k.about == "" {
			t.Errorf("the kind %+v is not whole, or stands twice", k)
		}
		seen[k.name] = true
	}
	for _, k := range []portal.Kind{
		portal.Invalid, portal.NotFound, portal.RoleNotAllowed, portal.NotFresh, portal.NotVerified, portal.NameTaken,
		portal.Conflict, portal.Changed, portal.MatchRequired, portal.SignedOut, portal.TooMany, portal.BadRequest,
	} {
		if !seen[string(k)] {
			t.Errorf("the kind %s of the rules has no problem type", k)
		}
	}
}

func TestLoggable(t *testing.T) {
	tests := []struct{ path, want string }{
		{"/api/v1/orders/ord_01JD8R2T7Q01JD8R2T7Q01JD8R", "/api/v1/orders/ord_01JD8R2T7Q01JD8R2T7Q01JD8R"},
		{"/portal/v1/teams/tea_01JD8R2T7Q01JD8R2T7Q01JD8R/tokens/7Hq2LmZx9RtB/rotate/finish", "/portal/v1/teams/tea_01JD8R2T7Q01JD8R2T7Q01JD8R/tokens/7Hq2LmZx9RtB/rotate/finish"},
		{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"},
		{"/verify/0123456789012345678901234567890123456789012", "/verify/…"},
		{"/verify/01234567890123-567890123_567890123-567890123", "/verify/…"},
		{"/api/v1/orders/0123456789ABCDEFGHIJKLMNOPQRSTUV", "/api/v1/orders/…"},
		{"/api/v1/orders/0123456789ABCDEFGHIJKLMN/x", "/api/v1/orders/…/x"},
		{"/api/v1/orders/B_0123456789ABCDEFGHIJKLMN", "/api/v1/orders/…"},
		{"/api/v1/orders/ord_01jd8r2t7q01jd8r2t7q01jd8r", "/api/v1/orders/…"},
		{"/api/v1/orders/ord_0123456789ABCDEFGHIJKLMNOP", "/api/v1/orders/…"},
		{"/api/v1/orders/7Hq2LmZx9RtB", "/api/v1/orders/7Hq2LmZx9RtB"},
		{"/gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A", "/…"},
	}
	for _, tt := range tests {
		if got := loggable(tt.path); got != tt.want {
			t.Errorf("loggable(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}
