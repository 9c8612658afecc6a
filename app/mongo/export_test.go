package mongo

import (
	"os"
	"testing"
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
