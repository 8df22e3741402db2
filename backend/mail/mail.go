// Package mail is how messages leave: by SMTP, or into an outbox, a directory
// that the portal shows on a developer's own machine. A [Queue] in front of
// either makes sending take no time, so that the time of an answer does not
// tell whether a message was sent.
//
// What messages say is not decided here.
package mail

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// Deliverer hands one message over and waits for the answer. [SMTP] and
// [Outbox] are the two. It may be called by many goroutines at once.
type Deliverer interface {
	Deliver(ctx context.Context, l Letter) error
}

// Letter is a message on its way.
type Letter struct {
	portal.Message
	ID   string    // the left part of its Message-ID, the same in every try: a server that took it twice shows it once
	Date time.Time // when it was written
}

// CheckAddress reports what is wrong with the address that mails come from,
// with or without a name before it.
func CheckAddress(address string) error {
	if strings.ContainsFunc(address, unicode.IsControl) {
		return errors.New("the address has control characters")
	}
	if _, err := mail.ParseAddress(address); err != nil {
		return errors.New("this is not an address")
	}
	return nil
}

// compose makes the message as it travels. It fails for addresses that no mail
// server would take.
func compose(from string, l Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := mail.ParseAddress(l.To)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	to.Name = oneLine(l.Name)
	if err := m.AddTo(to.String()); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	m.Subject(oneLine(l.Subject))
	m.SetDateWithValue(l.Date)
	// In the domain of the sender: the machine's own name is nobody's business.
	m.SetMessageIDWithValue(cmp.Or(l.ID, rand.Text()) + sender.Address[strings.LastIndexByte(sender.Address, '@'):])
	// RFC 3834: out-of-office replies are not sent to a program.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	return m, nil
}

// oneLine keeps a value from becoming further headers.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}
