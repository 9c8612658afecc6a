package export

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendColumn appends the letters of a 0-based column.
func appendColumn(b []byte, column int) []byte {
	if column >= 26 {
		b = appendColumn(b, column/26-1)
	}
	return append(b, byte('A'+column%26))
}

// cellName gives the name of the cell in a 0-based column and 1-based row.
func cellName(column, row int) string {
	return string(strconv.AppendInt(appendColumn(nil, column), int64(row), 10))
}

// risky reports whether a spreadsheet would take the text for a formula if it
// were typed in (OWASP, CSV Injection).
func risky(s string) bool { return strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 }

// appendXML appends text as XML, characters that XML has no place for as U+FFFD
// and what Excel would read as an escape (_x0041_) escaped.
func appendXML(b []byte, s string) []byte {
	done := 0 // up to here it has been appended
	for i := 0; i < len(s); {
		n, instead := 1, ""
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			var r rune
			if r, n = utf8.DecodeRuneInString(s[i:]); (r == utf8.RuneError && n == 1) || r == 0xFFFE || r == 0xFFFF {
				instead = "\uFFFD"
			}
		case c == '&':
			instead = "&amp;"
		case c == '<':
			instead = "&lt;"
		case c == '>':
			instead = "&gt;"
		case c == '"':
			instead = "&quot;"
		case c == '_' && escapeAt(s[i:]):
			instead = "_x005F_"
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r':
			instead = "\uFFFD"
		}
		if instead != "" {
			b = append(append(b, s[done:i]...), instead...)
			done = i + n
		}
		i += n
	}
	return append(b, s[done:]...)
}

// escapeAt reports whether s begins like an escape of Excel's: _xHHHH_.
func escapeAt(s string) bool {
	if len(s) < 7 || (s[1] != 'x' && s[1] != 'X') || s[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:6], 16, 16)
	return err == nil
}

func doubleQuotes(s string) string { return strings.ReplaceAll(s, `"`, `""`) }
