package portal

import "context"

// Message is one mail to one person, as plain text.
type Message struct {
	To      string // an address
	Name    string // of the person, for the header; may be ""
	Subject string // one line
	Text    string // lines separated by \n
}

// Mailer hands a message over for delivery. It returns as soon as the message
// is queued, so that the time of an answer does not tell whether one was sent;
// an error means that the queue is full.
type Mailer interface {
	Send(ctx context.Context, m Message) error
}
