package password

import "testing"

func TestPersonal(t *testing.T) {
	const name, address = "Ada Long-Lovelace", "ada.byron@analytical-engine.example"
	tests := []struct{ name, password, want string }{
		{"nothing", "correct horse battery", ""},
		{"the whole name", "xx ada long-LOVELACE xx", "ada long-lovelace"},
		{"a word of it", "a fine long sentence", "long"},
		{"its words run together", "adalonglovelace99", "long"},
		{"a short word is by chance", "armada of ships", ""},
		{"the address", "ada.byron@analytical-engine.example", "ada.byron@analytical-engine.example"},
		{"the local part", "xxada.byronxx99", "ada.byron"},
		{"a word of it", "hello BYRON 1815", "byron"},
		{"the domain", "analytical-engine", "analytical-engine"},
		{"a word of that", "an engine that runs", "engine"},
		{"the last label says nothing", "an example of it", ""},
	}
	for _, tt := range tests {
		if got := Personal(tt.password, name, address); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := Personal("correct horse battery", "", ""); got != "" {
		t.Errorf("without a name and an address: got %q", got)
	}
}
