package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool finds a program of other people's that a test needs. Where it is absent
// the test is skipped; in CI that is a failure.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("KHAOSAT_CI") != "" {
		t.Fatalf("none of %v is installed", names)
	}
	t.Skipf("none of %v is installed", names)
	return ""
}

// counts makes openpyxl say how many rows and cells each sheet has, and fails on
// anything it warns of.
const counts = `
import sys, warnings
warnings.simplefilter("error")
import openpyxl
book = openpyxl.load_workbook(sys.argv[1], read_only=True)
for sheet in book:
    rows = 0
    widths = set()
    for row in sheet.iter_rows(values_only=True):
        rows += 1
        widths.add(len(row))
    print(sheet.title, rows, max(widths or {0}))
`

// TestOtherProgramsOpenTheWorkbook reads the workbook with openpyxl and makes
// LibreOffice convert it, which it does only if it can open it.
func TestOtherProgramsOpenTheWorkbook(t *testing.T) {
	dir := demoFolder(t)
	book := filepath.Join(t.TempDir(), "round.xlsx")
	if code, _, errOut := command(t, "export", "--round", "demo-2018", "--out", book, "--data", dir); code != exitDone {
		t.Fatal(errOut)
	}
	t.Run("openpyxl", func(t *testing.T) {
		python := tool(t, os.Getenv("KHAOSAT_PYTHON"), "/usr/bin/python3", "python3")
		if err := exec.Command(python, "-c", "import openpyxl").Run(); err != nil && os.Getenv("KHAOSAT_CI") == "" {
			t.Skip("openpyxl is not installed")
		}
		out, err := exec.Command(python, "-c", counts, book).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{"TongHop_LoaiHinh", "TongHop_CapTren", "TongHop_CoCau", "TieuChi", "ChiTiet", "CachLamHay", "HanChe", "KienNghi", "TuCham_QuanSat", "DoTinCay", "TienDo", "PhuongPhap", "BangMa", "TrangBia"} {
			if !strings.Contains(string(out), want+" ") {
				t.Errorf("no sheet %s in\n%s", want, out)
			}
		}
	})
	t.Run("LibreOffice", func(t *testing.T) {
		office := tool(t, "soffice", "libreoffice")
		to := t.TempDir()
		cmd := exec.Command(office, "-env:UserInstallation=file://"+filepath.Join(to, "profile"), "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", to, book)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		csv, err := os.ReadFile(filepath.Join(to, "round-ChiTiet.csv"))
		if err != nil {
			t.Fatal(err)
		}
		// 220 visits and 80 self scores of the regular meeting, and the header.
		if lines := strings.Count(string(csv), "\n"); lines < 290 {
			t.Errorf("LibreOffice sees %d lines on the sheet of visits", lines)
		}
	})
}
