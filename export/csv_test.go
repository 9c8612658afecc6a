package export_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/export"
)

// unzipped writes the report as CSV and gives the files by name.
func unzipped(t *testing.T, r *export.Report, f export.CSVFormat) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	if err := export.CSV(&b, r, f); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(in); err != nil { // checks the sum too
			t.Fatal(err)
		}
	}
	return out
}

func rows(t *testing.T, file []byte, separator rune) []map[string]string {
	t.Helper()
	text, found := bytes.CutPrefix(file, []byte("\uFEFF"))
	if !found {
		t.Fatal("no byte order mark")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range all[1:] {
		line := map[string]string{}
		for i, v := range row {
			line[all[0][i]] = v
		}
		out = append(out, line)
	}
	return out
}

func TestCSVKeepsEveryText(t *testing.T) {
	for _, separator := range []rune{',', ';'} {
		files := unzipped(t, report(t, "vi"), export.CSVFormat{Semicolon: separator == ';'})
		responses, good := rows(t, files["responses.csv"], separator), rows(t, files["good.csv"], separator)
		if len(responses) != len(nasty) || len(good) != len(nasty) {
			t.Fatalf("%d responses and %d findings, want %d", len(responses), len(good), len(nasty))
		}
		for i, text := range nasty {
			want := text
			if strings.ContainsRune("=+-@", rune(text[0])) {
				want = "'" + text // no formula
			}
			if got := good[i]["good_text"]; got != want || good[i]["id"] != responses[i]["id"] || good[i]["entry"] != "1" {
				t.Errorf("%q: finding %d is %.40q, want %.40q", separator, i, got, want)
			}
			if i%3 == 2 {
				want = "[z]"
			}
			if got := responses[i]["why"]; got != want {
				t.Errorf("%q: row %d: %.40q, want %.40q", separator, i, got, want)
			}
		}
		first := responses[0]
		for column, want := range map[string]string{"A1": "yes", "A1_label": "có", "A1_points": "10", "total": "10", "band": "tot", "present": "0", "role": "observer", "meeting_date": "2018-03-05",
			"received_at": "2018-03-05T21:30:00.000+07:00"} {
			if first[column] != want {
				t.Errorf("%s is %q, want %q", column, first[column], want)
			}
		}
		if got := responses[1]["present"]; got != "[b]" {
			t.Errorf("blank is %q", got)
		}
		if len(rows(t, files["codebook.csv"], separator)) != 4+3 { // four questions, three choices
			t.Errorf("codebook:\n%s", files["codebook.csv"])
		}
	}
}

func TestCSVWithSemicolonsHasCommasInNumbers(t *testing.T) {
	r := report(t, "vi")
	details := r.Details
	r.Details = func(yield func(*export.Detail, error) bool) {
		for d, err := range details {
			d.Result.Total = 12345
			if !yield(d, err) {
				return
			}
		}
	}
	files := unzipped(t, r, export.CSVFormat{Semicolon: true})
	if got := rows(t, files["responses.csv"], ';')[0]["total"]; got != "123,45" {
		t.Errorf("a total is %q", got)
	}
}

// TestRReadsTheFiles runs the script that comes with the files.
func TestRReadsTheFiles(t *testing.T) {
	r, err := exec.LookPath("Rscript")
	if err != nil {
		if os.Getenv("KHAOSAT_CI") == "1" {
			t.Fatal("Rscript is not installed")
		}
		t.Skip("Rscript is not installed")
	}
	for _, semicolon := range []bool{false, true} {
		dir := t.TempDir()
		for name, content := range unzipped(t, report(t, "vi"), export.CSVFormat{Semicolon: semicolon}) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(r, "-e", `source("read.R"); cat(nrow(responses), levels(responses$A1)[2], sum(responses$total, na.rm = TRUE), sum(is.na(responses$total)), attr(responses$A1, "label"), nrow(good), sep = "|")`)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got, want := string(out), "9|không|30|3|a1|9"; got != want {
			t.Errorf("R read %q, want %q", got, want)
		}
	}
}
