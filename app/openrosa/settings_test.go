package openrosa_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"testing"

	"github.com/khaosat/khaosat/app/openrosa"
)

// Collect unpacks the code and silently ignores what it does not know.
func TestCollectReadsItsSettings(t *testing.T) {
	code, err := openrosa.Settings{URL: "https://khaosat.example.org/openrosa/abc", Project: "Khaosat", Language: "vi"}.Code()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		General map[string]string `json:"general"`
		Admin   map[string]any    `json:"admin"`
		Project map[string]string `json:"project"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.General["server_url"] != "https://khaosat.example.org/openrosa/abc" || got.General["form_update_mode"] != "match_exactly" ||
		got.General["autosend"] != "wifi_and_cellular" || got.Admin == nil || got.Project["name"] != "Khaosat" || len(code) > 1000 {
		t.Errorf("%d characters: %s", len(code), b)
	}
}
