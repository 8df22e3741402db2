package cmd

import (
	"github.com/gatehouse-portal/gatehouse/backend/mail"
	"github.com/gatehouse-portal/gatehouse/shared/api"
)

// shownOutbox is an outbox as the portal shows it.
type shownOutbox struct{ *mail.Outbox }

// Mails lists at most limit mails, newest first.
func (o shownOutbox) Mails(limit int) ([]api.Mail, error) {
	list, err := o.List(limit)
	if err != nil {
		return nil, err
	}
	mails := make([]api.Mail, len(list))
	for i, m := range list {
		mails[i] = mailJSON(m)
	}
	return mails, nil
}

// Mail returns one mail, and false if there is none of that id.
func (o shownOutbox) Mail(id string) (api.Mail, bool, error) {
	m, ok, err := o.Message(id)
	return mailJSON(m), ok, err
}

func mailJSON(m mail.Stored) api.Mail {
	return api.Mail{ID: m.ID, At: api.Time{Time: m.Date}, To: m.To, Subject: m.Subject, Text: m.Text, Links: m.Links}
}
