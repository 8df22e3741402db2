package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Encryption is how a connection to a mail server is protected.
type Encryption string

// The three ways. StartTLS is the default and is demanded, not just offered.
const (
	StartTLS Encryption = "starttls" // on port 587
	Implicit Encryption = "implicit" // on port 465
	NoTLS    Encryption = "none"     // on port 25, without a password unless on this machine
)

// Server is a mail server and how to sign in to it.
type Server struct {
	Host       string
	Port       int
	User       string // "" means without signing in
	Password   string
	Encryption Encryption
}

// ParseServer reads smtp://user:password@host:port?tls=starttls|implicit|none.
// Its errors do not quote the URL.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return Server{}, errors.New("this is not a mail server's URL; characters such as @ / ? # % in the password are written as %40 %2F %3F %23 %25")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username(), Encryption: StartTLS}
	s.Password, _ = u.User.Password()
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Server{}, errors.New("what follows ? cannot be read")
	}
	for name, values := range query {
		if name != "tls" || len(values) != 1 {
			return Server{}, errors.New("after ? only tls=starttls, tls=implicit or tls=none can follow, once")
		}
		s.Encryption = Encryption(values[0])
	}
	switch s.Encryption {
	case StartTLS:
		s.Port = 587
	case Implicit:
		s.Port = 465
	case NoTLS:
		s.Port = 25
	default:
		return Server{}, errors.New("tls is none of starttls, implicit and none")
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 {
			return Server{}, errors.New("the port is not a number from 1 to 65535")
		}
		s.Port = int(port)
	}
	if s.Encryption == NoTLS && s.User != "" && !s.loopback() {
		return Server{}, errors.New("without TLS the password would travel in clear, which is allowed to this machine only")
	}
	if s.User == "" && s.Password != "" {
		return Server{}, errors.New("there is a password but no user")
	}
	return s, nil
}

func (s Server) loopback() bool {
	addr, err := netip.ParseAddr(s.Host)
	return s.Host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// String names the server without its password.
func (s Server) String() string {
	return fmt.Sprintf("%s:%d (tls=%s)", s.Host, s.Port, s.Encryption)
}

// smtpTimeout bounds the delivery of one message, connecting included.
const smtpTimeout = 30 * time.Second

// SMTP delivers over one mail server. It is safe for use by many goroutines.
type SMTP struct {
	server Server
	from   string
	tls    *tls.Config // nil: the system's roots
}

// NewSMTP returns a deliverer over the server; from is an address with or
// without a name. Nothing is sent yet.
func NewSMTP(server Server, from string) *SMTP { return &SMTP{server: server, from: from} }

// Deliver sends one message in a connection of its own and returns when the
// server has taken it. An error that is permanent wraps [ErrRefused].
func (s *SMTP) Deliver(ctx context.Context, l Letter) error {
	m, err := compose(s.from, l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	err = c.DialAndSendWithContext(ctx, m)
	var refusal *gomail.SendError
	if errors.As(err, &refusal) && !refusal.IsTemp() && refusal.ErrorCode() >= 500 {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", s.server, err)
	}
	return nil
}

// ErrRefused means that trying again would not help.
var ErrRefused = errors.New("the message was refused")

func (s *SMTP) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(s.server.Port), gomail.WithTimeout(smtpTimeout)}
	switch s.server.Encryption {
	case Implicit:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.tls != nil {
		options = append(options, gomail.WithTLSConfig(s.tls))
	}
	if s.server.User != "" {
		method := gomail.SMTPAuthAutoDiscover
		if s.server.Encryption == NoTLS {
			method = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(method), gomail.WithUsername(s.server.User), gomail.WithPassword(s.server.Password))
	}
	return gomail.NewClient(s.server.Host, options...)
}
