// Package api holds the JSON of requests and responses, with the rules that
// requests keep. The portal's program and the server compile the same types.
//
// JSON is snake_case. Times are RFC 3339 in UTC with milliseconds ([Time]).
// On input, absent and null mean the same, except in a merge patch, where null
// takes a value away ([Optional]). On output every key is there, null where
// empty; lists are never null. An unknown field is refused with 422.
//
// The validate tags are those of github.com/go-playground/validator/v10:
// required, omitempty, min, max, len, email, oneof, dive, and six of ours:
//
//   - plain: text on one line that can be seen, without control characters,
//     those that turn the direction of what follows, and those that show nothing
//     and shape nothing
//   - multiline: text without control characters other than tabs and line ends,
//     and without those that turn the direction; it may be blank
//   - no_secret: without a whole token anywhere in it; all text that is kept for
//     others to read has this rule
//   - ability: the spelling resource:action
//   - address: an IP address or a CIDR prefix
//   - currency: three upper-case ASCII letters (ISO 4217)
//
// A field of a merge patch that is tagged patch:"keep" cannot be taken away:
// null is refused as required.
//
// The server checks them with validator, the browser with shared/validate.
// Lengths of text count code points. Rules that need the catalogue, the clock
// or the store are the server's alone.
package api
