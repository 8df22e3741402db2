package mail

import (
	"context"
	"fmt"
)

// Reach connects to the mail server and signs in as for a delivery, and sends
// nothing. It is for the checks before a start.
func (s *SMTP) Reach(ctx context.Context) error {
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("reach %s: %w", s.server, err)
	}
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	if err := c.DialWithContext(ctx); err != nil {
		return fmt.Errorf("reach %s: %w", s.server, err)
	}
	return c.Close()
}
