package e2e

import (
	"fmt"
	"time"
)

// hold checks that an expression about the page is true, or soon will be: what
// was pressed is drawn a moment later.
func (b *browser) hold(what, script string) {
	b.t.Helper()
	b.ask("settled")
	var got bool
	for ends := time.Now().Add(2 * time.Second); !got && time.Now().Before(ends); time.Sleep(40 * time.Millisecond) {
		b.eval(script, &got)
	}
	if !got {
		b.t.Errorf("it does not hold that %s: %s", what, script)
	}
}

// rect returns an expression for where the first element of a selector is.
func rect(selector string) string {
	return fmt.Sprintf("document.querySelector(%q).getBoundingClientRect()", selector)
}

// phone looks at what has little room on one: in a team with tokens and calls,
// and in that of a newcomer.
func (b *browser) phone(team, newcomers string) {
	b.t.Helper()
	b.size(360, 740)
	b.theme("light")

	b.open(newcomers)
	b.see("Make the first call")
	b.hold("no command is cut off", `[...document.querySelectorAll(".code-block pre")].every(e => e.scrollWidth <= e.clientWidth)`)
	b.hold("the button to copy covers no text", `(() => {
		const words = document.createRange(), button = `+rect(".code-block .button")+`;
		words.selectNodeContents(document.querySelector(".code-block code"));
		return [...words.getClientRects()].every(r => r.right <= button.left || r.top >= button.bottom);
	})()`)

	b.open(team)
	b.see("Calls per day")
	b.press("Show as table")
	b.see("Hide table")
	b.hold("a row of numbers is a line", rect(".chart tbody tr")+`.height < 50`)
	b.hold("the numbers need no scrolling", `[...document.querySelectorAll(".table-scroll")].every(e => e.scrollWidth <= e.clientWidth)`)

	b.open(team + "/usage")
	b.see("By status")
	b.hold("half of the last time has room", rect("#chart-duration .uplot")+".right - "+rect("#chart-duration .u-over")+`.right >= 28`)
	b.hold("the numbers need no scrolling", `[...document.querySelectorAll(".table-scroll")].every(e => e.scrollWidth <= e.clientWidth)`)
	b.hold("what is said of a bar is set as the page is", `getComputedStyle(document.querySelector(".chart-tip")).fontFamily === getComputedStyle(document.body).fontFamily`)

	b.open(team + "/tokens")
	b.see("BI export")
	b.eval(`window.was = JSON.stringify(`+rect(".filters-toggle")+`)`, nil)
	b.press("Filters")
	b.see("Every status")
	b.hold("the button of the filters stays", `was === JSON.stringify(`+rect(".filters-toggle")+`)`)
	b.tick("Select BI export", true)
	b.see("1 token selected")
	b.hold("what is done with the selection is one line", `new Set([...document.querySelectorAll(".token-bulk .button")].map(e => e.getBoundingClientRect().top)).size === 1`)

	b.press("BI export") // ends soon
	b.see("Change the expiry")
	b.hold("a banner has room for its words", rect(".token-notices .banner p")+`.width >= 200`)
	b.press("Rotate")
	b.press("Rotate secret")
	b.press("I have stored it")
	b.see("Finish now")
	b.hold("the head of a card has room for its words", rect(".card-head:has(.card-actions) p")+`.width >= 200`)
	b.press("Undo")
	b.press("Undo rotation")
	b.gone("Finish now")
	b.gone("Saving")
}

// desk looks at the edits of the token that phone left.
func (b *browser) desk() {
	b.t.Helper()
	b.size(1280, 900)
	b.press("Edit the expiry")
	b.see("Last day")
	b.hold("the choice that is made has the focus", `document.activeElement.matches("[type=radio]:checked")`)
	b.press("Cancel")
	b.press("Edit the abilities")
	b.see("Save abilities")
	buttons := `JSON.stringify([...document.querySelectorAll(".form-foot .button")].map(e => e.offsetLeft + " " + e.offsetTop))`
	b.eval(`window.was = `+buttons, nil)
	b.tick("Create, change and cancel orders", true)
	b.see("your password may be asked for")
	b.hold("the buttons of an edit stay", `was === `+buttons)
	b.press("Cancel")
}
