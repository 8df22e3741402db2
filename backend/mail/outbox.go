package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/secret"
)

// Outbox keeps every message as one .eml file in a directory, instead of sending
// it, and reads them back. It is for one person's own machine: whoever can see
// it can follow every link that was mailed. It is safe for use by many
// goroutines.
type Outbox struct {
	dir  string
	from string

	mu   sync.Mutex
	last time.Time // of the newest file, so that names are in the order of writing
}

// Stored is one message of an [Outbox].
type Stored struct {
	ID      string // safe as a file name and in a URL
	To      string // address
	Name    string // of the recipient, may be ""
	Subject string
	Date    time.Time
	Text    string   // lines separated by \n
	Links   []string // the http and https links in it, in order, each once
}

// maxStored is how many messages are kept; the oldest go first.
const maxStored = 1000

const (
	outboxPrefix = "mail_"
	outboxSuffix = ".eml"
)

var outboxID = regexp.MustCompile(`^mail_[0-9A-HJKMNP-TV-Z]{26}$`)

// OpenOutbox makes the directory if need be; from is an address with or without
// a name.
func OpenOutbox(dir, from string) (*Outbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the outbox: %w", err)
	}
	return &Outbox{dir: dir, from: from}, nil
}

// Deliver writes one message. A reader never sees half of it.
func (o *Outbox) Deliver(_ context.Context, l Letter) error {
	m, err := compose(o.from, l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var text bytes.Buffer
	if _, err := m.WriteTo(&text); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	at := time.Now()
	if next := o.last.Add(time.Millisecond); at.Before(next) {
		at = next
	}
	o.last = at
	name := filepath.Join(o.dir, secret.NewIDAt(outboxPrefix, at)+outboxSuffix)
	if err := os.WriteFile(name+".part", text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write to the outbox: %w", err)
	}
	if err := os.Rename(name+".part", name); err != nil {
		return fmt.Errorf("write to the outbox: %w", err)
	}
	o.prune()
	return nil
}

// prune removes the oldest messages beyond [maxStored]. What cannot be removed is
// tried again with the next message: this one is delivered, and an error would
// have it delivered a second time.
func (o *Outbox) prune() {
	ids, err := o.ids()
	if err != nil || len(ids) <= maxStored {
		return
	}
	for _, id := range ids[maxStored:] {
		_ = os.Remove(filepath.Join(o.dir, id+outboxSuffix))
	}
}

// ids lists the messages, newest first.
func (o *Outbox) ids() ([]string, error) {
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), outboxSuffix); ok && outboxID.MatchString(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids) // a ULID begins with its time
	slices.Reverse(ids)
	return ids, nil
}

// List returns at most limit messages, newest first, never nil. A file that is
// no message is left out.
func (o *Outbox) List(limit int) ([]Stored, error) {
	ids, err := o.ids()
	if err != nil {
		return nil, err
	}
	list := []Stored{}
	for _, id := range ids {
		if len(list) >= limit {
			break
		}
		if m, ok, err := o.Message(id); err == nil && ok {
			list = append(list, m)
		}
	}
	return list, nil
}

// Message returns one message, and false if there is none of that id.
func (o *Outbox) Message(id string) (Stored, bool, error) {
	if !outboxID.MatchString(id) {
		return Stored{}, false, nil
	}
	raw, err := os.ReadFile(filepath.Join(o.dir, id+outboxSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return Stored{}, false, nil
	}
	if err != nil {
		return Stored{}, false, fmt.Errorf("read the outbox: %w", err)
	}
	m, err := parse(raw)
	if err != nil {
		return Stored{}, false, fmt.Errorf("read the message %s: %w", id, err)
	}
	m.ID = id
	return m, true, nil
}

func parse(raw []byte) (Stored, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Stored{}, err
	}
	var s Stored
	if to, err := m.Header.AddressList("To"); err == nil && len(to) > 0 {
		s.To, s.Name = to[0].Address, to[0].Name
	}
	if s.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		s.Subject = m.Header.Get("Subject")
	}
	if s.Date, err = m.Header.Date(); err == nil {
		s.Date = s.Date.UTC()
	}
	body := m.Body
	switch strings.ToLower(m.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return Stored{}, err
	}
	s.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	s.Links = links(s.Text)
	return s, nil
}

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

// links finds the links in a text; what ends a sentence is not part of one.
func links(text string) []string {
	found := []string{}
	for _, l := range link.FindAllString(text, -1) {
		if l = strings.TrimRight(l, ".,;:!?)'"); !slices.Contains(found, l) {
			found = append(found, l)
		}
	}
	return found
}
