package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

// Options are what a [Portal] is made of. Store, Catalogue, Keys, Hasher and
// Mailer are needed.
type Options struct {
	Store     Store
	Catalogue *Catalogue // prepared
	Keys      *secret.Keys
	Hasher    PasswordHasher
	Mailer    Mailer
	Records   RecordReader // nil: a Coalescer over Store
	PublicURL string       // scheme://host[:port], for links in mails
	Now       func() time.Time
	Log       *slog.Logger
}

// PasswordHasher is [secret.Hasher]. Both fail with [secret.ErrBusy] when too many
// wait for their turn.
type PasswordHasher interface {
	// Hash returns what is stored of a password.
	Hash(ctx context.Context, password string) (stored string, err error)
	// Verify compares a password with what is stored, "" for no account. Upgrade
	// says that it is right and that what is stored should be hashed anew.
	Verify(ctx context.Context, stored, password string) (ok, upgrade bool, err error)
}

// Portal is the rules over one store. It is safe for use by many goroutines.
type Portal struct {
	store     Store
	catalogue *Catalogue
	keys      *secret.Keys
	hasher    PasswordHasher
	mailer    Mailer
	records   RecordReader
	url       string
	now       func() time.Time
	sleep     func(ctx context.Context, d time.Duration) error
	log       *slog.Logger

	limits    *limiter
	refused   *limiter // of refused calls that are recorded
	recorder  *recorder
	alarms    recently[*atomic.Int64] // uses of dead secrets that no event tells of yet
	firstUses underWay
	rekeying  chan struct{} // room for one re-keying at a time
	teamNames recently[string]
	orders    shared[orderPage, []Order]
	stats     Stats
}

// New returns the rules over a store. Close ends what it started.
func New(o Options) *Portal {
	p := &Portal{
		store: o.Store, catalogue: o.Catalogue, keys: o.Keys, hasher: o.Hasher, mailer: o.Mailer,
		records: o.Records, url: strings.TrimSuffix(o.PublicURL, "/"), now: o.Now, log: o.Log,
		limits: newLimiter(), refused: newLimiter(), rekeying: make(chan struct{}, 1),
	}
	p.sleep = sleep
	if p.now == nil {
		p.now = time.Now
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.records == nil {
		p.records = NewCoalescer(o.Store, lookupTimeout)
	}
	p.orders.read = func(ctx context.Context, of orderPage) ([]Order, error) {
		return p.store.Orders(ctx, of.team, of.env, of.after, of.limit)
	}
	p.recorder = newRecorder(o.Store, p.log)
	return p
}

// lookupTimeout is how long a decision waits for storage before it refuses.
const lookupTimeout = 2 * time.Second

// Close stores the calls that wait, for as long as ctx lasts, and ends what runs
// beside requests. The store stays open.
func (p *Portal) Close(ctx context.Context) error {
	err := p.recorder.close(ctx)
	select {
	case p.rekeying <- struct{}{}: // the one that may be under way has ended
		<-p.rekeying
		return err
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

// Catalogue returns the catalogue in force.
func (p *Portal) Catalogue() *Catalogue { return p.catalogue }

// Store returns the store, for what has no rule: readiness and counters.
func (p *Portal) Store() Store { return p.store }

// clock returns the present as it can be stored: UTC, to the millisecond.
func (p *Portal) clock() time.Time { return p.now().UTC().Truncate(time.Millisecond) }

// Origin is where a request came from, and what mail it may cause there.
type Origin struct {
	Address   netip.Addr
	UserAgent string
	RequestID string
	Browser   string  // of a sign-in: the value of the sign-up cookie, "" for none
	MayMail   MayMail // of a request without a session; nil: no limit
}

// MayMail reports whether one more mail may go to an address, given as
// [EmailKey] returns it, and counts that mail. It is asked right before a mail, so
// that what sends none uses nothing up.
type MayMail func(ctx context.Context, emailKey string) (bool, error)

// mayMail asks MayMail.
func (from Origin) mayMail(ctx context.Context, emailKey string) (bool, error) {
	if from.MayMail == nil {
		return true, nil
	}
	return from.MayMail(ctx, emailKey)
}

// Person is a principal: somebody signed in.
type Person struct {
	User    User
	Session Session
	Origin  Origin
}

// Fresh reports whether the password was given recently enough for what needs
// it.
func (w Person) Fresh(now time.Time) bool { return now.Before(w.Session.FreshUntil) }

// The actors of events that are no user and no token.
const (
	ActorSystem    = "system"    // this program, or its operator on the command line
	ActorAnonymous = "anonymous" // somebody who is not signed in
)

// event returns an event to be appended. Empty values of data are left out.
func (p *Portal) event(chain, actor, action, target string, from Origin, data map[string]any) audit.Event {
	if data == nil {
		data = map[string]any{}
	}
	data["address"] = AddressText(from.Address)
	data["user_agent"] = cut(from.UserAgent, maxAgentBytes)
	data["request_id"] = cut(from.RequestID, maxAgentBytes)
	for k, v := range data {
		if v == "" || v == nil {
			delete(data, k)
		}
	}
	return audit.Event{Chain: chain, At: p.clock(), Actor: actor, Action: action, Target: target, Data: data}
}

// cut shortens s to at most n bytes of valid UTF-8, which is all that storage
// takes; a rune that does not fit falls away whole.
func cut(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}

// AddressText writes an address, "" for none.
func AddressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// member returns the role of a person in a team, and refuses what the role may
// not do. A team one is not in does not exist.
func (p *Portal) member(ctx context.Context, who Person, team string, do Action) (Member, error) {
	m, err := p.store.Member(ctx, team, who.User.ID)
	if err != nil {
		if KindOf(err) == NotFound {
			return Member{}, ErrNotFound("Team")
		}
		return Member{}, err
	}
	if !m.Role.May(do) {
		return Member{}, roleNotAllowed(m.Role, do)
	}
	return m, nil
}

func roleNotAllowed(role Role, do Action) error {
	return &Error{
		Kind: RoleNotAllowed, Roles: WhoMay(do),
		Detail: "Your role in this team, " + string(role) + ", may not " + string(do) + ".",
		Fix:    "Ask somebody with the role " + orList(WhoMay(do)) + ".",
	}
}

func orList(roles []Role) string {
	var b strings.Builder
	for i, r := range roles {
		switch {
		case i == 0:
		case i == len(roles)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(r))
	}
	return b.String()
}

// fresh refuses what needs a recent password.
func (p *Portal) fresh(who Person) error {
	if who.Fresh(p.now()) {
		return nil
	}
	return &Error{
		Kind:   NotFresh,
		Detail: "This needs your password again, because it was given more than 15 minutes ago.",
		Fix:    "Confirm your password and repeat the request.",
	}
}
