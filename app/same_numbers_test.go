package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/app/sqlite"
	"github.com/khaosat/khaosat/app/web"
	"github.com/khaosat/khaosat/fixtures"
	"github.com/khaosat/khaosat/scoring"
)

// demoFolder makes a data folder with the demonstration of size S.
func demoFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if code, _, errOut := command(t, "demo", "--size", "S", "--data", dir); code != exitDone {
		t.Fatal(errOut)
	}
	return dir
}

// command runs a command line as a person would.
func command(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), append(args, "--lang", "en"), bytes.NewReader(nil), &o, &e)
	return code, o.String(), e.String()
}

// apiSummary asks a real server for a summary.
func apiSummary(t *testing.T, dir string, by scoring.Grouping) []scoring.Group {
	t.Helper()
	store, err := sqlite.Open(context.Background(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	svc := service.New(store, service.Options{})
	token, err := svc.CreateToken(context.Background(), service.Operator(), "analyst", "test")
	if err != nil {
		t.Fatal(err)
	}
	server, err := web.New(svc, web.Config{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l) //nolint:errcheck // ends with Shutdown
	defer server.Shutdown(context.Background())
	request, _ := http.NewRequest("GET", "http://"+l.Addr().String()+"/api/v1/rounds/demo-2018/summary?items=true&by="+string(by), nil)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var answer struct{ Groups []scoring.Group }
	if err := json.Unmarshal(body, &answer); err != nil || response.StatusCode != 200 {
		t.Fatal(response.Status, err, string(body))
	}
	return answer.Groups
}

// TestTheSameNumbersEverywhere compares what the terminal, the API and the
// workbook say of one round, figure by figure.
func TestTheSameNumbersEverywhere(t *testing.T) {
	dir := demoFolder(t)
	book := filepath.Join(t.TempDir(), "round.xlsx")
	if code, _, errOut := command(t, "export", "--round", "demo-2018", "--out", book, "--data", dir); code != exitDone {
		t.Fatal(errOut)
	}
	f, err := excelize.OpenFile(book)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for by, sheet := range map[scoring.Grouping]string{scoring.BySector: "TongHop_LoaiHinh", scoring.BySuperior: "TongHop_CapTren", scoring.ByStructure: "TongHop_CoCau"} {
		t.Run(string(by), func(t *testing.T) {
			code, out, errOut := command(t, "summary", "--round", string(fixtures.DemoRound), "--by", string(by), "--json", "--items", "--data", dir)
			if code != exitDone {
				t.Fatal(errOut)
			}
			var groups []scoring.Group
			if err := json.Unmarshal([]byte(out), &groups); err != nil {
				t.Fatal(err)
			}
			a, _ := json.Marshal(groups)
			b, _ := json.Marshal(apiSummary(t, dir, by))
			if !bytes.Equal(a, b) {
				t.Errorf("the terminal and the API differ:\n%s\n%s", a, b)
			}
			compareSheet(t, f, sheet, groups)
		})
	}
	compareItems(t, f, dir)
}

// cells reads a summary sheet as rows by heading.
func cells(t *testing.T, f *excelize.File, sheet string) []map[string]string {
	t.Helper()
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[3:] {
		line := map[string]string{}
		for i, v := range row {
			if i < len(rows[2]) {
				line[rows[2][i]] = v
			}
		}
		out = append(out, line)
	}
	return out
}

func compareSheet(t *testing.T, f *excelize.File, sheet string, groups []scoring.Group) {
	t.Helper()
	lines := cells(t, f, sheet)
	if len(lines) < len(groups)+1 {
		t.Fatalf("%s has %d lines for %d groups", sheet, len(lines), len(groups))
	}
	if sheet == "TongHop_CapTren" { // those beneath stand in between, set in
		lines = slices.DeleteFunc(lines, func(line map[string]string) bool { return strings.HasPrefix(line["Nhóm"], " ") })
	}
	bands := map[string]string{"tot": "Tốt", "kha": "Khá", "trung_binh": "Trung bình", "kem": "Kém"}
	for i, g := range groups {
		line := lines[i]
		want := map[string]float64{"Có điểm (n)": float64(g.N), "Lượt dự": float64(g.Visits)}
		for heading, v := range map[string]*float64{"Độ lệch chuẩn": g.SD, "Thấp nhất": g.Min, "Tứ phân vị 1": g.Q1, "Trung vị": g.Median, "Tứ phân vị 3": g.Q3, "Cao nhất": g.Max} {
			if v != nil {
				want[heading] = *v
			}
		}
		for heading, v := range map[string]*int{"Thuộc phạm vi": g.InScope, "Đã phân công": g.Assigned, "Đã dự": g.Observed} {
			if v != nil {
				want[heading] = float64(*v)
			}
		}
		for code, label := range bands {
			if code != "trung_binh" { // its label is also the heading of the mean
				want[label] = float64(g.Bands[code])
			}
			want[label+" (trước trần)"] = float64(g.BandsFirst[code])
			if g.Banded > 0 {
				want[label+" %"] = g.BandShares[code]
			}
		}
		if line["Mã"] != g.Group {
			t.Errorf("%s line %d is %q, want %q", sheet, i, line["Mã"], g.Group)
		}
		for heading, w := range want {
			if got, err := strconv.ParseFloat(line[heading], 64); err != nil || abs(got-w) > 1e-9 {
				t.Errorf("%s %s %s = %q, want %v", sheet, g.Group, heading, line[heading], w)
			}
		}
	}
}

func abs(f float64) float64 {
	if f < 0 {
		return -f
	}
	return f
}

func compareItems(t *testing.T, f *excelize.File, dir string) {
	t.Helper()
	code, out, errOut := command(t, "summary", "--round", "demo-2018", "--by", "all", "--json", "--items", "--data", dir)
	if code != exitDone {
		t.Fatal(errOut)
	}
	var groups []scoring.Group
	if err := json.Unmarshal([]byte(out), &groups); err != nil {
		t.Fatal(err)
	}
	byItem := map[string]map[string]string{}
	for _, line := range cells(t, f, "TieuChi") {
		byItem[line["Mục"]] = line
	}
	compared := 0
	for _, it := range groups[0].Items {
		if !it.Scored {
			continue
		}
		for heading, want := range map[string]float64{"Đã chấm (n)": it.N, "Đạt so với tối đa": *it.Share, "Đạt tối đa": it.Full, "Không điểm": it.Zero, "Không áp dụng": it.NA, "Bỏ trống": it.Blank} {
			if got, err := strconv.ParseFloat(byItem[it.Item][heading], 64); err != nil || abs(got-want) > 1e-9 {
				t.Errorf("TieuChi %s %s = %q, want %v", it.Item, heading, byItem[it.Item][heading], want)
			}
		}
		compared++
	}
	if compared != 24 {
		t.Errorf("%d criteria were compared, want 24", compared)
	}
}

// TestASecondStartFindsEverythingAsItWas loads the demonstration twice.
func TestASecondStartFindsEverythingAsItWas(t *testing.T) {
	dir := demoFolder(t)
	_, before, _ := command(t, "summary", "--round", "demo-2018", "--json", "--data", dir)
	if code, _, errOut := command(t, "demo", "--size", "S", "--data", dir); code != exitDone {
		t.Fatal(errOut)
	}
	_, after, _ := command(t, "summary", "--round", "demo-2018", "--json", "--data", dir)
	if before != after || before == "" {
		t.Errorf("the summary changed:\n%s\n%s", before, after)
	}
}

// TestMistypedDataFolderIsTold sees to it that no empty store is made in silence.
func TestMistypedDataFolderIsTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nope")
	code, _, errOut := command(t, "summary", "--round", "demo-2018", "--data", dir)
	if code != exitProblems || !bytes.Contains([]byte(errOut), []byte("no data folder")) {
		t.Errorf("status %d, %q", code, errOut)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made")
	}
}
