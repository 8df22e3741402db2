package mongo

import (
	"reflect"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// collection is what the database is told about one of our collections. It is
// declared in the file of its noun, beside the queries that need its indexes.
type collection struct {
	name    string
	schema  bson.D // $jsonSchema
	indexes []mongo.IndexModel
	ends    string // the time after which [Store.Prune] may remove a document, if there is one
}

func collections() []collection {
	var all []collection
	for _, of := range [][]collection{
		metaCollections(), userCollections(), signupCollections(), sessionCollections(), teamCollections(), memberCollections(),
		tokenCollections(), tokenNameCollections(), orderCollections(), callCollections(), rollupCollections(), eventCollections(),
		onceCollections(), idempotentCollections(), erasureCollections(),
	} {
		all = append(all, of...)
	}
	return all
}

// The types of fields. A number may be of either width: the driver writes an
// int as short as it is.
var (
	text    = bson.D{{Key: "bsonType", Value: "string"}}
	date    = bson.D{{Key: "bsonType", Value: "date"}}
	number  = bson.D{{Key: "bsonType", Value: bson.A{"int", "long"}}}
	boolean = bson.D{{Key: "bsonType", Value: "bool"}}
	binary  = bson.D{{Key: "bsonType", Value: "binData"}}
)

const optional = "?"

// object describes a document by names and types in turn. A name that begins
// with "?" may be absent. Fields that are not named may be there, so that a
// newer program can share the database while it takes over.
func object(fields ...any) bson.D {
	required, properties := bson.A{}, bson.D{}
	for i := 0; i < len(fields); i += 2 {
		name, maybe := strings.CutPrefix(fields[i].(string), optional)
		if !maybe {
			required = append(required, name)
		}
		properties = append(properties, bson.E{Key: name, Value: fields[i+1]})
	}
	return bson.D{{Key: "bsonType", Value: "object"}, {Key: "required", Value: required}, {Key: "properties", Value: properties}}
}

func listOf(items bson.D) bson.D {
	return bson.D{{Key: "bsonType", Value: "array"}, {Key: "items", Value: items}}
}

func orNull(kind bson.D) bson.D {
	return append(bson.D{{Key: "bsonType", Value: bson.A{kind[0].Value, "null"}}}, kind[1:]...)
}

// schemaOf describes the documents of a collection by the type that they are
// written from. What it leaves out with omitempty may be absent, and a slice or
// a pointer that it does not leave out may be null. A tag schema:"required" says
// that a field is always there and never null, and "-" that it is not described.
func schemaOf[D any]() bson.D { return documentOf(reflect.TypeFor[D]()) }

func documentOf(t reflect.Type) bson.D {
	var fields []any
	for f := range t.Fields() {
		name, maybe := strings.CutSuffix(f.Tag.Get("bson"), ",omitempty")
		kind := kindOf(f.Type)
		switch rule := f.Tag.Get("schema"); {
		case rule == "-":
			continue
		case rule == "required":
		case maybe:
			name = optional + name
		case f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Pointer:
			kind = orNull(kind)
		}
		fields = append(fields, name, kind)
	}
	return object(fields...)
}

func kindOf(t reflect.Type) bson.D {
	switch t {
	case reflect.TypeFor[primitive.DateTime]():
		return date
	case reflect.TypeFor[primitive.ObjectID]():
		return bson.D{{Key: "bsonType", Value: "objectId"}}
	case reflect.TypeFor[[]byte]():
		return binary
	}
	switch t.Kind() {
	case reflect.String:
		return text
	case reflect.Bool:
		return boolean
	case reflect.Int, reflect.Int32, reflect.Int64:
		return number
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Slice:
		return listOf(kindOf(t.Elem()))
	case reflect.Map:
		return bson.D{{Key: "bsonType", Value: "object"}}
	case reflect.Struct:
		return documentOf(t)
	default:
		panic("no rule for fields of the type " + t.String())
	}
}

// index describes an index by its fields; "-" before one makes it descend. Its
// name is that of its fields, as the server would choose it.
func index(fields ...string) mongo.IndexModel {
	var keys bson.D
	for _, f := range fields {
		order := 1
		if name, down := strings.CutPrefix(f, "-"); down {
			f, order = name, -1
		}
		keys = append(keys, bson.E{Key: f, Value: order})
	}
	return mongo.IndexModel{Keys: keys}
}

// unique describes a unique index. Its first fields are the shard key of its
// collection, or it could not be unique in a sharded cluster.
func unique(fields ...string) mongo.IndexModel {
	m := index(fields...)
	m.Options = options.Index().SetUnique(true)
	return m
}
