package mail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// server is a real SMTP server that keeps what it is sent.
type server struct {
	t    *testing.T
	addr *net.TCPAddr
	fail func(to string) error // asked at RCPT
	auth bool                  // signing in as app with the password pw is needed

	mu       sync.Mutex
	received []received
}

type received struct {
	from, to, user string
	encrypted      bool
	text           Stored
}

// serve starts a server; with a certificate it offers STARTTLS, or with implicit
// speaks TLS from the first byte.
func serve(t *testing.T, certificate *tls.Certificate, implicit bool) *server {
	t.Helper()
	b := &server{t: t}
	s := smtp.NewServer(b)
	s.Domain, s.AllowInsecureAuth = "localhost", true
	s.ReadTimeout, s.WriteTimeout = 10*time.Second, 10*time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().(*net.TCPAddr)
	if certificate != nil {
		config := &tls.Config{Certificates: []tls.Certificate{*certificate}}
		if implicit {
			l = tls.NewListener(l, config)
		} else {
			s.TLSConfig = config
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends with Close
	}()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return b
}

func (b *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: b, conn: c}, nil
}

type session struct {
	server *server
	conn   *smtp.Conn
	got    received
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "app" || password != "pw" {
			return errors.New("wrong password")
		}
		s.got.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.auth && s.got.user == "" {
		return smtp.ErrAuthRequired
	}
	s.got.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.got.to = to
	if s.server.fail != nil {
		return s.server.fail(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.got.text, err = parse(raw); err != nil {
		return err
	}
	_, s.got.encrypted = s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, s.got)
	return nil
}

func (s *session) Reset()        { s.got = received{user: s.got.user} }
func (s *session) Logout() error { return nil }

// certificate makes one for localhost, and the pool that trusts it.
func certificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (b *server) client(encryption Encryption, user, password string) *SMTP {
	return NewSMTP(Server{Host: "127.0.0.1", Port: b.addr.Port, Encryption: encryption, User: user, Password: password}, "Gatehouse <gatehouse@example.com>")
}

var message = portal.Message{To: "ada@example.com", Name: "Ada", Subject: "Grüße", Text: "Open https://portal.example.com/verify/x\nüber\n"}

func checkReceived(t *testing.T, b *server, encrypted bool, user string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.received) != 1 {
		t.Fatalf("the server took %d messages, want 1", len(b.received))
	}
	got := b.received[0]
	if got.from != "gatehouse@example.com" || got.to != message.To || got.encrypted != encrypted || got.user != user {
		t.Errorf("got %+v", got)
	}
	if got.text.Subject != message.Subject || got.text.Name != "Ada" || !strings.Contains(got.text.Text, "verify/x\nüber") {
		t.Errorf("got message %+v", got.text)
	}
}

func TestSMTPWithoutTLS(t *testing.T) {
	b := serve(t, nil, false)
	deliver(t, b.client(NoTLS, "", ""), message)
	checkReceived(t, b, false, "")
}

func TestSMTPWithoutTLSOnThisMachineMaySignIn(t *testing.T) {
	b := serve(t, nil, false)
	b.auth = true
	deliver(t, b.client(NoTLS, "app", "pw"), message)
	checkReceived(t, b, false, "app")
}

func TestSMTPWithTLS(t *testing.T) {
	for encryption, implicit := range map[Encryption]bool{StartTLS: false, Implicit: true} {
		cert, pool := certificate(t)
		b := serve(t, cert, implicit)
		b.auth = true
		s := b.client(encryption, "app", "pw")
		s.tls = &tls.Config{RootCAs: pool, ServerName: "localhost"}
		deliver(t, s, message)
		checkReceived(t, b, true, "app")
	}
}

func TestSMTPDemandsTLS(t *testing.T) {
	b := serve(t, nil, false) // offers no STARTTLS
	s := b.client(StartTLS, "app", "pw")
	if err := s.Deliver(t.Context(), Letter{Message: message, Date: testDate}); err == nil {
		t.Error("the message went in clear")
	}
	cert, _ := certificate(t)
	b = serve(t, cert, false)
	s = b.client(StartTLS, "", "") // does not know the certificate
	if err := s.Deliver(t.Context(), Letter{Message: message, Date: testDate}); err == nil {
		t.Error("the message went to a stranger")
	}
	if len(b.received) != 0 {
		t.Errorf("got %+v", b.received)
	}
}

func TestSMTPRefusals(t *testing.T) {
	b := serve(t, nil, false)
	s := b.client(NoTLS, "", "")
	letter := Letter{Message: message, Date: testDate}

	b.fail = func(string) error { return &smtp.SMTPError{Code: 550, Message: "no such user"} }
	if err := s.Deliver(t.Context(), letter); !errors.Is(err, ErrRefused) {
		t.Errorf("550: got %v, want %v", err, ErrRefused)
	}
	b.fail = func(string) error { return &smtp.SMTPError{Code: 451, Message: "greylisted"} }
	if err := s.Deliver(t.Context(), letter); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("451: got %v, want an error that may pass", err)
	}
	b.fail = nil
	b.auth = true
	if err := b.client(NoTLS, "app", "hunter2").Deliver(t.Context(), letter); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a wrong password: got %v", err)
	}
}

func TestSMTPServerIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	s := NewSMTP(Server{Host: "127.0.0.1", Port: port, Encryption: NoTLS, User: "app", Password: "hunter2"}, "g@example.com")
	if err := s.Deliver(t.Context(), Letter{Message: message, Date: testDate}); err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error that may pass", err)
	}
}

// The whole way: greylisted once, then delivered by the queue.
func TestQueueOverSMTP(t *testing.T) {
	b := serve(t, nil, false)
	tries := 0
	b.fail = func(string) error {
		if tries++; tries == 1 {
			return &smtp.SMTPError{Code: 451, Message: "greylisted"}
		}
		return nil
	}
	q := newQueue(b.client(NoTLS, "", ""), quiet(), 10, 1, []time.Duration{10 * time.Millisecond})
	if err := q.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	for q.Waiting() > 0 {
		time.Sleep(time.Millisecond)
	}
	if err := q.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkReceived(t, b, false, "")
}

func TestServerIsPrintedWithoutItsPassword(t *testing.T) {
	s, err := ParseServer("smtp://app:hunter2@mail.example.com")
	if err != nil || s.Password != "hunter2" {
		t.Fatalf("got %+v and %v", s, err)
	}
	if got := s.String(); got != "mail.example.com:587 (tls=starttls)" {
		t.Errorf("got %s", got)
	}
}
