package mongo

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
)

// abandoned are the sessions of transactions that were given up without the
// server having said that it ended them. It may not even have seen them yet: a
// server that stood still takes up what it was sent, and would then keep others
// from the same documents until it ends the transaction itself, after a minute.
type abandoned struct {
	mu       sync.Mutex
	sessions []abandonedSession
	running  bool
}

type abandonedSession struct {
	id    bson.Raw
	since time.Time
	ended bool // once; what was still on its way is ended by the second time
}

const (
	endEvery      = 500 * time.Millisecond
	endWithin     = 2 * time.Second
	endsByItself  = 70 * time.Second // transactionLifetimeLimitSeconds, and some
	mostEndedOnce = 1000
)

// abandon ends the transaction of a session in the background. The session is
// not used again: it is not given back to the driver, which would.
func (s *Store) abandon(session mongo.Session) {
	a := &s.abandoned
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(a.sessions, abandonedSession{id: session.ID(), since: time.Now()})
	if !a.running {
		a.running = true
		go s.endAbandoned()
	}
}

// endAbandoned runs until no session is left, or the store is closed.
func (s *Store) endAbandoned() {
	a := &s.abandoned
	for {
		a.mu.Lock()
		a.sessions = slices.DeleteFunc(a.sessions, func(x abandonedSession) bool { return time.Since(x.since) > endsByItself })
		batch := slices.Clone(a.sessions[:min(len(a.sessions), mostEndedOnce)])
		if len(batch) == 0 || s.closed.Load() {
			a.running = false
			a.mu.Unlock()
			return
		}
		a.sessions = slices.Delete(a.sessions, 0, len(batch))
		a.mu.Unlock()

		left := batch
		if s.killSessions(batch) {
			left = slices.DeleteFunc(batch, func(x abandonedSession) bool { return x.ended })
			for i := range left {
				left[i].ended = true
			}
		}
		a.mu.Lock()
		a.sessions = append(a.sessions, left...)
		a.mu.Unlock()
		time.Sleep(endEvery)
	}
}

func (s *Store) killSessions(sessions []abandonedSession) bool {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	ids := bson.A{}
	for _, x := range sessions {
		ids = append(ids, x.id)
	}
	return s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "killSessions", Value: ids}}).Err() == nil
}
