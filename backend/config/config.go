// Package config turns the environment into a Config and the catalogue file
// into a [portal.Catalogue]. Both report every mistake at once, as sentences
// that name the place, what stands there, and how to mend it. Secrets are never
// part of a sentence.
package config

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/gatehouse-portal/gatehouse/backend/mail"
)

const (
	prefix     = "GATEHOUSE_"
	fileSuffix = "_FILE"
)

// environment is what is read, as text. A variable that is empty counts as not
// set. The doc tags are the table of settings.
type environment struct {
	Listen         string `env:"LISTEN" envDefault:"127.0.0.1:8080" doc:"Where the portal and the API listen, host:port."`
	PublicURL      string `env:"PUBLIC_URL" envDefault:"http://localhost:8080" doc:"How browsers reach the portal: scheme, host and port. http only on this machine."`
	Database       string `env:"DATABASE" envDefault:"sqlite:./data/gatehouse.db" doc:"sqlite:PATH for one process, or mongodb:// or mongodb+srv:// with a replica set for many."`
	DatabaseFile   string `env:"DATABASE_FILE" doc:"A file that holds GATEHOUSE_DATABASE instead, for a password."`
	Keys           string `env:"KEYS" envDefault:"./data/keys" doc:"The key file, mode 0600. Made at the first start with SQLite; by gatehouse keys init with MongoDB."`
	Catalogue      string `env:"CATALOGUE" doc:"The catalogue file, YAML. The embedded example if not set."`
	Mail           string `env:"MAIL" envDefault:"outbox:./data/outbox" doc:"outbox:DIRECTORY shows mails at /outbox (public URL and listener on this machine only), or smtp://user:password@host:port?tls=starttls|implicit|none."`
	MailFile       string `env:"MAIL_FILE" doc:"A file that holds GATEHOUSE_MAIL instead, for a password."`
	MailFrom       string `env:"MAIL_FROM" doc:"Who mails come from, such as Gatehouse <gatehouse@example.com>. gatehouse@ and the public host if not set."`
	TrustedProxies string `env:"TRUSTED_PROXIES" doc:"Addresses and networks of the proxies whose X-Forwarded-For is believed, separated by commas. None if not set."`
	MetricsListen  string `env:"METRICS_LISTEN" doc:"Where Prometheus metrics are served, host:port. Off if not set."`
}

// Setting describes one variable, for help texts.
type Setting struct {
	Name    string
	Default string // "" if there is none
	Text    string // sentences
}

// Settings lists every variable in the order of importance.
func Settings() []Setting {
	fields := reflect.VisibleFields(reflect.TypeFor[environment]())
	settings := make([]Setting, len(fields))
	for i, f := range fields {
		settings[i] = Setting{Name: prefix + f.Tag.Get("env"), Default: f.Tag.Get("envDefault"), Text: f.Tag.Get("doc")}
	}
	return settings
}

// Config is how one process runs. It may hold passwords, so it is not logged.
type Config struct {
	Listen         string         // host:port
	PublicURL      string         // scheme://host[:port], lower case, without the port that the scheme means anyway
	Loopback       bool           // PublicURL is on this machine
	SQLite         string         // path of the file; "" with MongoDB
	MongoDB        string         // URI; "" with SQLite
	Keys           string         // path of the key file
	Catalogue      string         // path; "" means the embedded example
	Outbox         string         // directory; "" with SMTP
	SMTP           mail.Server    // zero with an outbox
	MailFrom       string         // address, with or without a name
	TrustedProxies []netip.Prefix // unmapped and masked
	MetricsListen  string         // host:port; "" means off
}

// Check is a further demand on a configuration that can be read.
type Check func(c Config, m *Mistakes)

// Load reads a configuration from an environment as os.Environ returns it. Its
// error is [Mistakes]: all of them, those of the checks included.
func Load(environ []string, checks ...Check) (Config, error) {
	variables := env.ToMap(environ)
	e, err := env.ParseAsWithOptions[environment](env.Options{Prefix: prefix, Environment: variables})
	if err != nil {
		return Config{}, err // cannot happen: every field is text
	}
	var c Config
	var m Mistakes
	c.listeners(e, &m)
	c.publicURL(e, &m)
	c.database(fromFile(variables, "DATABASE", e.Database, &m), &m)
	c.mail(fromFile(variables, "MAIL", e.Mail, &m), e.MailFrom, &m)
	c.proxies(e, &m)
	c.Keys, c.Catalogue = e.Keys, e.Catalogue
	misspelled(variables, &m)
	for _, check := range checks {
		check(c, &m)
	}
	return c, m.err()
}

// KeyFile demands the key file that a start needs: with MongoDB it must be
// there, because all nodes share it; with SQLite it is made at the first start.
func KeyFile(c Config, m *Mistakes) {
	if c.MongoDB == "" {
		return
	}
	if _, err := os.Stat(c.Keys); errors.Is(err, fs.ErrNotExist) {
		m.add("GATEHOUSE_KEYS", c.Keys, "Run gatehouse keys init once, and give every node the same file.",
			"there is no such file, and with MongoDB it is not made by itself, because all nodes must share it")
	}
}

// CatalogueFile demands that the catalogue can be read and has no mistake.
func CatalogueFile(c Config, m *Mistakes) {
	_, err := c.LoadCatalogue()
	var found Mistakes
	if errors.As(err, &found) {
		*m = append(*m, found...)
	}
}

// fromFile returns the setting, or the content of the file that its _FILE
// variable names, without the line break at its end.
func fromFile(variables map[string]string, name, value string, m *Mistakes) string {
	variable := prefix + name
	path := variables[variable+fileSuffix]
	if path == "" {
		return value
	}
	if variables[variable] != "" {
		m.add(variable+fileSuffix, path, "Unset one of the two.", "%s is set too", variable)
		return value
	}
	content, err := os.ReadFile(path)
	var reason *fs.PathError
	if errors.As(err, &reason) {
		m.add(variable+fileSuffix, path, "Name a file that this user may read.", "the file cannot be read (%v)", reason.Err)
		return value
	}
	text := strings.TrimRight(strings.TrimPrefix(string(content), byteOrderMark), "\r\n")
	if text == "" {
		m.add(variable+fileSuffix, path, "Write the value of "+variable+" into it.", "the file is empty")
		return value
	}
	return text
}

func (c *Config) listeners(e environment, m *Mistakes) {
	c.Listen, c.MetricsListen = e.Listen, e.MetricsListen
	checkListen("GATEHOUSE_LISTEN", c.Listen, "127.0.0.1:8080", m)
	if c.MetricsListen == "" {
		return
	}
	checkListen("GATEHOUSE_METRICS_LISTEN", c.MetricsListen, "127.0.0.1:9090", m)
	if c.MetricsListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		m.add("GATEHOUSE_METRICS_LISTEN", c.MetricsListen, "Choose another port.", "GATEHOUSE_LISTEN is the same, but metrics have a listener of their own")
	}
}

// listensElsewhere reports that others than this machine can reach the portal. A
// listener that cannot be read is a mistake of its own.
func (c *Config) listensElsewhere() bool {
	var m Mistakes
	checkListen("", c.Listen, "", &m)
	host, _, _ := net.SplitHostPort(c.Listen)
	return len(m) == 0 && !isLoopback(host)
}

func checkListen(name, value, example string, m *Mistakes) {
	fix := "Write host:port, such as " + example + "."
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		m.add(name, value, fix, "this is not host:port")
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		m.add(name, value, fix, "the port is not a number from 0 to 65535")
	}
	if strings.ContainsAny(host, " /@") {
		m.add(name, value, fix, "the host is not a name or an address")
	}
}

func (c *Config) publicURL(e environment, m *Mistakes) {
	const name, example = "GATEHOUSE_PUBLIC_URL", "Write scheme and host as browsers see them, such as https://portal.example.com."
	shown := mask(e.PublicURL)
	u, err := url.Parse(e.PublicURL)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		m.add(name, shown, example, "this is not a URL with a host")
		return
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" || u.Opaque != "" {
		m.add(name, shown, example, "only scheme, host and port can be given; the portal is at the root of its host")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			m.add(name, shown, example, "the port is not a number from 1 to 65535")
		}
	}
	c.Loopback = isLoopback(host)
	switch u.Scheme {
	case "https":
	case "http":
		if !c.Loopback {
			m.add(name, shown, inPlaceOfHTTP(u),
				"http is refused for a host that is not this machine, because tokens and sessions would travel in clear")
		}
	default:
		m.add(name, shown, example, "the scheme is neither https nor http")
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	c.PublicURL = u.Scheme + "://" + host
}

// inPlaceOfHTTP is what to write instead of an http URL of another machine.
func inPlaceOfHTTP(u *url.URL) string {
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && addr.Unmap().IsUnspecified() { // where to listen, not how to reach
		local := url.URL{Scheme: "http", Host: "localhost"}
		if u.Port() != "" {
			local.Host += ":" + u.Port()
		}
		return "Write how browsers reach the portal: " + local.String() + " on this machine, or https:// and a name."
	}
	secure := url.URL{Scheme: "https", Host: strings.ToLower(u.Host)}
	return "Use " + secure.String() + ", behind a proxy that ends TLS if need be."
}

// isLoopback reports whether a host is this machine: what RFC 6761 calls
// localhost, or an address of the loopback network.
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (c *Config) database(value string, m *Mistakes) {
	const name = "GATEHOUSE_DATABASE"
	const fix = "Write sqlite:PATH, such as sqlite:./data/gatehouse.db, or mongodb://host/gatehouse?replicaSet=rs0."
	scheme, rest, _ := strings.Cut(value, ":")
	switch scheme {
	case "sqlite":
		if strings.HasPrefix(rest, "//") || rest == "" || rest == ":memory:" || strings.ContainsAny(rest, "?\x00") {
			m.add(name, mask(value), fix, "after sqlite: comes the path of a file")
			return
		}
		c.SQLite = rest
	case "mongodb", "mongodb+srv":
		rest, found := strings.CutPrefix(rest, "//")
		hosts, _, _ := strings.Cut(rest, "?")
		hosts = hosts[strings.LastIndexByte(hosts, '@')+1:]
		hosts, _, _ = strings.Cut(hosts, "/")
		if !found || hosts == "" {
			m.add(name, mask(value), fix, "the host is missing")
			return
		}
		c.MongoDB = value
	default:
		m.add(name, mask(value), fix, "this is neither SQLite nor MongoDB")
	}
}

func (c *Config) mail(value, from string, m *Mistakes) {
	const name = "GATEHOUSE_MAIL"
	const fix = "Write outbox:DIRECTORY, or smtp://user:password@host:587."
	switch scheme, rest, _ := strings.Cut(value, ":"); scheme {
	case "outbox":
		if rest == "" || strings.HasPrefix(rest, "//") {
			m.add(name, value, fix, "after outbox: comes a directory")
		} else if !c.Loopback && c.PublicURL != "" {
			m.add(name, value, "Name a mail server: smtp://user:password@host:587.",
				"the outbox shows every mail to everybody, so it is only for a public URL on this machine, and GATEHOUSE_PUBLIC_URL is %s", c.PublicURL)
		} else if c.listensElsewhere() {
			m.add(name, value, "Listen on this machine alone, such as GATEHOUSE_LISTEN=127.0.0.1:8080, or name a mail server: smtp://user:password@host:587.",
				"the outbox shows every mail, with the links in it, to everybody who can reach the server, so it is only for a listener on this machine, and GATEHOUSE_LISTEN is %s", c.Listen)
		}
		c.Outbox = rest
	case "smtp":
		server, err := mail.ParseServer(value)
		if err != nil {
			m.add(name, mask(value), fix, "%v", err)
		}
		c.SMTP = server
	default:
		m.add(name, mask(value), fix, "this is neither an outbox nor a mail server")
	}
	if from == "" {
		host := "localhost"
		if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" && !c.Loopback {
			host = u.Hostname()
		}
		from = "Gatehouse <gatehouse@" + host + ">"
	}
	if err := mail.CheckAddress(from); err != nil {
		m.add("GATEHOUSE_MAIL_FROM", from, "Write an address, such as Gatehouse <gatehouse@example.com>.", "%v", err)
	}
	c.MailFrom = from
}

func (c *Config) proxies(e environment, m *Mistakes) {
	const name = "GATEHOUSE_TRUSTED_PROXIES"
	const fix = "Write addresses or networks separated by commas, such as 10.0.0.0/8, 192.0.2.7."
	for _, field := range strings.FieldsFunc(e.TrustedProxies, func(r rune) bool { return r == ',' || r == ' ' }) {
		p, err := netip.ParsePrefix(field)
		if err != nil {
			addr, addrErr := netip.ParseAddr(field)
			if addrErr != nil || addr.Zone() != "" {
				m.add(name, field, fix, "this is neither an address nor a network")
				continue
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		if p.Addr().Is4In6() {
			if p.Bits() < 96 {
				m.add(name, field, fix, "this network mixes IPv4 and IPv6")
				continue
			}
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Bits() == 0 {
			m.add(name, field, "Name the proxies alone.", "this trusts everybody, so anybody could claim any address")
			continue
		}
		c.TrustedProxies = append(c.TrustedProxies, p.Masked())
	}
}
