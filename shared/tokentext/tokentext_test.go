package tokentext

import (
	"strings"
	"testing"
)

// vector was computed outside this project.
const vector = "gtk_test_7Hq2LmZx9RtB_0123456789ABCDEFGHIJKLMNOPQRSTUV2UU33A"

func TestParse(t *testing.T) {
	if got, fault := Parse(vector); fault != Fine || got != (Token{Env: Test, Lookup: "7Hq2LmZx9RtB"}) {
		t.Errorf("got %+v and fault %d", got, fault)
	}
	b := [Length]byte([]byte(vector))
	clear(b[CheckStart:])
	if PutCheck(&b); string(b[:]) != vector {
		t.Errorf("the check makes %s, want %s", b, vector)
	}
}

func TestParseRefuses(t *testing.T) {
	swap := func(i int, c byte) string { return vector[:i] + string(c) + vector[i+1:] }
	tests := []struct {
		name, token string
		want        Fault
	}{
		{"empty", "", Malformed},
		{"cut", vector[:59], Malformed},
		{"too long", vector + "A", Malformed},
		{"a space behind", vector[:59] + " ", Malformed},
		{"another prefix", "ghp" + vector[3:], Malformed},
		{"another environment", swap(4, 'b'), Malformed},
		{"upper case environment", strings.Replace(vector, "test", "TEST", 1), Malformed},
		{"no separator", swap(8, 'a'), Malformed},
		{"no second separator", swap(21, 'a'), Malformed},
		{"a separator in the secret", swap(30, '_'), Malformed},
		{"a dash in the lookup", swap(10, '-'), Malformed},
		{"NUL in the secret", swap(30, 0), Malformed},
		{"a byte over 127", swap(30, 0xc3), Malformed},
		{"a typo in the lookup", swap(9, '8'), WrongChecksum},
		{"a typo in the secret", swap(30, 'x'), WrongChecksum},
		{"a typo in the check", swap(59, 'B'), WrongChecksum},
		{"the other environment", strings.Replace(vector, "test", "live", 1), WrongChecksum},
		// 2^32 more than the checksum: equal only if cut to 32 bits.
		{"a check beyond 32 bits", vector[:54] + base62Of(2282717312+1<<32), WrongChecksum},
	}
	for _, tt := range tests {
		if token, got := Parse(tt.token); got != tt.want || token != (Token{}) {
			t.Errorf("%s: got %+v and fault %d, want fault %d", tt.name, token, got, tt.want)
		}
	}
}

func base62Of(n uint64) string {
	b := []byte("000000")
	for i := 5; i >= 0; i, n = i-1, n/62 {
		b[i] = Alphabet[n%62]
	}
	return string(b)
}

// Every change of a single character must be noticed.
func TestEveryTypoIsNoticed(t *testing.T) {
	for i := range vector {
		for _, c := range []byte(Alphabet) {
			if c == vector[i] {
				continue
			}
			s := vector[:i] + string(c) + vector[i+1:]
			if _, fault := Parse(s); fault == Fine {
				t.Fatalf("%q was accepted", s)
			}
		}
	}
}
