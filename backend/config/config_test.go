package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-portal/gatehouse/backend/mail"
)

// load reads a configuration that must be right.
func load(t *testing.T, environ ...string) Config {
	t.Helper()
	c, err := Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mistakes reads a configuration that must be wrong.
func mistakes(t *testing.T, checks []Check, environ ...string) Mistakes {
	t.Helper()
	_, err := Load(environ, checks...)
	var m Mistakes
	if !errors.As(err, &m) || len(m) == 0 {
		t.Fatalf("got %v, want mistakes in %q", err, environ)
	}
	return m
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	want := Config{
		Listen: "127.0.0.1:8080", PublicURL: "http://localhost:8080", Loopback: true,
		SQLite: "./data/gatehouse.db", Keys: "./data/keys", Outbox: "./data/outbox",
		MailFrom: "Gatehouse <gatehouse@localhost>",
	}
	for _, environ := range [][]string{nil, {"GATEHOUSE_LISTEN=", "GATEHOUSE_DATABASE=", "GATEHOUSE_MAIL_FILE=", "PATH=/bin"}} {
		if got := load(t, environ...); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", environ, got, want)
		}
	}
	if _, err := Load(nil, KeyFile, CatalogueFile); err != nil {
		t.Errorf("the defaults do not pass their own checks: %v", err)
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	for _, s := range Settings() {
		if !strings.HasPrefix(s.Name, "GATEHOUSE_") || !strings.HasSuffix(s.Text, ".") {
			t.Errorf("%+v is not described", s)
		}
	}
	if n := len(Settings()); n != 11 {
		t.Errorf("got %d settings, want 11", n)
	}
}

func TestProduction(t *testing.T) {
	got := load(t,
		"GATEHOUSE_LISTEN=[::]:80",
		"GATEHOUSE_PUBLIC_URL=https://Portal.Example.COM:443/",
		"GATEHOUSE_DATABASE=mongodb://app:p%40ss@db1,db2:27018/gatehouse?replicaSet=rs0",
		"GATEHOUSE_KEYS=/run/keys",
		"GATEHOUSE_CATALOGUE=/etc/catalogue.yaml",
		"GATEHOUSE_MAIL=smtp://app:s%2Fecret@mail.example.com:2525?tls=implicit",
		"GATEHOUSE_MAIL_FROM=Portal <portal@example.com>",
		"GATEHOUSE_TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7,2001:db8::/32 ::ffff:198.51.100.1",
		"GATEHOUSE_METRICS_LISTEN=127.0.0.1:9090",
	)
	want := Config{
		Listen: "[::]:80", PublicURL: "https://portal.example.com",
		MongoDB: "mongodb://app:p%40ss@db1,db2:27018/gatehouse?replicaSet=rs0",
		Keys:    "/run/keys", Catalogue: "/etc/catalogue.yaml",
		SMTP:     mail.Server{Host: "mail.example.com", Port: 2525, User: "app", Password: "s/ecret", Encryption: mail.Implicit},
		MailFrom: "Portal <portal@example.com>",
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
			netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("198.51.100.1/32"),
		},
		MetricsListen: "127.0.0.1:9090",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestPublicURL(t *testing.T) {
	for value, want := range map[string]string{
		"http://127.0.0.1:8080":       "http://127.0.0.1:8080",
		"http://127.3.2.1":            "http://127.3.2.1",
		"http://[::1]:8080":           "http://[::1]:8080",
		"http://portal.localhost:80":  "http://portal.localhost",
		"https://portal.example:8443": "https://portal.example:8443",
		"HTTPS://portal.example":      "https://portal.example",
	} {
		if got := load(t, "GATEHOUSE_PUBLIC_URL="+value, "GATEHOUSE_MAIL=smtp://mail").PublicURL; got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
	for value, part := range map[string]string{
		"http://portal.example.com":        "in clear",
		"http://192.168.1.7":               "in clear",
		"http://localhost.example.com":     "in clear",
		"http://0.0.0.0:8080":              "in clear",
		"portal.example.com":               "not a URL",
		"localhost:8080":                   "not a URL",
		"https://":                         "not a URL",
		"https://:8080":                    "not a URL",
		"https://a b":                      "not a URL",
		"ftp://portal.example.com":         "neither https nor http",
		"https://portal.example.com/base":  "only scheme, host and port",
		"https://portal.example.com?x=1":   "only scheme, host and port",
		"https://me@portal.example.com":    "only scheme, host and port",
		"https://portal.example.com:99999": "port",
		"https://portal.example.com:0":     "port",
	} {
		m := mistakes(t, nil, "GATEHOUSE_PUBLIC_URL="+value, "GATEHOUSE_MAIL=smtp://mail")
		if len(m) != 1 || m[0].Where != "GATEHOUSE_PUBLIC_URL" || !strings.Contains(m[0].Problem, part) || m[0].Fix == "" {
			t.Errorf("%s: got %v, want one about %q", value, m, part)
		}
	}
}

func TestWhatToWriteInPlaceOfHTTP(t *testing.T) {
	for value, want := range map[string]string{
		"http://Portal.example.com":      "Use https://portal.example.com, behind",
		"http://portal.example.com:8443": "Use https://portal.example.com:8443, behind",
		"http://[2001:db8::1]:8080":      "Use https://[2001:db8::1]:8080, behind",
		"http://0.0.0.0:8080":            "http://localhost:8080 on this machine",
		"http://[::]":                    "http://localhost on this machine",
	} {
		if m := mistakes(t, nil, "GATEHOUSE_PUBLIC_URL="+value, "GATEHOUSE_MAIL=smtp://mail"); !strings.Contains(m[0].Fix, want) {
			t.Errorf("%s: got %q, want %q", value, m[0].Fix, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, value, part string }{
		{"LISTEN", "8080", "not host:port"},
		{"LISTEN", "localhost", "not host:port"},
		{"LISTEN", "::1:8080", "not host:port"},
		{"LISTEN", "localhost:http", "port"},
		{"LISTEN", "localhost:65536", "port"},
		{"LISTEN", "localhost:-1", "port"},
		{"LISTEN", "local host:80", "host"},
		{"METRICS_LISTEN", "9090", "not host:port"},
		{"METRICS_LISTEN", "127.0.0.1:8080", "listener of their own"},
		{"DATABASE", "postgres://db/x", "neither SQLite nor MongoDB"},
		{"DATABASE", "gatehouse.db", "neither SQLite nor MongoDB"},
		{"DATABASE", "sqlite:", "path of a file"},
		{"DATABASE", "sqlite:///x.db", "path of a file"},
		{"DATABASE", "sqlite::memory:", "path of a file"},
		{"DATABASE", "sqlite:x.db?mode=ro", "path of a file"},
		{"DATABASE", "mongodb:db", "host is missing"},
		{"DATABASE", "mongodb://", "host is missing"},
		{"DATABASE", "mongodb://user:pw@/gatehouse", "host is missing"},
		{"MAIL", "sendmail", "neither an outbox nor a mail server"},
		{"MAIL", "outbox:", "directory"},
		{"MAIL", "outbox://x", "directory"},
		{"MAIL", "smtp://", "not a mail server"},
		{"MAIL", "smtp://mail?tls=maybe", "tls is none of"},
		{"MAIL", "smtp://mail?tsl=none", "only tls="},
		{"MAIL", "smtp://mail:0", "port"},
		{"MAIL", "smtp://u:p@mail.example.com?tls=none", "in clear"},
		{"MAIL", "smtp://:p@mail.example.com", "no user"},
		{"MAIL_FROM", "nobody", "not an address"},
		{"MAIL_FROM", "a@b.c\r\nBcc: x@y.z", "control"},
		{"TRUSTED_PROXIES", "10.0.0.0/8,proxy", "neither an address"},
		{"TRUSTED_PROXIES", "10.0.0.0/33", "neither an address"},
		{"TRUSTED_PROXIES", "fe80::1%eth0", "neither an address"},
		{"TRUSTED_PROXIES", "0.0.0.0/0", "trusts everybody"},
		{"TRUSTED_PROXIES", "::/0", "trusts everybody"},
		{"TRUSTED_PROXIES", "::ffff:0.0.0.0/96", "trusts everybody"},
		{"TRUSTED_PROXIES", "::ffff:0.0.0.0/90", "mixes"},
		{"DATABASE_FILE", "/nowhere/at/all", "no such file"},
		{"MAIL_FILE", "/", "directory"},
	}
	for _, tt := range tests {
		m := mistakes(t, nil, "GATEHOUSE_"+tt.name+"="+tt.value)
		if len(m) != 1 || m[0].Where != "GATEHOUSE_"+tt.name || !strings.Contains(m[0].Problem, tt.part) || !strings.HasSuffix(m[0].Fix, ".") {
			t.Errorf("%s=%s: got %v, want one about %q", tt.name, tt.value, m, tt.part)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	m := mistakes(t, []Check{KeyFile, CatalogueFile},
		"GATEHOUSE_LISTEN=x", "GATEHOUSE_METRICS_LISTEN=y", "GATEHOUSE_PUBLIC_URL=http://example.com:0/x",
		"GATEHOUSE_DATABASE=mongodb://db", "GATEHOUSE_KEYS=/nowhere/keys", "GATEHOUSE_CATALOGUE=/nowhere/catalogue",
		"GATEHOUSE_MAIL=x", "GATEHOUSE_MAIL_FROM=x", "GATEHOUSE_TRUSTED_PROXIES=x,y")
	seen := map[string]int{}
	for _, mistake := range m {
		seen[mistake.Where]++
	}
	want := map[string]int{
		"GATEHOUSE_LISTEN": 1, "GATEHOUSE_METRICS_LISTEN": 1, "GATEHOUSE_PUBLIC_URL": 3, "GATEHOUSE_KEYS": 1,
		"GATEHOUSE_CATALOGUE": 1, "GATEHOUSE_MAIL": 1, "GATEHOUSE_MAIL_FROM": 1, "GATEHOUSE_TRUSTED_PROXIES": 2,
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("got %v, want %v:\n%v", seen, want, m)
	}
	if lines := strings.Split(m.Error(), "\n"); len(lines) != len(m) {
		t.Errorf("got %d lines for %d mistakes", len(lines), len(m))
	}
}

func TestOutboxOnlyOnThisMachine(t *testing.T) {
	m := mistakes(t, nil, "GATEHOUSE_PUBLIC_URL=https://portal.example.com")
	if len(m) != 1 || m[0].Where != "GATEHOUSE_MAIL" || !strings.Contains(m[0].Problem, "everybody") {
		t.Errorf("got %v, want one about the outbox", m)
	}
	got := load(t, "GATEHOUSE_PUBLIC_URL=https://portal.example.com", "GATEHOUSE_MAIL=smtp://mail.example.com")
	if got.MailFrom != "Gatehouse <gatehouse@portal.example.com>" || got.SMTP.Port != 587 || got.SMTP.Encryption != mail.StartTLS {
		t.Errorf("got %+v", got)
	}
}

// The codes in the mails open accounts, so nobody else may reach the outbox.
func TestOutboxOnlyForThisMachine(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:8080", "127.3.2.1:0", "localhost:8080", "[::1]:8080", "[::ffff:127.0.0.1]:80"} {
		load(t, "GATEHOUSE_LISTEN="+listen)
	}
	for _, listen := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.168.1.7:8080", "[fe80::1%eth0]:80", "portal.example:80", "[::ffff:0.0.0.0]:80"} {
		m := mistakes(t, nil, "GATEHOUSE_LISTEN="+listen)
		if len(m) != 1 || m[0].Where != "GATEHOUSE_MAIL" || !strings.Contains(m[0].Problem, "GATEHOUSE_LISTEN is "+listen) || !strings.Contains(m[0].Fix, "smtp://") {
			t.Errorf("%s: got %v, want one about the outbox", listen, m)
		}
		load(t, "GATEHOUSE_LISTEN="+listen, "GATEHOUSE_MAIL=smtp://mail.example.com")
	}
}

func TestSecretsFromFiles(t *testing.T) {
	got := load(t,
		"GATEHOUSE_DATABASE_FILE="+write(t, "\ufeffmongodb://app:pw@db/gatehouse\n"),
		"GATEHOUSE_MAIL_FILE="+write(t, "smtp://app:pw@mail\r\n"))
	if got.MongoDB != "mongodb://app:pw@db/gatehouse" || got.SMTP.Password != "pw" || got.SQLite != "" || got.Outbox != "" {
		t.Errorf("got %+v", got)
	}
	m := mistakes(t, nil, "GATEHOUSE_DATABASE=sqlite:x.db", "GATEHOUSE_DATABASE_FILE="+write(t, "sqlite:y.db"))
	if len(m) != 1 || !strings.Contains(m[0].Problem, "GATEHOUSE_DATABASE is set too") {
		t.Errorf("both set: got %v", m)
	}
	m = mistakes(t, nil, "GATEHOUSE_MAIL_FILE="+write(t, "\n"))
	if len(m) != 1 || !strings.Contains(m[0].Problem, "empty") {
		t.Errorf("an empty file: got %v", m)
	}
}

func TestKeyFileIsNeededWithMongoDB(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "keys")
	m := mistakes(t, []Check{KeyFile}, "GATEHOUSE_DATABASE=mongodb://db", "GATEHOUSE_KEYS="+absent)
	if len(m) != 1 || !strings.Contains(m[0].Fix, "gatehouse keys init") {
		t.Errorf("got %v, want one that names gatehouse keys init", m)
	}
	if _, err := Load([]string{"GATEHOUSE_DATABASE=mongodb://db", "GATEHOUSE_KEYS=" + write(t, "x")}, KeyFile); err != nil {
		t.Errorf("the file is there: %v", err)
	}
	if _, err := Load([]string{"GATEHOUSE_KEYS=" + absent}, KeyFile); err != nil {
		t.Errorf("SQLite makes it: %v", err)
	}
	// keys init itself must not be kept from making the file.
	load(t, "GATEHOUSE_DATABASE=mongodb://db", "GATEHOUSE_KEYS="+absent)
}

func TestCatalogueFileIsChecked(t *testing.T) {
	m := mistakes(t, []Check{CatalogueFile}, "GATEHOUSE_CATALOGUE="+write(t, "abilities: []\n"))
	if len(m) != 2 || !strings.Contains(m[0].Where, "line 1") {
		t.Errorf("got %v, want the mistakes of the file with their lines", m)
	}
}

// Whatever is wrong, a password is in no sentence.
func TestPasswordsAreNotShown(t *testing.T) {
	const pw = "hunter2"
	for _, environ := range []string{
		"GATEHOUSE_DATABASE=postgres://app:hunter2@db/x",
		"GATEHOUSE_DATABASE=mongodb://app:hunter2@/x",
		"GATEHOUSE_DATABASE=mongodb:app:hunter2@db",
		"GATEHOUSE_DATABASE=mysql://db/x?password=hunter2",
		"GATEHOUSE_DATABASE=mongodbb://app:p@hunter2@db/x",
		"GATEHOUSE_MAIL=smtp://app:hunter2",
		"GATEHOUSE_MAIL=smtp://app:hunter2/",
		"GATEHOUSE_MAIL=smtp://app:hunter2@mail:port",
		"GATEHOUSE_MAIL=smtp://app:hunter2@mail?tls=what",
		"GATEHOUSE_MAIL=smtp://app:%zzhunter2@mail",
		"GATEHOUSE_MAIL=smtps://app:hunter2@mail",
		"GATEHOUSE_MAIL=smtp://:hunter2@mail",
		"GATEHOUSE_MAIL=app:hunter2@mail",
		"GATEHOUSE_PUBLIC_URL=https://me:hunter2@portal.example.com",
		"GATEHOUSE_PUBLIC_URL=https://me:hunter2@portal.example.com:x",
	} {
		if m := mistakes(t, nil, environ, "GATEHOUSE_MAIL_FROM=a@b.c"); strings.Contains(m.Error(), pw) {
			t.Errorf("%s: %v", environ, m)
		}
	}
	m := mistakes(t, nil, "GATEHOUSE_DATABASE_FILE="+write(t, "postgres://app:hunter2@db/x"))
	if strings.Contains(m.Error(), pw) {
		t.Errorf("from a file: %v", m)
	}
}

func TestMask(t *testing.T) {
	for value, want := range map[string]string{
		"mongodb://app:pw@db1:1,db2:2/x?replicaSet=rs0": "mongodb://app:…@db1:1,db2:2/x?replicaSet=rs0",
		"mongodb://db1:1,db2:2/x":                       "mongodb://db1:1,db2:2/x",
		"smtp://[::1]:25/":                              "smtp://[::1]:25/",
		"https://portal.example.com":                    "https://portal.example.com",
		"sqlite:./x.db":                                 "sqlite:./x.db",
	} {
		if got := mask(value); got != want {
			t.Errorf("mask(%q) = %q, want %q", value, got, want)
		}
	}
}

// A setting that nobody reads is easily taken for one that holds.
func TestMisspelledVariables(t *testing.T) {
	for name, meant := range map[string]string{
		"LISTE": "LISTEN", "DATABSE": "DATABASE", "TRUSTED_PROXY": "TRUSTED_PROXIES", "MAILFROM": "MAIL_FROM",
		"PUBLICURL": "PUBLIC_URL", "CATALOG": "CATALOGUE", "METRICS_LISTENER": "METRICS_LISTEN", "KEY": "KEYS",
	} {
		found := mistakes(t, nil, "GATEHOUSE_"+name+"=hunter2")
		if len(found) != 1 || found[0].Where != "GATEHOUSE_"+name || found[0].Fix != "Did you mean GATEHOUSE_"+meant+"?" {
			t.Errorf("%s: got %v, want %s", name, found, meant)
		}
		if strings.Contains(found.Error(), "hunter2") {
			t.Errorf("%s: the value is shown: %v", name, found)
		}
	}
	for name, fix := range map[string]string{
		"KEYS": "Set GATEHOUSE_KEYS instead, to the path of the file itself.", "CATALOGUE": "Set GATEHOUSE_CATALOGUE instead, to the path of the file itself.",
		"MAIL_FROM": "Set GATEHOUSE_MAIL_FROM instead.", "PUBLIC_URL": "Set GATEHOUSE_PUBLIC_URL instead.",
	} {
		found := mistakes(t, nil, "GATEHOUSE_"+name+"_FILE=hunter2")
		if len(found) != 1 || found[0].Where != "GATEHOUSE_"+name+"_FILE" || found[0].Fix != fix || strings.Contains(found.Error(), "hunter2") {
			t.Errorf("%s_FILE: got %v, want %q", name, found, fix)
		}
	}
	// What Kubernetes and others set is none of our business.
	load(t, "GATEHOUSE_PORT=tcp://10.0.0.1:80", "GATEHOUSE_SERVICE_HOST=10.0.0.1", "GATEHOUSE_SERVICE_PORT=80",
		"GATEHOUSE_PORT_80_TCP_ADDR=10.0.0.1", "GATEHOUSE_TOKEN=gtk_live_x", "GATEHOUSE_TEST_MONGODB=mongodb://x", "GATEHOUSE_LISTE=", "KEY=x")
}
