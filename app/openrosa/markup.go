package openrosa

import (
	"encoding/xml"
	"strings"
)

// markup is a document in the making. What is written is escaped; characters
// that XML cannot hold become U+FFFD.
type markup struct{ strings.Builder }

// attr is one attribute; one without a value is left out.
type attr struct{ name, value string }

// open begins an element.
func (m *markup) open(name string, attrs ...attr) {
	m.begin(name, attrs)
	m.WriteByte('>')
}

// empty writes an element without content.
func (m *markup) empty(name string, attrs ...attr) {
	m.begin(name, attrs)
	m.WriteString("/>")
}

func (m *markup) begin(name string, attrs []attr) {
	m.WriteByte('<')
	m.WriteString(name)
	for _, a := range attrs {
		if a.value == "" {
			continue
		}
		m.WriteString(" " + a.name + `="`)
		m.text(a.value)
		m.WriteByte('"')
	}
}

// close ends an element.
func (m *markup) close(name string) { m.WriteString("</" + name + ">") }

// element writes an element that holds a text.
func (m *markup) element(name, text string, attrs ...attr) {
	m.open(name, attrs...)
	m.text(text)
	m.close(name)
}

// text writes a text. It cannot fail: a Builder takes everything.
func (m *markup) text(s string) { _ = xml.EscapeText(&m.Builder, []byte(s)) }

// line ends a line, so that people can read the document and compare versions.
func (m *markup) line() { m.WriteByte('\n') }
