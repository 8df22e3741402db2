//go:build js && wasm

package bridge

import (
	"context"
	"math"
	"strings"
	"syscall/js"
	"time"

	"github.com/gatehouse-portal/gatehouse/shared/client"
)

func window() js.Value   { return js.Global() }
func document() js.Value { return js.Global().Get("document") }

// await waits for a promise that never rejects, as those of boot.js.
func await(promise js.Value) js.Value {
	answer := make(chan js.Value, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		v := js.Undefined()
		if len(args) > 0 {
			v = args[0]
		}
		answer <- v
		return nil
	})
	defer then.Release()
	promise.Call("then", then)
	return <-answer
}

// Do implements client.Transport.
func (t Transport) Do(ctx context.Context, r client.Request) (client.Response, error) {
	headers := js.Global().Get("Object").New()
	for name, value := range r.Header {
		headers.Set(name, value)
	}
	body := js.Null()
	if r.Body != nil {
		body = js.ValueOf(string(r.Body))
	}
	handle := js.Global().Get("Object").New()
	stop := context.AfterFunc(ctx, func() { handle.Call("abort") })
	defer stop()
	var v js.Value
	if tell, ok := ctx.Value(savingKey{}).(func(lines, bytes int64)); ok {
		told := js.FuncOf(func(_ js.Value, args []js.Value) any {
			tell(int64(args[0].Float()), int64(args[1].Float()))
			return nil
		})
		defer told.Release()
		v = await(window().Call("gatehouseSave", r.Path, headers, handle, told))
	} else {
		v = await(window().Call("gatehouseFetch", r.Method, r.Path, headers, body, t.Timeout.Milliseconds(), handle))
	}
	if status := v.Get("status").Int(); status > 0 {
		out := client.Response{Status: status, Header: map[string]string{}, Body: []byte(v.Get("body").String())}
		for line := range strings.SplitSeq(v.Get("headers").String(), "\n") {
			name, value, _ := strings.Cut(line, ":")
			out.Header[name] = value
		}
		return out, nil
	}
	switch v.Get("error").String() {
	case "aborted":
		return client.Response{}, ctx.Err()
	case "timeout":
		return client.Response{}, client.ErrTimeout
	case "cut":
		return client.Response{}, ErrCutOff
	}
	return client.Response{}, client.ErrOffline
}

// ReadConfig returns what the server wrote into the page.
func ReadConfig() Config {
	c := window().Call("gatehouseConfig")
	return Config{Version: c.Get("version").String(), Session: c.Get("session").Truthy(), Outbox: c.Get("outbox").Truthy()}
}

// Pause lets the browser do what waits, such as drawing, before the program goes
// on: what takes long at once is felt by who types or scrolls.
func Pause() { await(window().Call("gatehousePause")) }

// Address returns the address of the page.
func Address() string { return window().Get("location").Get("href").String() }

// Copy puts text on the clipboard and reports whether that was allowed.
func Copy(text string) bool { return await(window().Call("gatehouseCopy", text)).Truthy() }

// Load fetches a script that only some pages need and reports whether it came.
func Load(name string) bool { return await(window().Call("gatehouseLoad", name)).Truthy() }

// Download saves text as a file.
func Download(name, mediaType, text string) {
	window().Call("gatehouseDownload", name, mediaType, text)
}

// FormatDate writes a time in the reader's zone and language, in one of the styles.
func FormatDate(t time.Time, style string) string {
	return window().Call("gatehouseDate", float64(t.UnixMilli()), style).String()
}

// LocalTime reads what a field of type datetime-local holds, in the reader's
// zone: 2026-11-22T01:00.
func LocalTime(text string) (time.Time, bool) {
	ms := js.Global().Get("Date").New(text).Call("getTime").Float()
	if math.IsNaN(ms) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}

// LocalText writes a time for a field of type datetime-local. The offset is that
// of the day, not of today.
func LocalText(t time.Time) string {
	offset := js.Global().Get("Date").New(float64(t.UnixMilli())).Call("getTimezoneOffset").Int()
	return t.UTC().Add(-time.Duration(offset) * time.Minute).Format("2006-01-02T15:04")
}

// FormatNumber writes a number in the reader's language.
func FormatNumber(n float64, digits int) string {
	return window().Call("gatehouseNumber", n, digits).String()
}

// FormatPercent writes a share of 1 in per cent, in the reader's language.
func FormatPercent(share float64) string { return window().Call("gatehousePercent", share).String() }

// Normalize returns text in Unicode normalisation form NFKC.
func Normalize(text string) string { return window().Call("gatehouseNormalize", text).String() }

// Focus moves the focus to the first element that the selector finds, and
// reports whether it went there.
func Focus(selector string) bool { return window().Call("gatehouseFocus", selector).Truthy() }

// FocusStep moves the focus by step among the elements that the selector finds,
// around the ends; 0 goes to the first.
func FocusStep(selector string, step int) {
	list := document().Call("querySelectorAll", selector)
	n := list.Length()
	if n == 0 {
		return
	}
	at := 0
	active := document().Get("activeElement")
	for i := range n {
		if step != 0 && list.Index(i).Equal(active) {
			at = (i + step + n) % n
		}
	}
	list.Index(at).Call("focus")
}

// ShowModal opens a <dialog> over the page.
func ShowModal(id string) { window().Call("gatehouseModal", id) }

// ModalGone gives the focus back to what had it before the dialog.
func ModalGone(id string) { window().Call("gatehouseModalGone", id) }

// ScrollTop scrolls to the top of the page.
func ScrollTop() { window().Call("scrollTo", 0, 0) }

// Popped reports whether the latest navigation was back or forward.
func Popped() bool { return window().Call("gatehousePopped").Truthy() }

// SetTitle sets the title of the document.
func SetTitle(title string) { document().Set("title", title) }

// Reload loads the page again.
func Reload() { window().Get("location").Call("reload") }

// Theme returns the theme that is set: light, dark or system.
func Theme() string { return window().Call("gatehouseTheme").String() }

// SetTheme sets and remembers the theme.
func SetTheme(name string) { window().Call("gatehouseTheme", name) }

// Online reports whether the browser believes to have a network.
func Online() bool { return window().Get("navigator").Get("onLine").Truthy() }

// Hidden reports whether nobody can see the page.
func Hidden() bool { return document().Get("hidden").Truthy() }

// Origin returns scheme, host and port of the page.
func Origin() string { return window().Get("location").Get("origin").String() }

// listen calls f for an event of the window until release is called.
func listen(event string, f func(js.Value)) (release func()) {
	fn := js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(args[0])
		return nil
	})
	window().Call("addEventListener", event, fn)
	return func() {
		window().Call("removeEventListener", event, fn)
		fn.Release()
	}
}

// OnNetwork calls f when the network comes or goes, until release is called.
func OnNetwork(f func()) (release func()) {
	up := listen("online", func(js.Value) { f() })
	down := listen("offline", func(js.Value) { f() })
	return func() { up(); down() }
}

// OnKey calls f for every key; if f returns true the browser does nothing with
// it. f must return at once.
func OnKey(f func(Key) bool) (release func()) {
	return listen("keydown", func(e js.Value) {
		key := e.Get("key")
		if key.Type() != js.TypeString || e.Get("altKey").Truthy() || e.Get("isComposing").Truthy() {
			return
		}
		k := Key{Name: key.String(), Meta: e.Get("ctrlKey").Truthy() || e.Get("metaKey").Truthy()}
		target := e.Get("target")
		if closest := target.Get("closest"); closest.Type() == js.TypeFunction {
			k.Typing = target.Call("closest", "input,textarea,select,[contenteditable]").Truthy()
		}
		k.Modal = document().Call("querySelector", "dialog[open]").Truthy()
		if f(k) {
			e.Call("preventDefault")
		}
	})
}

// GuardLeaving has the browser ask before the page is left or reloaded, until
// release is called.
func GuardLeaving() (release func()) {
	return listen("beforeunload", func(e js.Value) { e.Call("preventDefault") })
}

// GuardBack has f called instead of going back or forward in the history, and of
// following a link on the page, until release is called. f must return at once.
func GuardBack(f func()) (release func()) {
	fn := js.FuncOf(func(js.Value, []js.Value) any {
		f()
		return nil
	})
	window().Call("gatehouseGuardBack", fn)
	return func() {
		window().Call("gatehouseGuardBack", js.Null())
		fn.Release()
	}
}

// Crash shows that the program cannot go on.
func Crash(detail string) { window().Call("gatehouseCrash", detail) }

// SetValue forces the text of a field that the browser changed by itself.
func SetValue(id, value string) {
	if el := document().Call("getElementById", id); el.Truthy() {
		el.Set("value", value)
	}
}

// Chart is a drawing of uPlot.
type Chart struct{ v js.Value }

// NewChart draws the spec of chart.js into an element, after Load("uplot").
func NewChart(id, spec string) *Chart {
	el := document().Call("getElementById", id)
	if !el.Truthy() {
		return nil
	}
	return &Chart{window().Call("gatehouseChart", el, spec)}
}

// Set draws another spec.
func (c *Chart) Set(spec string) { c.v.Call("set", spec) }

// Destroy takes the drawing away.
func (c *Chart) Destroy() { c.v.Call("destroy") }
