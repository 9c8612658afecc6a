// Package mongotest gives tests databases of their own on a real server.
package mongotest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// ServerURI is the address of the server that the tests use. Without one they
// are skipped, except where everything must be tested.
func ServerURI(t testing.TB) string {
	t.Helper()
	uri := os.Getenv("KHAOSAT_TEST_MONGODB_URI")
	if uri == "" {
		if os.Getenv("KHAOSAT_CI") == "1" {
			t.Fatal("KHAOSAT_TEST_MONGODB_URI is not set")
		}
		t.Skip("KHAOSAT_TEST_MONGODB_URI is not set")
	}
	return uri
}

var databases atomic.Int64

// DatabaseURI gives the address of a database of the test's own, dropped when
// the test ends.
func DatabaseURI(t testing.TB) string {
	t.Helper()
	base := ServerURI(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("khaosat_test_%d_%d_%d", os.Getpid(), time.Now().UnixMilli(), databases.Add(1))
	if q := u.Query(); u.User != nil && q.Get("authSource") == "" {
		source := strings.Trim(u.Path, "/")
		if source == "" {
			source = "admin"
		}
		q.Set("authSource", source)
		u.RawQuery = q.Encode()
	}
	u.Path = "/" + name
	t.Cleanup(func() { Drop(t, base, name) })
	return u.String()
}

// Drop drops a database.
func Drop(t testing.TB, uri, name string) {
	t.Helper()
	if err := drop(uri, name); err != nil {
		t.Errorf("%s cannot be dropped: %v", name, err)
	}
}

// drop tries a few times: FerretDB's databases share tables, and to drop one while
// another is made ends in a deadlock of PostgreSQL's now and then.
func drop(uri, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	for try := 1; ; try++ {
		if err = client.Database(name).Drop(ctx); err == nil || try == 5 || !strings.Contains(err.Error(), "deadlock") {
			return err
		}
		time.Sleep(time.Duration(try) * 300 * time.Millisecond)
	}
}
