package ui

import (
	"slices"
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v9/pkg/app"

	"github.com/gatehouse-portal/gatehouse/frontend/ui/kit"
)

// toast is a message that is being shown.
type toast struct {
	kit.ToastMessage
	id int
}

// toastTime is how long a message stays; mistakes stay until they are closed.
const toastTime = 6 * time.Second

func (r *root) onToast(ctx app.Context, a app.Action) {
	m, ok := a.Value.(kit.ToastMessage)
	if !ok {
		return
	}
	r.toastID++
	id := r.toastID
	r.toasts = append(r.toasts, toast{m, id})
	if len(r.toasts) > 4 {
		r.toasts = r.toasts[1:]
	}
	if m.Kind != kit.Bad {
		kit.After(ctx, r, toastTime, func(app.Context) { r.dropToast(id) })
	}
}

func (r *root) dropToast(id int) {
	r.toasts = slices.DeleteFunc(r.toasts, func(t toast) bool { return t.id == id })
}

// toastList is always on the page, so that what is put into it is read out.
func (r *root) toastList() app.UI {
	list := r.stopList()
	for _, t := range r.toasts {
		list = append(list, app.Div().Class("toast", t.Kind).Body(
			kit.Icon(kit.KindIcon(t.Kind)),
			app.P().Text(t.Text),
			kit.Button(kit.ButtonOpts{Icon: "x", Look: kit.Ghost, Small: true, Label: "Close this message", Key: "toast " + strconv.Itoa(t.id), On: func(app.Context) { r.dropToast(t.id) }}),
		))
	}
	return app.Div().Class("toasts").Attr("role", "status").Attr("aria-live", "polite").Body(list...)
}
