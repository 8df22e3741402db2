package token

import (
	"slices"
	"strings"
	"unicode"

	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// Variable is the name of the environment variable that holds a token.
const Variable = "GATEHOUSE_TOKEN"

// FirstCall returns a curl command that a token with these abilities may make.
// Bearer is its secret, or "" for the environment variable.
func FirstCall(origin string, abilities []string, bearer string) string {
	if bearer == "" {
		bearer = "$" + Variable
	}
	has := func(name string) bool { return slices.Contains(abilities, name) }
	auth := ` \` + "\n" + `  -H "Authorization: Bearer ` + bearer + `"`
	switch {
	case has("orders:read"):
		return "curl " + origin + "/api/v1/orders" + auth
	case has("orders:write"):
		return "curl " + origin + "/api/v1/orders" + auth + ` \` + "\n" +
			`  -H "Content-Type: application/json" \` + "\n" +
			`  -d '{"reference":"PO-1001","currency":"EUR","amount_minor":12900,` + "\n" +
			`       "lines":[{"sku":"A-1","description":"Chair","quantity":1,"amount_minor":12900}]}'`
	case has("usage:read"):
		return "curl " + origin + "/api/v1/usage" + auth
	}
	return "curl " + origin + "/api/v1/token" + auth
}

// EnvFile returns the text of a .env file with the secret of a token.
func EnvFile(origin string, t api.Token, secret string) string {
	ends := "never expires"
	if !t.ExpiresAt.IsZero() {
		ends = "expires " + t.ExpiresAt.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	return "# " + oneLine(t.Name) + " (" + t.Env + "), " + ends + ".\n" +
		"# Keep this file out of version control.\n" +
		"GATEHOUSE_URL=" + origin + "\n" +
		Variable + "=" + secret + "\n"
}

// EnvName returns the name of that file: erp-integration.env.
func EnvName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 60 {
			break
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s + ".env"
	}
	return "gatehouse.env"
}

// oneLine keeps a name from ending the comment that it stands in.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
