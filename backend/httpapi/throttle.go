package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/ulule/limiter/v3"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// limit is how often something may be done, counted under its name, and the
// sentence for who has done it too often.
type limit struct {
	name string
	rate limiter.Rate
	told string
}

// Limits on what strangers can make the portal do, and on what one person can,
// or a thief with their session: no team needs as much. Those on the use of tokens
// are not here: they are exact, per token, and part of the decision.
var (
	signInPerNetwork = limit{"sign-in", perMinute(30), "There were too many tries to sign in from your network."}
	signUpPerNetwork = limit{"sign-up", perHour(60), "There were too many sign-ups from your network."}
	verifyPerNetwork = limit{"verify", perMinute(30), "There were too many tries to confirm an address from your network."}
	mailsPerAddress  = limit{"mail", perHour(6), ""} // nobody is told
	mailsPerNetwork  = limit{"mail-network", perHour(60), "Too many mails were asked for from your network."}

	secretsPerPerson = limit{"secrets", perHour(300), "You have made and rotated too many tokens within an hour."}
	teamsPerPerson   = limit{"teams", perHour(20), "You have made too many teams within an hour."}
	changesPerPerson = limit{"changes", perMinute(600), "You have asked for too many changes within a minute."}
	chainsPerPerson  = limit{"chains", perMinute(30), "You have verified or exported events too often within a minute."}

	crashesPerNetwork = limit{"crash", perMinute(10), "There were too many reports from your network."}
)

func perMinute(n int64) limiter.Rate { return limiter.Rate{Period: time.Minute, Limit: n} }
func perHour(n int64) limiter.Rate   { return limiter.Rate{Period: time.Hour, Limit: n} }

var (
	// passwordTries is how many passwords may be tried for one account from one
	// network: 5 a minute, and each time that is used up the next window is twice
	// as long.
	passwordTries = []limiter.Rate{
		{Period: time.Minute, Limit: 5},
		{Period: 2 * time.Minute, Limit: 5},
		{Period: 4 * time.Minute, Limit: 5},
		{Period: 8 * time.Minute, Limit: 5},
		{Period: 15 * time.Minute, Limit: 5},
	}
	levelFor = limiter.Rate{Period: time.Hour, Limit: 1 << 30} // how long a longer window is remembered
)

// counters is a [limiter.Store] over the portal's own counters, so that several
// processes on one database count together.
type counters struct {
	once portal.OnceStore
	now  func() time.Time
}

// Get implements [limiter.Store]: it counts one.
func (s counters) Get(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	return s.Increment(ctx, key, 1, rate)
}

// Peek implements [limiter.Store].
func (s counters) Peek(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	return s.Increment(ctx, key, 0, rate)
}

// Reset implements [limiter.Store].
func (s counters) Reset(ctx context.Context, key string, rate limiter.Rate) (limiter.Context, error) {
	if err := s.once.ForgetCounter(ctx, key); err != nil {
		return limiter.Context{}, err
	}
	return limiter.Context{Limit: rate.Limit, Remaining: rate.Limit}, nil
}

// Increment implements [limiter.Store]. Remaining goes below zero by what was
// refused.
func (s counters) Increment(ctx context.Context, key string, count int64, rate limiter.Rate) (limiter.Context, error) {
	n, ends, err := s.once.Hit(ctx, key, count, rate.Period, s.now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return limiter.Context{}, err
	}
	return limiter.Context{
		Limit: rate.Limit, Remaining: rate.Limit - n, Reset: ends.Unix(), Reached: n > rate.Limit,
	}, nil
}

// throttle counts what is done and refuses when it is too much.
type throttle struct {
	store counters
}

func newThrottle(s portal.OnceStore, now func() time.Time) *throttle {
	return &throttle{counters{s, now}}
}

// throttleKey names a counter. What is counted may be an address of a person, so
// it is hashed.
func throttleKey(what string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "throttle:" + what + ":" + hex.EncodeToString(sum[:16])
}

// take counts one and refuses with TooMany once the limit is used up.
func (t *throttle) take(ctx context.Context, l limit, parts ...string) error {
	got, err := t.count(ctx, l, parts...)
	if err != nil || !got.Reached {
		return err
	}
	return t.tooMany(got, l.told)
}

// allows counts one and reports whether it is within the limit.
func (t *throttle) allows(ctx context.Context, l limit, parts ...string) (bool, error) {
	got, err := t.count(ctx, l, parts...)
	return err == nil && !got.Reached, err
}

func (t *throttle) count(ctx context.Context, l limit, parts ...string) (limiter.Context, error) {
	got, err := limiter.New(t.store, l.rate).Get(ctx, throttleKey(l.name, parts...))
	if err != nil {
		return limiter.Context{}, fmt.Errorf("count %s: %w", l.name, err)
	}
	return got, nil
}

// uncount takes back one that was counted, unless its window is over.
func (t *throttle) uncount(ctx context.Context, l limit, counted limiter.Context, parts ...string) error {
	if counted.Reset <= t.store.now().Unix() {
		return nil
	}
	_, err := limiter.New(t.store, l.rate).Increment(ctx, throttleKey(l.name, parts...), -1)
	return err
}

func (t *throttle) tooMany(got limiter.Context, told string) error {
	wait := time.Unix(got.Reset+1, 0).Sub(t.store.now())
	return &portal.Error{
		Kind: portal.TooMany, RetryAfter: max(wait, time.Second),
		Detail: told, Fix: "Wait as long as the Retry-After header says.",
	}
}

// password counts one try of a password for an account from a network.
func (t *throttle) password(ctx context.Context, account, network string) error {
	key, levelKey := throttleKey("password", account, network), throttleKey("password-level", account, network)
	level, err := limiter.New(t.store, levelFor).Peek(ctx, levelKey)
	if err != nil {
		return fmt.Errorf("count passwords: %w", err)
	}
	rate := passwordTries[min(int(level.Limit-level.Remaining), len(passwordTries)-1)]
	got, err := limiter.New(t.store, rate).Get(ctx, key)
	if err != nil {
		return fmt.Errorf("count passwords: %w", err)
	}
	if got.Remaining == -1 { // the first that is refused makes the next window longer
		if _, err := limiter.New(t.store, levelFor).Get(ctx, levelKey); err != nil {
			return fmt.Errorf("count passwords: %w", err)
		}
	}
	if got.Reached {
		return t.tooMany(got, "There were too many tries of a password for this account from your network.")
	}
	return nil
}

// right forgets the tries of an account from a network once the password was
// right.
func (t *throttle) right(ctx context.Context, account, network string) error {
	for _, what := range []string{"password", "password-level"} {
		if err := t.store.once.ForgetCounter(ctx, throttleKey(what, account, network)); err != nil {
			return fmt.Errorf("forget tries: %w", err)
		}
	}
	return nil
}
