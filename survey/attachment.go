package survey

import (
	"fmt"
	"time"
)

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

// MaxAttachment is the largest content in bytes.
const MaxAttachment = 100 << 20

// ErrAttachmentTooLarge tells of a content over MaxAttachment.
func ErrAttachmentTooLarge() error {
	return &Error{Kind: TooLarge, Code: "attachment.too_large", Args: Args{"limit": fmt.Sprintf("%d MB", MaxAttachment>>20)}}
}

// ShownInline reports whether a browser may show a content of the media type in
// a page: photos only. Everything else, SVG above all, could carry a script.
func ShownInline(mediaType string) bool {
	switch mediaType {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp":
		return true
	}
	return false
}

// ExpectedAttachments lists the files that the answers name, in template order,
// those within repeats included.
func (t *Template) ExpectedAttachments(answers Answers) []string {
	var out []string
	var walk func(items []Item, answers Answers)
	walk = func(items []Item, answers Answers) {
		for i := range items {
			v, ok := answers.Get(items[i].Name)
			switch {
			case items[i].Kind == KindRepeat:
				for _, row := range v.Rows {
					walk(items[i].Items, row)
				}
			case items[i].Kind == KindImage:
				if ok && v.Kind == ValueText && v.Text != "" {
					out = append(out, v.Text)
				}
			default:
				walk(items[i].Items, answers)
			}
		}
	}
	walk(t.Items, answers)
	return out
}
