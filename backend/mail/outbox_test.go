package mail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var testDate = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

func outbox(t *testing.T) *Outbox {
	t.Helper()
	o, err := OpenOutbox(filepath.Join(t.TempDir(), "data", "outbox"), "Gatehouse <gatehouse@localhost>")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func deliver(t *testing.T, d Deliverer, m portal.Message) {
	t.Helper()
	if err := d.Deliver(t.Context(), Letter{Message: m, Date: testDate}); err != nil {
		t.Fatal(err)
	}
}

// A mail tells its readers nothing about the machine and the program.
func TestHeadersTellNothingOfTheMachine(t *testing.T) {
	m, err := compose("Gatehouse <gatehouse@portal.example.com>", Letter{Message: portal.Message{To: "ada@example.com", Text: "Hello."}, Date: testDate})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if _, err := m.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(text.String(), "\r\n\r\n")
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"X-Mailer", "User-Agent", "go-mail", "@" + host} {
		if strings.Contains(head, not) {
			t.Errorf("got %q in the header:\n%s", not, head)
		}
	}
	if id := m.GetMessageID(); !strings.HasSuffix(id, "@portal.example.com>") {
		t.Errorf("got the Message-ID %s, want one in the sender's domain", id)
	}
}

func TestOutboxKeepsWhatWasSent(t *testing.T) {
	o := outbox(t)
	messages := []portal.Message{
		{To: "ada@example.com", Name: "Ada Lovelace", Subject: "Confirm your address", Text: "Open http://localhost:8080/verify/abc_123-x.\nOr ask again."},
		{To: "bjørn@example.com", Name: "Bjørn \"B\" Ødegård, שלום 🐧", Subject: "Grüße, שלום 🐧 " + strings.Repeat("long ", 40), Text: strings.Repeat("ünïcödé = 100 % ", 50) + "\n\n.\n.leading dots\n"},
		{To: "a+b@example.com", Subject: "", Text: ""},
	}
	for _, m := range messages {
		deliver(t, o, m)
	}
	list, err := o.List(10)
	if err != nil || len(list) != len(messages) {
		t.Fatalf("got %d messages and %v", len(list), err)
	}
	for i, got := range list {
		want := messages[len(messages)-1-i] // newest first
		if got.To != want.To || got.Name != want.Name || got.Subject != strings.TrimSpace(want.Subject) || strings.TrimRight(got.Text, "\n") != strings.TrimRight(want.Text, "\n") || !got.Date.Equal(testDate) {
			t.Errorf("message %d: got %+v, want %+v", i, got, want)
		}
		one, ok, err := o.Message(got.ID)
		if err != nil || !ok || !reflect.DeepEqual(one, got) {
			t.Errorf("by its id: got %+v, %v and %v", one, ok, err)
		}
	}
	if links := list[2].Links; !reflect.DeepEqual(links, []string{"http://localhost:8080/verify/abc_123-x"}) {
		t.Errorf("got links %q", links)
	}
	if short, err := o.List(1); err != nil || len(short) != 1 || short[0].ID != list[0].ID {
		t.Errorf("the newest alone: got %v and %v", short, err)
	}
}

func TestOutboxFilesAreWholeAndPrivate(t *testing.T) {
	o := outbox(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			deliver(t, o, portal.Message{To: "ada@example.com", Subject: fmt.Sprint(i), Text: "x"})
			if _, err := o.List(100); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(o.dir)
	if err != nil || len(entries) != 20 {
		t.Fatalf("got %d files and %v, want 20", len(entries), err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 || filepath.Ext(e.Name()) != ".eml" {
			t.Errorf("%s: mode %v and %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestOutboxReadsNothingElse(t *testing.T) {
	o := outbox(t)
	deliver(t, o, portal.Message{To: "ada@example.com", Subject: "s", Text: "t"})
	list, err := o.List(1)
	if err != nil {
		t.Fatal(err)
	}
	id := list[0].ID
	if err := os.WriteFile(filepath.Join(o.dir, "..", "keys.eml"), []byte("Subject: secret\r\n\r\nx"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "../keys", "..%2Fkeys", id + ".eml", "/" + id, "./" + id, strings.ToLower(id), id + "\x00", "mail_" + strings.Repeat("0", 26)} {
		if m, ok, err := o.Message(wrong); ok || err != nil {
			t.Errorf("%q: got %+v and %v", wrong, m, err)
		}
	}
	// What somebody else left there is neither listed nor a failure.
	for _, name := range []string{"notes.txt", "mail_" + strings.Repeat("0", 26) + ".eml", id + ".eml.part"} {
		if err := os.WriteFile(filepath.Join(o.dir, name), []byte("no message"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := o.List(10); err != nil || len(list) != 1 {
		t.Errorf("got %v and %v, want the one message", list, err)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	o := outbox(t)
	for i := range maxStored + 3 {
		deliver(t, o, portal.Message{To: "ada@example.com", Subject: fmt.Sprint(i), Text: "x"})
	}
	list, err := o.List(2 * maxStored)
	if err != nil || len(list) != maxStored {
		t.Fatalf("got %d messages and %v, want %d", len(list), err, maxStored)
	}
	if newest, oldest := list[0].Subject, list[maxStored-1].Subject; newest != fmt.Sprint(maxStored+2) || oldest != "3" {
		t.Errorf("kept %s to %s", newest, oldest)
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	o := outbox(t)
	deliver(t, o, portal.Message{
		To: "ada@example.com", Name: "Ada\r\nBcc: eve@example.com", Subject: "Hello\r\nBcc: eve@example.com\r\n\r\nbody", Text: "t",
	})
	list, err := o.List(1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(o.dir, list[0].ID+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "\nBcc:") || list[0].Text != "t" && list[0].Text != "t\n" {
		t.Errorf("injected:\n%s", raw)
	}
}

func TestUnusableAddressIsRefused(t *testing.T) {
	o := outbox(t)
	for _, to := range []string{"", "ada", "ada@", "ada@example.com\r\nBcc: eve@example.com", "a@b.c, d@e.f"} {
		if err := o.Deliver(t.Context(), Letter{Message: portal.Message{To: to, Subject: "s"}, Date: testDate}); !errors.Is(err, ErrRefused) {
			t.Errorf("%q: got %v, want %v", to, err, ErrRefused)
		}
	}
}

func TestOutboxThroughTheQueueKeepsItsOrder(t *testing.T) {
	o := outbox(t)
	q := NewQueue(o, quiet())
	for i := range 30 {
		if err := q.Send(t.Context(), portal.Message{To: "ada@example.com", Subject: fmt.Sprint(i), Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := o.List(100)
	if err != nil || len(list) != 30 {
		t.Fatalf("got %d messages and %v", len(list), err)
	}
	for i, m := range list {
		if m.Subject != fmt.Sprint(29-i) {
			t.Fatalf("message %d is %s", i, m.Subject)
		}
	}
}

func TestLinks(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                 {},
		"see https://a.example/x?y=1&z=2.": {"https://a.example/x?y=1&z=2"},
		"(http://a.example/x) <http://b.example/>, http://a.example/x": {"http://a.example/x", "http://b.example/"},
		"mailto:a@b.c ftp://x": {},
	} {
		if got := links(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
