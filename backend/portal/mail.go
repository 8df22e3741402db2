package portal

import (
	"context"
	"time"
)

// Message is one mail to one person, as plain text.
type Message struct {
	To      string // an address
	Name    string // of the person, for the header; may be ""
	Subject string // one line
	Text    string // lines separated by \n
}

// Mailer hands a message over for delivery. It returns as soon as the message
// is queued, so that the time of an answer does not tell whether one was sent;
// an error means that the queue is full or closed, and the rules pass it on as
// Busy.
type Mailer interface {
	Send(ctx context.Context, m Message) error
}

// errMailBusy is what people are told when their mail cannot be queued.
var errMailBusy = &Error{
	Kind: Busy, Code: "mail-busy", RetryAfter: time.Minute,
	Detail: "Mail cannot be sent at this moment, because too much is waiting to be sent.",
	Fix:    "Try again in a minute.",
}

// send hands over a message that the person waits for. It fails with Busy.
func (p *Portal) send(ctx context.Context, m Message) error {
	err := p.mailer.Send(ctx, m)
	if err == nil || KindOf(err) != "" {
		return err
	}
	p.log.WarnContext(ctx, "a mail was not queued", "error", err)
	return errMailBusy
}
