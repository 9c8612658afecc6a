package export

import "io"

// Word writes the report as a short text document.
func Word(w io.Writer, r *Report) error { return nil }
