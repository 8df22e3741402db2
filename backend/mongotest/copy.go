package mongotest

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/bson"
)

// Copy inserts copies of a document, one for each id, past whoever owns the
// collection.
func Copy(ctx context.Context, uri, database, collection, id string, ids []string) error {
	client, err := connect(uri)
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	c := client.Database(database).Collection(collection)
	var doc bson.D
	if err := c.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&doc); err != nil {
		return fmt.Errorf("the document to copy: %w", err)
	}
	at := slices.IndexFunc(doc, func(e bson.E) bool { return e.Key == "_id" })
	for some := range slices.Chunk(ids, 1000) {
		copies := make([]any, len(some))
		for i, id := range some {
			one := slices.Clone(doc)
			one[at].Value = id
			copies[i] = one
		}
		if _, err := c.InsertMany(ctx, copies); err != nil {
			return err
		}
	}
	return nil
}
