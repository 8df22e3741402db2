package demo

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"sync"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// Password is everybody's.
const Password = "correct horse gatehouse staple"

// The teams.
const (
	acme     = "Acme Logistics"
	globex   = "Globex"
	platform = "Gatehouse Operations"
)

// role is somebody of the play.
type role struct {
	name, email string
	part        string // for the list of whom to sign in as
	team        string // that they sign up with
	from        netip.Addr
	browser     string
}

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0"
	chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
	safari  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15"
)

// cast is everybody, in the order in which they are listed. Each signs up with a
// team; who is to be a member of another one leaves theirs to the operator.
var cast = []role{
	{"Ada Moreau", "ada@example.com", "owner of " + acme, acme, address("203.0.113.20"), firefox},
	{"Ben Carter", "ben@example.com", "admin of " + acme, "Sandbox 1", address("203.0.113.21"), chrome},
	{"Cleo Vargas", "cleo@example.com", "developer of " + acme, "Sandbox 2", address("203.0.113.22"), safari},
	{"Dora Lindqvist", "dora@example.com", "auditor of " + acme, "Sandbox 3", address("198.51.100.80"), chrome},
	{"Gus Okafor", "gus@example.com", "owner of " + globex, globex, address("192.0.2.140"), firefox},
	{"Olga Petrova", "olga@example.com", "owner of " + platform + ", the platform team, and platform admin", platform, address("203.0.113.5"), firefox},
}

// person is somebody with an account.
type person struct {
	role
	who portal.Person // of the newest session
}

func (r role) origin() portal.Origin {
	return portal.Origin{Address: r.from, UserAgent: r.browser, RequestID: secret.NewID("")}
}

// inbox keeps the newest mail of each person.
type inbox struct {
	mu     sync.Mutex
	newest map[string]portal.Message
}

// Send implements [portal.Mailer].
func (i *inbox) Send(_ context.Context, m portal.Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.newest == nil {
		i.newest = map[string]portal.Message{}
	}
	i.newest[m.To] = m
	return nil
}

var verifyLink = regexp.MustCompile(`/verify/(\S+)`)

// code returns the code of the link in somebody's newest mail.
func (i *inbox) code(of string) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := verifyLink.FindStringSubmatch(i.newest[of].Text)
	if found == nil {
		return "", fmt.Errorf("%s got no mail with a link", of)
	}
	return found[1], nil
}

// signUp makes an account as people do: sign up, open the mail, follow its link.
func (s *stage) signUp(ctx context.Context, r role) error {
	browser := secret.NewOpaque("")
	err := s.portal.SignUp(ctx, portal.NewAccount{
		Name: r.name, Email: r.email, Password: Password, TeamName: r.team, Browser: browser,
	}, r.origin())
	if err != nil {
		return err
	}
	code, err := s.mails.code(r.email)
	if err != nil {
		return err
	}
	s.clock.advance(s.clock.now().Add(95 * time.Second)) // to find the mail
	in, err := s.portal.VerifyEmail(ctx, code, browser, r.origin())
	if err != nil {
		return err
	}
	p := &person{role: r, who: in.Person}
	s.people[r.email] = p
	own, err := s.portal.Memberships(ctx, p.who)
	if err != nil {
		return err
	}
	for _, m := range own {
		s.teams[m.Team.Name] = m.Team.ID
	}
	return nil
}

// as returns somebody signed in, with a password given a moment ago.
func (s *stage) as(ctx context.Context, email string) (portal.Person, error) {
	p := s.people[email]
	if p.who.Fresh(s.clock.now().Add(time.Minute)) {
		return p.who, nil
	}
	in, err := s.portal.SignIn(ctx, email, Password, p.origin())
	if err != nil {
		return portal.Person{}, fmt.Errorf("sign in %s: %w", email, err)
	}
	p.who = in.Person
	return p.who, nil
}

// mistype is a sign-in with a wrong password, from an address.
func (s *stage) mistype(ctx context.Context, email string, from netip.Addr) error {
	o := s.people[email].origin()
	o.Address = from
	_, err := s.portal.SignIn(ctx, email, "correct horse gatehouse stable", o)
	if portal.KindOf(err) != portal.Invalid {
		return fmt.Errorf("a wrong password of %s: got %v, want a refusal", email, err)
	}
	return nil
}

// join makes somebody a member of a team, who then leaves the one they signed up
// with to the operator, so that they land in the one that matters.
func (s *stage) join(ctx context.Context, by, email, team string, role portal.Role) error {
	who, err := s.as(ctx, by)
	if err != nil {
		return err
	}
	p := s.people[email]
	if err := s.portal.AddMember(ctx, who, s.teams[team], p.who.User.ID, role); err != nil {
		return err
	}
	if who, err = s.as(ctx, email); err != nil {
		return err
	}
	own := s.teams[p.team]
	if err := s.portal.AddMember(ctx, who, own, s.people["olga@example.com"].who.User.ID, portal.Owner); err != nil {
		return err
	}
	return s.portal.RemoveMember(ctx, who, own, p.who.User.ID)
}
