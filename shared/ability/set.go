package ability

// MaxAbilities is how many abilities one catalogue may hold, so that a set of
// them is a value of 32 bytes that is compared without allocating.
const MaxAbilities = 256

// Set is a set of abilities as bits, numbered by an [Index].
type Set [MaxAbilities / 64]uint64

// Has reports whether the ability with this number is in the set.
func (s Set) Has(n int) bool { return s[n>>6]&(1<<(n&63)) != 0 }

// Add puts the ability with this number into the set.
func (s *Set) Add(n int) { s[n>>6] |= 1 << (n & 63) }

// And returns what is in both sets.
func (s Set) And(o Set) Set {
	for i := range s {
		s[i] &= o[i]
	}
	return s
}

// Without returns what is in s but not in o.
func (s Set) Without(o Set) Set {
	for i := range s {
		s[i] &^= o[i]
	}
	return s
}

// Contains reports whether all of o is in s. The empty set is in every set.
func (s Set) Contains(o Set) bool { return o.Without(s) == Set{} }

// Empty reports whether nothing is in the set.
func (s Set) Empty() bool { return s == Set{} }

// Index numbers the abilities of a catalogue in its order. It is read-only
// after it was made and may be used by many goroutines at once.
type Index struct {
	names   []string
	numbers map[string]int
}

// NewIndex numbers names, at most [MaxAbilities] distinct ones; the caller has
// checked both.
func NewIndex(names []string) *Index {
	x := &Index{names: names, numbers: make(map[string]int, len(names))}
	for i, name := range names {
		x.numbers[name] = i
	}
	return x
}

// Number returns the number of an ability and whether the index knows it.
func (x *Index) Number(name string) (int, bool) {
	n, ok := x.numbers[name]
	return n, ok
}

// Set returns the set of those names that the index knows: an ability that left
// the catalogue is no longer granted to anybody.
func (x *Index) Set(names []string) Set {
	var s Set
	for _, name := range names {
		if n, ok := x.numbers[name]; ok {
			s.Add(n)
		}
	}
	return s
}

// Names returns the names in the set, in the order of the catalogue, never nil.
func (x *Index) Names(s Set) []string {
	names := []string{}
	for n, name := range x.names {
		if s.Has(n) {
			names = append(names, name)
		}
	}
	return names
}

// All returns the set of everything in the index.
func (x *Index) All() Set { return x.Set(x.names) }
