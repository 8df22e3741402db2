// Package kit holds the building blocks of the portal's pages. It exists so that
// go-app's traps cannot be fallen into:
//
//   - go-app tells handlers apart by their code, so a closure over a row may run
//     for another row. Every handler here is made by [On], which demands a key
//     that says what it closes over.
//   - A panic in a handler ends the program. [On] and [Do] catch it and show the
//     page that offers to reload.
//   - The context of an event dies with the element that was clicked, for
//     instance in a dialog that closes, and results sent to it are lost. [Do]
//     takes the component that wants the result.
//   - Lists have no keys: rows are plain elements without state of their own.
//   - Inline styles are refused by the content security policy: nothing here
//     sets any.
//
// What draws is a function that returns an element and takes its state from the
// page; only what must remember something by itself is a component.
package kit
