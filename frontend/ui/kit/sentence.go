package kit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/shared/api"
	"github.com/gatehouse-portal/gatehouse/shared/client"
	"github.com/gatehouse-portal/gatehouse/shared/validate"
)

// Sentence says what happened, that nothing was lost, and what to do.
func Sentence(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, client.ErrOffline):
		return "The server cannot be reached. Nothing was changed; try again when the network is back."
	case errors.Is(err, client.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "The server did not answer in time. Look whether the change was made before you try again."
	case errors.Is(err, ErrGivenUp), errors.Is(err, context.Canceled):
		return "Nothing was changed."
	}
	p := client.ProblemOf(err)
	if p == nil {
		return "The answer could not be understood. Reload the page and try again."
	}
	said := join(p.Detail, p.Fix)
	switch {
	case p.Status == 429:
		return "Too many requests in a short time. " + after(p.RetryAfter)
	case p.Status == 503:
		return "The server is busy or cannot reach its database. Nothing was changed. " + after(p.RetryAfter)
	case p.Status >= 500:
		s := "The server failed. It has been recorded; try again."
		if p.RequestID != "" {
			s += " Request " + p.RequestID + "."
		}
		return s
	case p.Status == 412:
		return "This was changed meanwhile. Nothing was overwritten; look at it again."
	case p.Status == 404:
		return "This does not exist, or you may not see it."
	case p.Status == 401:
		return "You are signed out. Sign in to carry on."
	case said != "":
		return said
	case p.Status == 403:
		return "Your role does not allow this."
	}
	return p.Title + "."
}

// List joins words: a, b and c.
func List(words []string, last string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}

func after(d time.Duration) string {
	if d <= 0 {
		return "Try again in a moment."
	}
	return "Try again in " + Duration(d) + "."
}

// unread is [Sentence] for what was only looked at: nothing was to be changed.
func unread(err error) string {
	if errors.Is(err, client.ErrOffline) {
		return "The server cannot be reached."
	}
	return Sentence(err)
}

// Silent reports whether an error needs no message: the person gave up.
func Silent(err error) bool { return errors.Is(err, ErrGivenUp) || errors.Is(err, context.Canceled) }

// Failed draws why something could not be fetched. Again may be nil.
func Failed(err error, again func(app.Context)) app.UI {
	if client.Status(err) == 404 {
		return Missing()
	}
	o := EmptyOpts{Icon: "triangle-alert", Title: "This could not be loaded", Text: Sentence(err), Alert: true, Action: retry(again), OnAction: again}
	if text, p, ok := refused(err); ok {
		o.Text, o.After = text, &countdown{Refusal: p}
	}
	return Empty(o)
}

// Missing draws that there is nothing, whatever the reason: what is another's is
// not there either.
func Missing() app.UI {
	return Empty(EmptyOpts{
		Icon: "search", Title: "There is nothing here",
		Text:   "The address is wrong, what it named is gone, or you may not see it.",
		Action: "Go to the start page", Href: "/",
	})
}

func retry(again func(app.Context)) string {
	if again == nil {
		return ""
	}
	return "Try again"
}

// Errors are the mistakes in a form: by JSON pointer what the field's line says.
// The zero value has none. [Errors.At] marks a pointer as shown; what no field
// shows is in [Errors.Rest].
type Errors struct {
	at    map[string]string
	form  string
	wait  *client.Problem // to be tried again after its time
	shown map[string]bool
}

// Check checks a request in the browser and reports whether it may be sent. Found
// is what the page knows to be wrong itself; it says that in its own words.
func (e *Errors) Check(body any, found ...api.FieldError) bool {
	*e = Errors{}
	for _, w := range found {
		e.put(w)
	}
	for _, w := range validate.Check(body) {
		e.put(w)
	}
	return len(e.at) == 0
}

// Take takes the mistakes from a refused request. Nil clears them.
func (e *Errors) Take(err error) {
	*e = Errors{}
	if err == nil || Silent(err) {
		return
	}
	if p := client.ProblemOf(err); p != nil && (p.Status == 422 || p.Status == 409) && len(p.Errors) > 0 {
		for _, w := range p.Errors {
			e.put(w)
		}
		return
	}
	e.form = Sentence(err)
	if text, p, ok := refused(err); ok {
		e.form, e.wait = text, p
	}
}

// Add adds a mistake that only the page knows of.
func (e *Errors) Add(pointer, sentence string) {
	e.put(api.FieldError{Pointer: pointer, Detail: sentence})
}

func (e *Errors) put(w api.FieldError) {
	if e.at == nil {
		e.at = map[string]string{}
	}
	if e.at[w.Pointer] == "" {
		e.at[w.Pointer] = join(w.Detail, w.Fix)
	}
}

// At returns what the field of this pointer says, "" if it is right.
func (e *Errors) At(pointer string) string {
	if e.shown == nil {
		e.shown = map[string]bool{}
	}
	e.shown[pointer] = true
	return e.at[pointer]
}

// Under returns what is wrong below a pointer, such as in a list of addresses,
// as one line.
func (e *Errors) Under(pointer string) string {
	var out []string
	for _, at := range slices.Sorted(maps.Keys(e.at)) {
		if at == pointer || strings.HasPrefix(at, pointer+"/") {
			e.At(at)
			out = append(out, e.at[at])
		}
	}
	return strings.Join(slices.Compact(out), " ")
}

// Lines returns what is wrong with a list of n items that is typed one a line,
// each mistake with its lines; what is wrong with the list itself comes first.
func (e *Errors) Lines(pointer string, n int) string {
	text := e.At(pointer)
	at, said := map[string][]string{}, []string{}
	for i := range n {
		wrong := e.At(pointer + "/" + strconv.Itoa(i))
		if wrong == "" {
			continue
		}
		if at[wrong] == nil {
			said = append(said, wrong)
		}
		at[wrong] = append(at[wrong], strconv.Itoa(i+1))
	}
	for _, wrong := range said {
		word := "Lines "
		if len(at[wrong]) == 1 {
			word = "Line "
		}
		text = join(text, word+List(at[wrong], "and")+": "+wrong)
	}
	return text
}

// Any reports whether something is wrong.
func (e *Errors) Any() bool { return len(e.at) > 0 || e.form != "" }

// Rest draws what no field shows, nothing if there is nothing. Call it after the
// fields were drawn, or first with the pointers that they will show; what is
// below one of those is theirs to show too.
func (e *Errors) Rest(pointers ...string) app.UI {
	for _, p := range pointers {
		e.Under(p)
	}
	text := e.form
	for _, at := range slices.Sorted(maps.Keys(e.at)) {
		if !e.shown[at] {
			name := strings.NewReplacer("#/", "", "/", " ", "_", " ").Replace(at)
			text = join(text, name+": "+e.at[at])
		}
	}
	if text == "" {
		return Nothing()
	}
	said := app.P().Text(text)
	if e.wait != nil {
		said = app.P().Body(app.Text(text), &countdown{Refusal: e.wait})
	}
	return app.Div().Class("banner", "is-bad").Attr("role", "alert").Attr("tabindex", "-1").Body(Icon("triangle-alert"), said) // takes the focus where no field can
}

// First returns the first text that is not empty.
func First(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
