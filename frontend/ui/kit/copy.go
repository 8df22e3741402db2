package kit

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/bridge"
)

// CopyButton copies a text and says so. The text is a prop only: when the page
// takes the button away, it is gone.
type CopyButton struct {
	app.Compo
	Value string
	Label string // what is copied, for screen readers: "the secret"
	Text  string // on the button; only an icon if empty
	Look  string

	said string
	turn int
}

// Render draws the button and, for screen readers, what it said.
func (c *CopyButton) Render() app.UI {
	icon, text := "copy", c.Text
	if c.said != "" {
		icon = "check"
		if c.Text != "" {
			text = c.said
		}
	}
	return app.Span().Class("copy-button").Body(
		Button(ButtonOpts{Icon: icon, Text: text, Look: orElse(c.Look, Ghost), Small: c.Text == "", Label: "Copy " + c.Label, Key: "copy", On: c.copy}),
		app.Span().Class("visually-hidden").Attr("role", "status").Text(c.said),
	)
}

func (c *CopyButton) copy(ctx app.Context) {
	value := c.Value
	Do(ctx, c, func(context.Context) error {
		if !bridge.Copy(value) {
			return errors.New("not allowed")
		}
		return nil
	}, func(ctx app.Context, err error) {
		c.said = "Copied"
		if err != nil {
			c.said = "Press Ctrl C"
		}
		c.turn++
		turn := c.turn
		After(ctx, c, 2*time.Second, func(app.Context) {
			if turn == c.turn {
				c.said = ""
			}
		})
	})
}

// CodeBlock draws a command or a text to copy.
func CodeBlock(label, code string) app.UI {
	return app.Div().Class("code-block").Body(
		app.Pre().Attr("tabindex", "0").Attr("aria-label", label).Body(Command(code)),
		&CopyButton{Value: code, Label: label},
	)
}

// Command draws a command of several lines. Where it is wrapped, the backslash at
// the end of a line never stands alone.
func Command(code string) app.UI {
	const kept = 8 // characters that stay with it
	lines := strings.SplitAfter(code, "\n")
	body := make([]app.UI, 0, 2*len(lines))
	for _, line := range lines {
		from := len(line)
		if strings.HasSuffix(line, " \\\n") {
			from = max(strings.LastIndex(line[:len(line)-3], " ")+1, len(line)-3-kept)
			for !utf8.RuneStart(line[from]) {
				from++
			}
		}
		if from > 0 {
			body = append(body, app.Text(line[:from]))
		}
		if end := strings.TrimSuffix(line[from:], "\n"); end != "" {
			body = append(body, app.Span().Class("unbroken").Text(end), app.Text("\n"))
		}
	}
	return app.Code().Body(body...)
}
