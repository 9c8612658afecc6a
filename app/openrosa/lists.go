package openrosa

import (
	"bytes"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
)

// Version is what X-OpenRosa-Version says.
const Version = "1.0"

// AcceptLength is what is announced as the largest request, in bytes. Clients
// split what is longer, but send a single file that is larger all the same.
const AcceptLength = 100_000_000

// Hash gives the hash of a form or a media file as lists have it.
func Hash(b []byte) string {
	sum := md5.Sum(b) // what the protocol asks for; it protects nothing
	return "md5:" + hex.EncodeToString(sum[:])
}

// ListedForm is one line of the form list. All fields but Version and Manifest
// must be there: one line without them makes clients refuse the whole list.
type ListedForm struct {
	ID, Name, Version, Hash, Download, Manifest string
}

// FormList writes the list of forms.
func FormList(forms []ListedForm) []byte {
	m := &markup{}
	m.open("xforms", attr{"xmlns", "http://openrosa.org/xforms/xformsList"})
	m.line()
	for _, f := range forms {
		m.open("xform")
		m.element("formID", f.ID)
		m.element("name", f.Name)
		m.element("version", f.Version)
		m.element("hash", f.Hash)
		m.element("downloadUrl", f.Download)
		if f.Manifest != "" {
			m.element("manifestUrl", f.Manifest)
		}
		m.close("xform")
		m.line()
	}
	m.close("xforms")
	return m.document()
}

// MediaFile is one line of a manifest; all fields must be there.
type MediaFile struct{ Name, Hash, Download string }

// Manifest writes the list of a form's media files.
func Manifest(files []MediaFile) []byte {
	m := &markup{}
	m.open("manifest", attr{"xmlns", "http://openrosa.org/xforms/xformsManifest"})
	m.line()
	for _, f := range files {
		m.open("mediaFile")
		m.element("filename", f.Name)
		m.element("hash", f.Hash)
		m.element("downloadUrl", f.Download)
		m.close("mediaFile")
		m.line()
	}
	m.close("manifest")
	return m.document()
}

// Nature is what clients are told of a message.
type Nature string

// The natures of messages.
const (
	Success Nature = "submit_success"
	Failure Nature = "error"
)

// Response writes a message that clients show.
func Response(nature Nature, message string) []byte {
	m := &markup{}
	m.open("OpenRosaResponse", attr{"xmlns", "http://openrosa.org/http/response"})
	m.line()
	m.element("message", message, attr{"nature", string(nature)})
	m.line()
	m.close("OpenRosaResponse")
	return m.document()
}

func (m *markup) document() []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + m.String() + "\n")
}

// VisitLine is one line of visits.csv.
type VisitLine struct {
	// Name is what forms send back; it has no space.
	Name, Label                                  string
	Round, Unit, Role, Due, Path                 string
	Sector, Sectors, Structure, Setting, Members string
	Tags, ShowScore                              string
}

// Visits writes visits.csv. Sectors are the unit's own, those above it and those
// it rolls up to, and Tags its tags, with a space between.
func Visits(lines []VisitLine) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"name", "label", "round", "unit", "role", "due", "path", "sector", "sectors", "structure", "setting", "members", "tags", "show_score"})
	for _, l := range lines {
		_ = w.Write([]string{l.Name, l.Label, l.Round, l.Unit, l.Role, l.Due, l.Path, l.Sector, l.Sectors, l.Structure, l.Setting, l.Members, l.Tags, l.ShowScore})
	}
	w.Flush() // into memory: it cannot fail
	return b.Bytes()
}
