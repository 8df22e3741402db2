package ui

import "github.com/maxence-charriere/go-app/v9/pkg/app"

type root struct{ app.Compo }

func (*root) Render() app.UI { return app.Div().Text("hello") }

// Run starts the program in the browser and never returns.
func Run() {
	app.RouteWithRegexp("^/", &root{})
	app.RunWhenOnBrowser()
}
