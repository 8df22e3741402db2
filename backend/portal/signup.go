package portal

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/audit"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// SignupLives is how long a sign-up waits for its code, from its newest mail on,
// and so how long the browser that made it has to be known as that.
const SignupLives = 24 * time.Hour

const (
	sameBrowser   = time.Hour // in which the browser that signed up is signed in
	maxNameLength = 100
	maxEmail      = 254
)

// The purposes of one-way hashes, so that one kind of secret is never taken for
// another.
const (
	cookies     = "session"
	browsers    = "sign-up browser"
	mailedCodes = "verify e-mail"
)

// NewAccount is what somebody gives who signs up.
type NewAccount struct {
	Name, Email, Password, TeamName string
	Browser                         string // the value of the sign-up cookie
}

// EmailKey returns an address as it is compared: trimmed, the letters of ASCII in
// lower case, those of other scripts as they are before the @ and in lower case
// after it. Two mailboxes never have one key: what a mail server makes of other
// letters before the @ is its own affair (RFC 6531), and one of them, such as the
// Kelvin sign, may have a small letter of ASCII. One mailbox may have two keys,
// which does no harm.
func EmailKey(email string) string {
	email = strings.TrimSpace(email)
	domain := strings.LastIndexByte(email, '@') + 1
	return strings.Map(lowerASCII, email[:domain]) + strings.Map(lowerInDomain, email[domain:])
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

// lowerInDomain folds as domain names are (RFC 5895, 2), but makes no letter of
// ASCII out of another one.
func lowerInDomain(r rune) rune {
	if low := unicode.ToLower(r); r < utf8.RuneSelf || low >= utf8.RuneSelf {
		return low
	}
	return r
}

// SignUp asks for an account. It sends a mail in every case, and neither its
// answer nor its time tells whether the address has an account already: then it
// writes to the account's own log instead of keeping the sign-up.
//
// An address that may get no more mail gets none, but the sign-up waits like any
// other, so that strangers cannot keep somebody from signing up: every mail that
// the address got before verifies it in this browser ([Portal.VerifyEmail]), and
// once the limit allows, a mail can be asked for.
//
// It fails with Invalid for what is given, Busy when too many passwords are
// being hashed or too many mails wait.
func (p *Portal) SignUp(ctx context.Context, in NewAccount, from Origin) error {
	in.Name, in.TeamName, in.Email = normalName(in.Name), normalName(in.TeamName), strings.TrimSpace(in.Email)
	if err := in.check(); err != nil {
		return err
	}
	hash, err := p.hash(ctx, in.Password)
	if err != nil {
		return err
	}
	key := EmailKey(in.Email)
	u, err := p.store.UserByEmail(ctx, key)
	switch {
	case err == nil:
		return p.signUpAgain(ctx, u, from)
	case KindOf(err) != NotFound:
		return err
	}
	now := p.clock()
	code := secret.NewOpaque("")
	s := Signup{
		ID: secret.NewIDAt(secret.SignupID, now), Name: in.Name, Email: in.Email, EmailKey: key, PasswordHash: hash, TeamName: in.TeamName,
		CodeHash: p.keys.HashOpaque(mailedCodes, code), BrowserHash: p.keys.HashOpaque(browsers, in.Browser),
		CreatedAt: now, ExpiresAt: now.Add(SignupLives),
	}
	if err := p.store.SaveSignup(ctx, s); err != nil {
		return err
	}
	return p.sendNew(ctx, key, p.mailVerify(s, code), from)
}

// sendNew sends the mail of a sign-up if the address may get one more.
func (p *Portal) sendNew(ctx context.Context, key string, m Message, from Origin) error {
	if ok, err := from.mayMail(ctx, key); err != nil || !ok {
		return err
	}
	return p.send(ctx, m)
}

// check collects what is wrong with a sign-up.
func (in *NewAccount) check() error {
	var wrong []FieldError
	for _, err := range []error{
		checkName("#/name", in.Name), checkEmail("#/email", in.Email),
		checkPassword("#/password", in.Password, in.Name, in.Email), checkName("#/team_name", in.TeamName),
	} {
		if e := (*Error)(nil); asError(err, &e) {
			wrong = append(wrong, e.Fields...)
		}
	}
	if len(wrong) > 0 {
		return invalid(wrong...)
	}
	return nil
}

// checkEmail refuses what no mail can be sent to.
func checkEmail(pointer, email string) error {
	if len(email) <= maxEmail && validate.Email(email) {
		return nil
	}
	return invalid(FieldError{Pointer: pointer, Code: "email", Detail: "This is not an e-mail address.", Fix: "Write it as ada@example.com."})
}

// signUpAgain tells the owner of an address that somebody signed up with it.
func (p *Portal) signUpAgain(ctx context.Context, u User, from Origin) error {
	err := p.atomically(ctx, func(ctx context.Context) error {
		_, err := p.store.Append(ctx, p.event(u.ID, ActorAnonymous, audit.UserSignedUpAgain, u.ID, from, nil))
		return err
	})
	if err != nil {
		return err
	}
	return p.sendNew(ctx, u.EmailKey, p.mailTaken(u), from)
}

// ResendVerification sends the mail again, with a new code, if the address has
// a sign-up that waits, and may get one more mail; the answer is the same if not.
// The browser that signed up gets its own sign-up, others the newest.
func (p *Portal) ResendVerification(ctx context.Context, email, browser string, from Origin) error {
	s, ok, err := p.waiting(ctx, EmailKey(email), browser)
	if err != nil || !ok {
		return err
	}
	return p.remind(ctx, s, from)
}

// remind sends the mail of a sign-up again, with a new code, if the address may
// get one more. The newest mail that was sent is always one that works: without
// a mail the code stays.
func (p *Portal) remind(ctx context.Context, s Signup, from Origin) error {
	if ok, err := from.mayMail(ctx, s.EmailKey); err != nil || !ok {
		return err
	}
	code, old := secret.NewOpaque(""), s
	s.CodeHash, s.ExpiresAt = p.keys.HashOpaque(mailedCodes, code), p.clock().Add(SignupLives)
	if replaced, err := p.replaceSignup(ctx, old.CodeHash, s); err != nil || !replaced {
		return err
	}
	if err := p.send(ctx, p.mailVerify(s, code)); err != nil {
		if _, undo := p.replaceSignup(ctx, s.CodeHash, old); undo != nil {
			return undo
		}
		return err
	}
	return nil
}

// replaceSignup stores a sign-up that still has this code. It has not if it was
// verified meanwhile, or another mail was sent for it.
func (p *Portal) replaceSignup(ctx context.Context, codeHash string, s Signup) (replaced bool, err error) {
	err = p.atomically(ctx, func(ctx context.Context) error {
		replaced = false
		stored, err := p.store.SignupByCode(ctx, codeHash)
		if KindOf(err) == NotFound || err == nil && stored.ID != s.ID {
			return nil
		} else if err != nil {
			return err
		}
		replaced = true
		return p.store.SaveSignup(ctx, s)
	})
	return replaced, err
}

// waiting returns the sign-up for an address that can still be verified: the one
// of this browser, or else the newest of any.
func (p *Portal) waiting(ctx context.Context, key, browser string) (Signup, bool, error) {
	if s, ok, err := p.ofBrowser(ctx, key, browser); ok || err != nil {
		return s, ok, err
	}
	return p.newestSignup(ctx, key, "")
}

// ofBrowser returns the newest sign-up for an address that this browser made, by
// the value of its cookie. It is asked for by itself, because strangers can make
// any number of newer ones.
func (p *Portal) ofBrowser(ctx context.Context, key, browser string) (Signup, bool, error) {
	if browser == "" {
		return Signup{}, false, nil
	}
	return p.newestSignup(ctx, key, p.keys.HashOpaque(browsers, browser))
}

func (p *Portal) newestSignup(ctx context.Context, key, browserHash string) (Signup, bool, error) {
	list, err := p.store.Signups(ctx, key, browserHash)
	now := p.clock()
	i := slices.IndexFunc(list, func(s Signup) bool { return now.Before(s.ExpiresAt) })
	if err != nil || i < 0 {
		return Signup{}, false, err
	}
	return list[i], true, nil
}

// SignedIn is the outcome of a sign-in or a verification. Cookie is the value
// for the browser, "" if there is no session; Status is one of api.SignedIn,
// api.Verified and api.VerifyEmailDue.
type SignedIn struct {
	Status string
	Cookie string
	Person Person
}

// VerifyEmail makes the account and its team for whoever holds the code of a
// sign-up's mail. A code proves that its holder reads the mail of the address: in
// a browser that signed up with that address the account is the one that this
// browser asked for, whosever sign-up the mail was about. There it also signs in
// within the hour. A code works once: Invalid at #/code afterwards.
func (p *Portal) VerifyEmail(ctx context.Context, code, browser string, from Origin) (SignedIn, error) {
	stale := invalid(FieldError{
		Pointer: "#/code", Code: "stale", Detail: "This link was used already or is too old.",
		Fix: "Sign in, or ask for a new link.",
	})
	var out SignedIn
	err := p.atomically(ctx, func(ctx context.Context) error {
		now := p.clock()
		s, err := p.store.SignupByCode(ctx, p.keys.HashOpaque(mailedCodes, code))
		if KindOf(err) == NotFound {
			return stale
		} else if err != nil {
			return err
		}
		if !now.Before(s.ExpiresAt) {
			return stale
		}
		own, same, err := p.ofBrowser(ctx, s.EmailKey, browser)
		if err != nil {
			return err
		}
		if same {
			s = own
		}
		u := User{
			ID: secret.NewIDAt(secret.UserID, now), Name: s.Name, Email: s.Email, EmailKey: s.EmailKey, PasswordHash: s.PasswordHash,
			CreatedAt: now, VerifiedAt: now, Version: 1,
		}
		if err := p.store.InsertUser(ctx, u); KindOf(err) == NameTaken {
			return stale // another sign-up for the address was verified first
		} else if err != nil {
			return err
		}
		if err := p.store.DeleteSignups(ctx, s.EmailKey); err != nil {
			return err
		}
		if _, err := p.store.Append(ctx, p.event(u.ID, u.ID, audit.UserSignedUp, u.ID, from, nil)); err != nil {
			return err
		}
		if _, err := p.insertTeam(ctx, u, s.TeamName, from); err != nil {
			return err
		}
		out = SignedIn{Status: api.Verified, Person: Person{User: u, Origin: from}}
		if same && now.Before(s.CreatedAt.Add(sameBrowser)) {
			out, err = p.openSession(ctx, u, from)
		}
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return out, nil
}

// checkPassword refuses a password that is too short, too common, or made of
// the person's own name or address.
func checkPassword(pointer, password, name, email string) error {
	if fault, ok := secret.JudgePassword(password, name, email); !ok {
		return invalid(FieldError{Pointer: pointer, Code: fault.Code, Detail: fault.Detail, Fix: fault.Fix})
	}
	return nil
}

// hash hashes a password, Busy when the queue is full.
func (p *Portal) hash(ctx context.Context, password string) (string, error) {
	hash, err := p.hasher.Hash(ctx, password)
	return hash, hashing(err)
}
