package xlsform

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// cellKind is how a cell is stored, as far as that says more than its text.
type cellKind uint8

const (
	cellText cellKind = iota
	cellNumber
	cellBool
	cellError
)

// cellFacts is what the text of a cell does not tell.
type cellFacts struct {
	kind  cellKind
	style int
}

// cellAt is a cell by its 1-based row and 0-based column.
type cellAt struct{ row, col int }

// block is a range of merged cells, in the same terms, ends included.
type block struct{ from, to cellAt }

// sheetFacts is what is found in a worksheet beside the texts of its cells.
type sheetFacts struct {
	cells  map[cellAt]cellFacts // all but plain texts
	merged []block
}

// scanner goes through the XML of a worksheet once, before the library gets to
// it: the library takes what a damaged sheet holds before the damage for the
// whole, and makes a cell in memory of every cell that lies left of one.
type scanner struct {
	decoder      *xml.Decoder
	content      []byte
	facts        *sheetFacts
	row, col     int // of the last row and cell begun
	cells        int // in memory, once the library has filled the gaps
	unnumbered   int
	from, copied int64 // where the last row began, and up to where kept is done
	kept         []byte
}

var errEncoding = errors.New("the XML is not in UTF-8")

// scanPart checks one part of a workbook. The facts are nil if it is no
// worksheet. kept is the part without the rows beyond maxRow, which some
// programs write out only to style them; nil if there are none.
func scanPart(content []byte) (facts *sheetFacts, kept []byte, err error) {
	s := &scanner{decoder: xml.NewDecoder(bytes.NewReader(content)), content: content}
	s.decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errEncoding }
	root, err := s.root()
	if err != nil || root != "worksheet" && root != "sst" {
		return nil, nil, err
	}
	if root == "worksheet" {
		s.facts = &sheetFacts{cells: map[cellAt]cellFacts{}}
	}
	for {
		token, err := s.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, unreadable(err)
		}
		if s.facts == nil {
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "si" {
				if s.cells++; s.cells > maxCells {
					return nil, nil, tooLarge("shared texts", maxCells)
				}
			}
			continue
		}
		if err := s.take(token); err != nil {
			return nil, nil, err
		}
	}
	if s.kept != nil {
		s.kept = append(s.kept, content[s.copied:]...)
	}
	return s.facts, s.kept, nil
}

// root gives the name of the outermost element, "" if the part is no XML.
func (s *scanner) root() (string, error) {
	for {
		token, err := s.decoder.Token()
		if errors.Is(err, errEncoding) {
			return "", unreadable(err)
		}
		if err != nil {
			return "", nil
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local, nil
		}
	}
}

func (s *scanner) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		switch t.Name.Local {
		case "row":
			return s.beginRow(t)
		case "c":
			return s.cell(t)
		case "mergeCell":
			return s.merge(attribute(t, "ref"))
		}
	case xml.EndElement:
		if t.Name.Local == "row" && s.row > maxRow {
			s.kept = append(s.kept, s.content[s.copied:s.from]...)
			s.copied = s.decoder.InputOffset()
		}
	}
	return nil
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (s *scanner) beginRow(e xml.StartElement) error {
	// The decoder stands behind the tag; the row begins at its last '<'.
	s.from = int64(bytes.LastIndexByte(s.content[:s.decoder.InputOffset()], '<'))
	s.col = -1
	n, err := strconv.Atoi(attribute(e, "r"))
	if err != nil || n <= s.row {
		s.row++
		// The library moves all that follow for each row out of order.
		if s.unnumbered++; s.unnumbered > maxUnnumbered {
			return tooLarge("rows without number", maxUnnumbered)
		}
		return nil
	}
	if n > excelize.TotalRows {
		return unreadable(fmt.Errorf("row %d", n))
	}
	s.row = n
	return nil
}

func (s *scanner) cell(e xml.StartElement) error {
	before := s.col
	s.col++
	if ref := attribute(e, "r"); ref != "" {
		col, _, err := excelize.CellNameToCoordinates(ref)
		if err != nil {
			return unreadable(err)
		}
		s.col = col - 1
	}
	if s.cells += max(1, s.col-before); s.cells > maxCells && s.row <= maxRow {
		return tooLarge("cells", maxCells)
	}
	facts := cellFacts{}
	switch attribute(e, "t") {
	case "", "n":
		facts.kind = cellNumber
	case "b":
		facts.kind = cellBool
	case "e":
		facts.kind = cellError
	default:
		return nil
	}
	facts.style, _ = strconv.Atoi(attribute(e, "s")) // a damaged style is none
	s.facts.cells[cellAt{s.row, s.col}] = facts
	return nil
}

func (s *scanner) merge(ref string) error {
	from, to, found := strings.Cut(ref, ":")
	if !found {
		return nil
	}
	left, top, err1 := excelize.CellNameToCoordinates(from)
	right, bottom, err2 := excelize.CellNameToCoordinates(to)
	if err := errors.Join(err1, err2); err != nil {
		return unreadable(err)
	}
	if len(s.facts.merged) == maxMerged {
		return tooLarge("merged cells", maxMerged)
	}
	s.facts.merged = append(s.facts.merged, block{cellAt{top, left - 1}, cellAt{bottom, right - 1}})
	return nil
}

// sheetParts gives the part of each sheet by the sheet's name, following the
// relations within the archive. A sheet whose part cannot be told is left out.
func sheetParts(part func(name string) []byte) map[string]string {
	main := ""
	for _, r := range relations(part("_rels/.rels")) {
		if strings.HasSuffix(r.Type, "/officeDocument") {
			main = partName("", r.Target)
		}
	}
	var workbook struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			// Strict files have another name for the same.
			StrictID string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	if xml.Unmarshal(part(main), &workbook) != nil {
		return nil
	}
	targets := map[string]string{}
	for _, r := range relations(part(path.Join(path.Dir(main), "_rels", path.Base(main)+".rels"))) {
		targets[r.ID] = partName(path.Dir(main), r.Target)
	}
	out := map[string]string{}
	for _, s := range workbook.Sheets {
		if target := targets[s.ID+s.StrictID]; target != "" {
			out[s.Name] = target
		}
	}
	return out
}

type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
}

func relations(content []byte) []relation {
	var r struct {
		Relationship []relation
	}
	if xml.Unmarshal(content, &r) != nil {
		return nil
	}
	return r.Relationship
}

// partName resolves the target of a relation of a part in the folder.
func partName(folder, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if strings.HasPrefix(target, "/") {
		return strings.TrimPrefix(target, "/")
	}
	return path.Join(folder, target)
}
