package httpapi

import (
	"cmp"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

const (
	accessEvery = 200 * time.Millisecond // how long a line may wait to be written
	accessAt    = 32 << 10               // bytes that wait at most
)

// accessLog writes one JSON line a request, in the form of slog's JSON handler.
// Lines are collected and written a few times a second, so that no request waits
// for a system call; a process that is killed loses those. slog itself would
// cost a call of the API a quarter of its time.
type accessLog struct {
	mu      sync.Mutex
	to      io.Writer
	waiting []byte
	timed   bool // flush is going to be called
}

func newAccessLog(to io.Writer) *accessLog {
	if to == nil {
		return nil
	}
	return &accessLog{to: to, waiting: make([]byte, 0, accessAt+4<<10)}
}

// flush writes what waits. A log that cannot be written has nowhere to say so.
func (l *accessLog) flush() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timed = false
	l.write()
}

func (l *accessLog) write() {
	_, _ = l.to.Write(l.waiting)
	l.waiting = l.waiting[:0]
}

// add notes one request. The line has no query, no header and no part of a path
// that could be a secret.
func (l *accessLog) add(c *fiber.Ctx, r *request, status, size int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.waiting, `{"time":"`...)
	b = r.began.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	b = append(b, `","level":"INFO","msg":"request"`...)
	b = appendField(b, "request_id", r.id)
	b = appendField(b, "method", c.Method())
	b = appendField(b, "route", cmp.Or(r.template(), noRoute))
	b = appendField(b, "path", loggable(c.Path()))
	b = strconv.AppendInt(append(b, `,"status":`...), int64(status), 10)
	b = strconv.AppendInt(append(b, `,"bytes":`...), int64(size), 10)
	b = strconv.AppendFloat(append(b, `,"ms":`...), float64(took.Microseconds())/1000, 'f', -1, 64)
	b = append(b, `,"address":"`...)
	b = append(r.address.AppendTo(b), '"')
	if d := &r.decision; d.Code != "" {
		b = appendField(b, "code", string(d.Code))
		if d.Token != nil {
			b = appendField(b, "token", d.Token.ID)
		}
	} else if r.person.User.ID != "" {
		b = appendField(b, "user", r.person.User.ID)
	}
	l.waiting = append(b, '}', '\n')
	switch {
	case len(l.waiting) >= accessAt:
		l.write()
	case !l.timed:
		l.timed = true
		time.AfterFunc(accessEvery, l.flush)
	}
}

// appendField adds a field of text.
func appendField(b []byte, name, value string) []byte {
	b = append(append(append(b, `,"`...), name...), `":`...)
	for i := range len(value) {
		if ch := value[i]; ch < ' ' || ch > '~' || ch == '"' || ch == '\\' {
			text, _ := json.Marshal(value) // text never fails
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), value...), '"')
}

const (
	maxLoggable = 32 // bytes of one part of a path: ids fit, codes and tokens do not
	maxRun      = 16 // letters and digits in a row: a token's id fits, the secret in a token does not
	maxParts    = 8
)

// loggable shortens the parts of a path that could hold a secret or a piece of
// one: those that are long, and those with a long run of letters and digits that
// is no id of ours.
func loggable(path string) string {
	hidden := false
	for part := range strings.SplitSeq(path, "/") {
		hidden = hidden || couldBeSecret(part)
	}
	if !hidden && len(path) < maxParts*maxLoggable {
		return path
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if couldBeSecret(part) {
			parts[i] = "…"
		}
	}
	return strings.Join(parts[:min(len(parts), maxParts)], "/")
}

func couldBeSecret(part string) bool {
	if len(part) <= maxRun || secret.IsID(part) {
		return false
	}
	run := 0
	for i := range len(part) {
		if run++; !isWord(part[i]) || part[i] == '-' || part[i] == '_' {
			run = 0
		}
		if run > maxRun {
			return true
		}
	}
	return len(part) > maxLoggable
}
