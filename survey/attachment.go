package survey

import "time"

// Attachment is a file that goes with a response: a photo, a client's log.
type Attachment struct {
	Response ResponseID `json:"response"`
	// Name is what the answer calls it, or the client: no path; see ValidFileName.
	Name string `json:"name"`
	// SHA256 of the content in lower-case hex, and its length in bytes.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	// Type is the media type that the sender said, "" if it did not.
	Type string    `json:"type,omitempty"`
	At   time.Time `json:"at"`
	By   PersonID  `json:"by,omitempty"`
}

// ValidFileName reports whether an attachment may have the name: 1 to 200 bytes
// of UTF-8 without slashes, backslashes or control characters, and neither "."
// nor "..".
func ValidFileName(name string) bool {
	if name == "" || len(name) > 200 || name == "." || name == ".." || textFault(name) != "" {
		return false
	}
	for _, r := range name {
		if r == '/' || r == '\\' || r < 0x20 || r == 0x7f {
			return false
		}
	}
	return true
}
