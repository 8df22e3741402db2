package audit

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxInteger is 2^53: beyond it a JSON number is not exact everywhere.
const maxInteger = 1 << 53

// canonical writes v as RFC 8785 (JSON Canonicalization Scheme) text. Numbers
// are integers only: events need no others, and integers need no part of the
// ES6 number rules.
func canonical(v any) ([]byte, error) { return appendCanonical(nil, v) }

func appendCanonical(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendString(b, v)
	case int:
		return appendInt(b, int64(v))
	case int32:
		return appendInt(b, int64(v))
	case int64:
		return appendInt(b, v)
	case float64: // what encoding/json makes of a number
		if v != math.Trunc(v) || math.Abs(v) >= maxInteger {
			return nil, fmt.Errorf("the number %v is not an integer below 2^53", v)
		}
		return appendInt(b, int64(v))
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("the number %s is not an integer below 2^53", v)
		}
		return appendInt(b, n)
	case []string:
		return appendList(b, v)
	case []any:
		return appendList(b, v)
	case map[string]string:
		return appendMap(b, v)
	case map[string]any:
		return appendMap(b, v)
	default:
		return nil, fmt.Errorf("a value of type %T has no canonical form", v)
	}
}

func appendInt(b []byte, n int64) ([]byte, error) {
	if n >= maxInteger || n <= -maxInteger {
		return nil, fmt.Errorf("the number %d is not below 2^53", n)
	}
	return strconv.AppendInt(b, n, 10), nil
}

func appendList[T any](b []byte, list []T) (_ []byte, err error) {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendCanonical(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendMap[T any](b []byte, m map[string]T) (_ []byte, err error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	// RFC 8785 sorts by UTF-16 code units, which differs from bytes beyond the BMP.
	slices.SortFunc(keys, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, k); err != nil {
			return nil, err
		}
		b = append(b, ':')
		if b, err = appendCanonical(b, m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the text %q is not UTF-8", s)
	}
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			if c < 0x20 {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"'), nil
}
