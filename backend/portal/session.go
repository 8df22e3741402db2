package portal

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
)

const (
	sessionLife = 14 * 24 * time.Hour // absolute
	sessionIdle = 12 * time.Hour
	freshFor    = 15 * time.Minute
	seenEvery   = time.Minute // how exact LastSeenAt is

	slowAfter  = 100 // failed passwords of an account in an hour, from anywhere
	slowWindow = time.Hour
	slowBy     = 5 * time.Second // at most, so that strangers can lock nobody out
	slowStep   = 250 * time.Millisecond
)

// SignIn opens a session for an address and its password. With the right
// password of an address that is not verified yet it says so, without a session,
// and sends the mail again if the address may get one more: if not, the mail that
// was sent before works on.
//
// Every cause of a refusal (unknown address, wrong password, disabled account)
// has the same answer and takes the same time: Invalid at #/email. So failures
// are counted, and slowed down, for addresses without an account too.
func (p *Portal) SignIn(ctx context.Context, email, password string, from Origin) (SignedIn, error) {
	key := EmailKey(email)
	if err := p.slowDown(ctx, key); err != nil {
		return SignedIn{}, err
	}
	u, err := p.store.UserByEmail(ctx, key)
	if KindOf(err) == NotFound {
		return p.signInUnverified(ctx, key, password, from)
	} else if err != nil {
		return SignedIn{}, err
	}
	var out SignedIn
	err = p.withPassword(ctx, u, password, func(ctx context.Context, u User, upgrade string) error {
		if upgrade != "" {
			u.PasswordHash, u.Version = upgrade, u.Version+1
			if err := p.store.ReplaceUser(ctx, u); err != nil {
				return err
			}
		}
		if err := p.store.ForgetCounter(ctx, failuresKey(key)); err != nil {
			return err
		}
		var err error
		out, err = p.openSession(ctx, u, from)
		return err
	})
	if errors.Is(err, errWrongPassword) {
		return SignedIn{}, p.refuseSignIn(ctx, u, from)
	} else if err != nil {
		return SignedIn{}, err
	}
	return out, nil
}

// errWrongPassword is what [Portal.withPassword] answers for a password that is
// not the person's. Who called it words the refusal that the client reads.
var errWrongPassword = errors.New("the password is wrong")

// errOtherPassword says that the account has another hash than the one that the
// password was compared with.
var errOtherPassword = errors.New("the password was changed meanwhile")

// comparisons is how often a password is compared before it counts as wrong,
// when the hash of the account is another one each time.
const comparisons = 3

// withPassword runs do in a transaction in which the password is that of the
// account, and the account is not disabled: errWrongPassword if not. u is the
// account as it was read before, and do gets it as it is.
//
// To compare takes far longer than a transaction may, so it comes first, and the
// transaction runs only on the very hash that it was compared with. Another hash
// need not be of another password, because a sign-in replaces one of an old kind:
// so it is compared once more.
func (p *Portal) withPassword(
	ctx context.Context, u User, password string, do func(ctx context.Context, u User, upgrade string) error,
) error {
	for range comparisons {
		right, upgrade, err := p.verifyPassword(ctx, u.PasswordHash, password)
		if err != nil {
			return err
		}
		if !right || !u.DisabledAt.IsZero() {
			return errWrongPassword
		}
		var stored User
		err = p.atomically(ctx, func(ctx context.Context) error {
			var err error
			stored, err = p.store.User(ctx, u.ID)
			switch {
			case KindOf(err) == NotFound:
				return errWrongPassword
			case err != nil:
				return err
			case stored.PasswordHash != u.PasswordHash:
				return errOtherPassword
			case !stored.DisabledAt.IsZero():
				return errWrongPassword
			}
			return do(ctx, stored, upgrade)
		})
		if !errors.Is(err, errOtherPassword) {
			return err
		}
		u = stored
	}
	return errWrongPassword
}

// signInUnverified answers for an address without an account: as a wrong
// password, unless the sign-up that waits has this very password. That is the one
// of this browser, or else the newest.
//
// Strangers may have signed up with the address too, and later; but one password
// is compared, as for an address with an account, or the time would tell the two
// apart. To compare with several everywhere would cost each sign-in of everybody
// as much, and strangers would only have to sign up more often. In another
// browser the way on is the link in the mail, which works whoever signed up later.
func (p *Portal) signInUnverified(ctx context.Context, key, password string, from Origin) (SignedIn, error) {
	s, _, err := p.waiting(ctx, key, from.Browser) // without a hash the password is compared with a dummy
	if err != nil {
		return SignedIn{}, err
	}
	right, _, err := p.verifyPassword(ctx, s.PasswordHash, password)
	if err != nil {
		return SignedIn{}, err
	}
	if !right {
		if _, _, err := p.store.Hit(ctx, failuresKey(key), 1, slowWindow, p.clock()); err != nil {
			return SignedIn{}, err
		}
		return SignedIn{}, errSignIn()
	}
	return SignedIn{Status: api.VerifyEmailDue}, p.remind(ctx, s, from)
}

func errSignIn() error {
	return invalid(FieldError{
		Pointer: "#/email", Code: "mismatch", Detail: "The address and the password do not match.",
		Fix: "Check both.",
	})
}

func failuresKey(email string) string { return "sign-in-failures:" + email }

// slowDown makes a try wait once an account has failed very often in the last
// hour. It is a wait and never a lock: a lock would let strangers keep the
// owner out.
func (p *Portal) slowDown(ctx context.Context, email string) error {
	failed, _, err := p.store.Hit(ctx, failuresKey(email), 0, slowWindow, p.clock())
	if err != nil || failed < slowAfter {
		return err
	}
	return p.sleep(ctx, slowness(failed))
}

// slowness is how long a try waits after so many failures.
func slowness(failed int64) time.Duration {
	if failed < slowAfter {
		return 0
	}
	steps := min(failed-slowAfter+1, int64(slowBy/slowStep))
	return time.Duration(steps) * slowStep
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuseSignIn records a failed try in the person's own log, and writes to the
// owner when there were very many.
func (p *Portal) refuseSignIn(ctx context.Context, u User, from Origin) error {
	var failed int64
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if failed, _, err = p.store.Hit(ctx, failuresKey(u.EmailKey), 1, slowWindow, p.clock()); err != nil {
			return err
		}
		_, err = p.store.Append(ctx, p.event(u.ID, ActorAnonymous, audit.UserSignInRefused, u.ID, from, nil))
		return err
	})
	if err != nil {
		return err
	}
	if failed == slowAfter {
		if err := p.mailer.Send(ctx, p.mailManyFailures(u)); err != nil {
			p.log.WarnContext(ctx, "the mail about failed sign-ins was not queued", "user", u.ID, "error", err)
		}
	}
	return errSignIn()
}

// openSession makes a session with a new id, inside a transaction.
func (p *Portal) openSession(ctx context.Context, u User, from Origin) (SignedIn, error) {
	now := p.clock()
	cookie := secret.NewOpaque("")
	s := Session{
		ID: secret.NewIDAt(secret.SessionID, now), Hash: p.keys.HashOpaque(cookies, cookie), User: u.ID, CreatedAt: now, LastSeenAt: now,
		ExpiresAt: now.Add(sessionLife), FreshUntil: now.Add(freshFor),
		Address: AddressText(from.Address), UserAgent: cut(from.UserAgent, maxAgentBytes),
	}
	if err := p.store.InsertSession(ctx, s); err != nil {
		return SignedIn{}, err
	}
	if _, err := p.store.Append(ctx, p.event(u.ID, u.ID, audit.UserSignedIn, s.ID, from, nil)); err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Status: api.SignedIn, Cookie: cookie, Person: Person{User: u, Session: s, Origin: from}}, nil
}

// Authenticate returns who a session cookie stands for: SignedOut if nobody,
// or not any more.
func (p *Portal) Authenticate(ctx context.Context, cookie string, from Origin) (Person, error) {
	if cookie == "" {
		return Person{}, errSignedOut()
	}
	s, err := p.store.SessionByHash(ctx, p.keys.HashOpaque(cookies, cookie))
	if KindOf(err) == NotFound {
		return Person{}, errSignedOut()
	} else if err != nil {
		return Person{}, err
	}
	now := p.clock()
	if s.over(now) {
		return Person{}, errSignedOut()
	}
	u, err := p.store.User(ctx, s.User)
	if KindOf(err) == NotFound || err == nil && !u.DisabledAt.IsZero() {
		return Person{}, errSignedOut()
	} else if err != nil {
		return Person{}, err
	}
	if now.Sub(s.LastSeenAt) >= seenEvery {
		s, err = p.seeSession(ctx, s.Hash, now)
	}
	return Person{User: u, Session: s, Origin: from}, err
}

// over reports whether the session has ended at an instant.
func (s *Session) over(now time.Time) bool {
	return !now.Before(s.ExpiresAt) || !now.Before(s.LastSeenAt.Add(sessionIdle))
}

func errSignedOut() error {
	return &Error{Kind: SignedOut, Detail: "There is no session, or it has ended.", Fix: "Sign in again."}
}

// seeSession notes when a session was last used, without undoing what another
// request changes in it; SignedOut if it has ended meanwhile.
func (p *Portal) seeSession(ctx context.Context, hash string, now time.Time) (Session, error) {
	var s Session
	err := p.atomically(ctx, func(ctx context.Context) error {
		var err error
		if s, err = p.store.SessionByHash(ctx, hash); err != nil {
			return err
		}
		s.LastSeenAt = now
		return p.store.ReplaceSession(ctx, s)
	})
	if KindOf(err) == NotFound {
		err = errSignedOut()
	}
	return s, err
}

// SignOut ends the session. One that has ended already is no error.
func (p *Portal) SignOut(ctx context.Context, who Person) error {
	return p.atomically(ctx, func(ctx context.Context) error {
		err := p.store.DeleteSession(ctx, who.User.ID, who.Session.ID)
		if KindOf(err) == NotFound {
			return nil
		} else if err != nil {
			return err
		}
		_, err = p.store.Append(ctx, p.event(who.User.ID, who.User.ID, audit.UserSignedOut, who.Session.ID, who.Origin, nil))
		return err
	})
}

// Renewal is a session that goes on under another cookie.
type Renewal struct {
	Cookie  string
	Session Session
}

// ConfirmPassword makes the session fresh for a quarter of an hour, under a new
// cookie. A wrong password is Invalid at #/password, and recorded as a refused
// sign-in.
func (p *Portal) ConfirmPassword(ctx context.Context, who Person, password string) (Renewal, error) {
	var r Renewal
	err := p.withOwnPassword(ctx, who, "#/password", password, func(ctx context.Context, _ User) error {
		var err error
		r, err = p.renewSession(ctx, who, p.clock().Add(freshFor))
		return err
	})
	return r, err
}

// renewSession gives a session a new cookie, inside a transaction; SignedOut if
// it has ended. What the person has just earned with the password, whoever has a
// copy of the old cookie has not. Its id stays, and with it the tokens against
// cross-site requests that other tabs hold.
func (p *Portal) renewSession(ctx context.Context, who Person, freshUntil time.Time) (Renewal, error) {
	s, err := p.store.HoldSession(ctx, who.User.ID, who.Session.Hash)
	if KindOf(err) == NotFound {
		return Renewal{}, errSignedOut()
	} else if err != nil {
		return Renewal{}, err
	}
	cookie := secret.NewOpaque("")
	s.Hash = p.keys.HashOpaque(cookies, cookie)
	s.FreshUntil = freshUntil
	if err := p.store.DeleteSession(ctx, s.User, s.ID); err != nil {
		return Renewal{}, err
	}
	return Renewal{cookie, s}, p.store.InsertSession(ctx, s)
}

// withOwnPassword is [Portal.withPassword] for somebody signed in. A password
// that is not theirs is Invalid at pointer, and recorded.
func (p *Portal) withOwnPassword(
	ctx context.Context, who Person, pointer, password string, do func(ctx context.Context, u User) error,
) error {
	if err := p.slowDown(ctx, who.User.EmailKey); err != nil {
		return err
	}
	err := p.withPassword(ctx, who.User, password, func(ctx context.Context, u User, _ string) error { return do(ctx, u) })
	if !errors.Is(err, errWrongPassword) {
		return err
	}
	if err := p.refuseSignIn(ctx, who.User, who.Origin); KindOf(err) != Invalid {
		return err
	}
	return invalid(FieldError{Pointer: pointer, Code: "mismatch", Detail: "This is not your password.", Fix: "Try again."})
}

// CSRFToken returns a token that unsafe requests of the session carry.
func (p *Portal) CSRFToken(who Person) string { return p.keys.NewCSRF(who.Session.ID) }

// CheckCSRF reports whether a token belongs to the session.
func (p *Portal) CheckCSRF(who Person, token string) bool {
	return p.keys.CheckCSRF(who.Session.ID, token)
}

// verifyPassword compares a password with a stored hash; an empty hash stands
// for none and takes as long. With the right password of an old hash, upgrade is
// the new one.
func (p *Portal) verifyPassword(ctx context.Context, hash, password string) (right bool, upgrade string, err error) {
	right, old, err := p.hasher.Verify(ctx, hash, password)
	if err != nil {
		return false, "", hashing(err)
	}
	if right && old {
		upgrade, err = p.hash(ctx, password)
	}
	return right, upgrade, err
}

// hashing turns a full queue into a refusal.
func hashing(err error) error {
	if errors.Is(err, secret.ErrBusy) {
		return &Error{
			Kind: Busy, Code: "sign-ins-busy", RetryAfter: 2 * time.Second,
			Detail: "Too many passwords are being checked at this moment. Nothing was changed.", Fix: "Try again in a moment.",
		}
	}
	return err
}
