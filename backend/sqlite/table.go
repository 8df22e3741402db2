package sqlite

import (
	"context"
	"strings"
)

// columns is told the columns of a table in turn: each with the field that it is
// read into and stored from, a pointer or one of the forms of value.go.
type columns func(name string, field any)

// view is where values of T are read from.
type view[T any] struct {
	query  string           // SELECT … FROM …
	fields func(v *T) []any // of its columns, in their order
}

// table is where values of T are stored, a row each. It is declared by its
// columns, and its statements follow from them, so that a field more is a line
// more and a migration.
type table[T any] struct {
	view[T]
	names  []string // of its columns
	keys   int      // how many of them, from the first, are the key
	insert string   // takes the fields of a row
	upsert string   // too, and changes the row that has the key
	update string   // takes the changes of a row; a condition may follow
}

// newTable describes a table whose first columns, as many as keys says, are
// unique together.
func newTable[T any](name string, keys int, describe func(column columns, v *T)) *table[T] {
	var names, changes []string
	describe(func(name string, _ any) { names = append(names, name) }, new(T))
	for _, name := range names[keys:] {
		changes = append(changes, name+" = excluded."+name)
	}
	list, key := strings.Join(names, ", "), names[:keys]
	insert := "INSERT INTO " + name + " (" + list + ") VALUES " + marks(len(names))
	return &table[T]{
		names: names, keys: keys, insert: insert,
		upsert: insert + " ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(changes, ", "),
		update: "UPDATE " + name + " SET " + strings.Join(names[keys:], " = ?, ") + " = ? WHERE " + strings.Join(key, " = ? AND ") + " = ?",
		view: view[T]{query: "SELECT " + list + " FROM " + name, fields: func(v *T) []any {
			fields := make([]any, 0, len(names)+4) // and what callers add
			describe(func(_ string, field any) { fields = append(fields, field) }, v)
			return fields
		}},
	}
}

// changes returns the arguments of an update: first what changes, then the key.
func (t *table[T]) changes(v *T) []any {
	fields := t.fields(v)
	return append(fields, fields[:t.keys]...)[t.keys:]
}

// reader returns a function that reads rows, one after the other.
func (v view[T]) reader() func(scan scanner) (T, error) {
	var row T
	fields := v.fields(&row)
	return func(scan scanner) (T, error) {
		row = *new(T)
		err := scan(fields...)
		return row, err
	}
}

// one reads the row that the rest of the query finds, NotFound if there is none.
func (v view[T]) one(ctx context.Context, s *Store, noun, rest string, args ...any) (T, error) {
	return readOne(ctx, s, noun, v.query+" "+rest, args, v.reader())
}

// all reads the rows that the rest of the query finds.
func (v view[T]) all(ctx context.Context, s *Store, rest string, args ...any) ([]T, error) {
	return readList(ctx, s, v.query+" "+rest, args, v.reader())
}
