package openrosa

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
)

// Settings are what Collect is set up with by a scanned code.
type Settings struct {
	URL      string // of the server, the token in it
	Project  string // what Collect calls it
	Language string // "vi", "en"; "" leaves it to the phone
}

// Code is the text of the code that Collect scans: JSON, compressed, in base64.
// Whatever it does not say is set to Collect's defaults.
func (s Settings) Code() (string, error) {
	general := map[string]any{"server_url": s.URL, "form_update_mode": "match_exactly", "autosend": "wifi_and_cellular"}
	if s.Language != "" {
		general["app_language"] = s.Language
	}
	b, err := json.Marshal(map[string]any{
		"general": general, "admin": map[string]any{}, // both have to be there
		"project": map[string]any{"name": s.Project, "icon": "K", "color": "#0B5C4A"},
	})
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err = z.Write(b); err == nil {
		err = z.Close()
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), err
}
