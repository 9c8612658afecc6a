package export

import (
	"archive/zip"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/flate"
)

// chart puts a native chart into the text: bars of shares, stacked across the
// page or standing side by side. What it draws stands in it as literals, so that
// no workbook has to go with it.
func (d *document) chart(title string, stacked bool, names []string, series []chartSeries) {
	number := len(d.charts) + 1
	height := 2_900_000
	if stacked {
		height = 900_000 + 210_000*len(names)
	}
	d.charts = append(d.charts, chartPart(title, stacked, names, series))
	n := strconv.Itoa(number)
	d.body.WriteString(`<w:p><w:pPr><w:jc w:val="center"/></w:pPr><w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="5760000" cy="` + strconv.Itoa(min(height, 7_500_000)) +
		`"/><wp:docPr id="` + n + `" name="Chart ` + n + `" descr="`)
	d.text(title)
	d.body.WriteString(`"/><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart">` +
		`<c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="chart` + n + `"/></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`)
}

func chartPart(title string, stacked bool, names []string, series []chartSeries) []byte {
	b := []byte(xmlHead + `<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><c:roundedCorners val="0"/><c:chart>` +
		`<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr><a:defRPr sz="1200" b="1"/></a:pPr><a:r><a:rPr sz="1200" b="1"/><a:t>`)
	b = appendXML(b, title)
	b = append(b, `</a:t></a:r></a:p></c:rich></c:tx><c:overlay val="0"/></c:title><c:autoTitleDeleted val="0"/><c:plotArea><c:layout/><c:barChart>`...)
	if stacked {
		b = append(b, `<c:barDir val="bar"/><c:grouping val="percentStacked"/>`...)
	} else {
		b = append(b, `<c:barDir val="col"/><c:grouping val="clustered"/>`...)
	}
	b = append(b, `<c:varyColors val="0"/>`...)
	for i, s := range series {
		at := strconv.Itoa(i)
		b = append(b, `<c:ser><c:idx val="`+at+`"/><c:order val="`+at+`"/><c:tx><c:v>`...)
		b = appendXML(b, s.name)
		b = append(b, `</c:v></c:tx>`...)
		if len(s.color) == 6 {
			b = append(b, `<c:spPr><a:solidFill><a:srgbClr val="`+s.color+`"/></a:solidFill><a:ln w="3175"><a:solidFill><a:srgbClr val="595959"/></a:solidFill></a:ln></c:spPr>`...)
		}
		b = append(b, `<c:invertIfNegative val="0"/><c:cat><c:strLit><c:ptCount val="`+strconv.Itoa(len(names))+`"/>`...)
		for k, name := range names {
			b = append(b, `<c:pt idx="`+strconv.Itoa(k)+`"><c:v>`...)
			b = appendXML(b, name)
			b = append(b, `</c:v></c:pt>`...)
		}
		b = append(b, `</c:strLit></c:cat><c:val><c:numLit><c:formatCode>0%</c:formatCode><c:ptCount val="`+strconv.Itoa(len(s.values))+`"/>`...)
		for k, v := range s.values {
			b = append(b, `<c:pt idx="`+strconv.Itoa(k)+`"><c:v>`+strconv.FormatFloat(v, 'g', -1, 64)+`</c:v></c:pt>`...)
		}
		b = append(b, `</c:numLit></c:val></c:ser>`...)
	}
	b = append(b, `<c:gapWidth val="45"/>`...)
	position, cross := "b", "l"
	if stacked {
		b = append(b, `<c:overlap val="100"/>`...)
		position, cross = "l", "b"
	}
	const small = `<c:txPr><a:bodyPr/><a:p><a:pPr><a:defRPr sz="900"/></a:pPr><a:endParaRPr/></a:p></c:txPr>`
	b = append(b, `<c:axId val="1"/><c:axId val="2"/></c:barChart><c:catAx><c:axId val="1"/><c:scaling><c:orientation val="`...)
	if stacked {
		b = append(b, `maxMin`...)
	} else {
		b = append(b, `minMax`...)
	}
	b = append(b, `"/></c:scaling><c:delete val="0"/><c:axPos val="`+position+`"/><c:numFmt formatCode="General" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/>`+small+
		`<c:crossAx val="2"/></c:catAx><c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/><c:max val="1"/><c:min val="0"/></c:scaling><c:delete val="0"/><c:axPos val="`+cross+
		`"/><c:majorGridlines><c:spPr><a:ln w="3175"><a:solidFill><a:srgbClr val="D9D9D9"/></a:solidFill></a:ln></c:spPr></c:majorGridlines><c:numFmt formatCode="0%" sourceLinked="0"/><c:majorTickMark val="none"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/>`+
		small+`<c:crossAx val="1"/></c:valAx></c:plotArea>`...)
	if len(series) > 1 {
		b = append(b, `<c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>`...)
	}
	return append(b, `<c:plotVisOnly val="1"/></c:chart></c:chartSpace>`...)
}

const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	wordMain = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`
	relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// pack puts the parts of the document together.
func (d *document) pack(w io.Writer) error {
	r := d.w.report
	var types, relations strings.Builder
	for i := range d.charts {
		n := strconv.Itoa(i + 1)
		types.WriteString(`<Override PartName="/word/charts/chart` + n + `.xml" ContentType="application/vnd.openxmlformats-officedocument.drawingml.chart+xml"/>`)
		relations.WriteString(`<Relationship Id="chart` + n + `" Type="` + relation + `/chart" Target="charts/chart` + n + `.xml"/>`)
	}
	title := string(appendXML(nil, plainText(r.Round.Title.In(r.Language))))
	made := r.MadeAt.UTC().Format("2006-01-02T15:04:05Z")
	page := d.word("word.page")
	const wml = "application/vnd.openxmlformats-officedocument.wordprocessingml."
	parts := []struct{ name, content string }{
		{"[Content_Types].xml", xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/word/document.xml" ContentType="` + wml + `document.main+xml"/><Override PartName="/word/styles.xml" ContentType="` + wml + `styles+xml"/><Override PartName="/word/footer1.xml" ContentType="` + wml + `footer+xml"/>` +
			`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="d" Type="` + relation + `/officeDocument" Target="word/document.xml"/>` +
			`<Relationship Id="p" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`},
		{"docProps/core.xml", xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
			`<dc:title>` + title + `</dc:title><dc:creator>khaosat ` + r.Version + `</dc:creator><dc:language>` + r.Language + `</dc:language><dcterms:created xsi:type="dcterms:W3CDTF">` + made + `</dcterms:created></cp:coreProperties>`},
		{"word/_rels/document.xml.rels", xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="styles" Type="` + relation + `/styles" Target="styles.xml"/>` +
			`<Relationship Id="footer" Type="` + relation + `/footer" Target="footer1.xml"/>` + relations.String() + `</Relationships>`},
		{"word/styles.xml", xmlHead + `<w:styles ` + wordMain + `>` + strings.ReplaceAll(wordStyles, "LANG", map[bool]string{true: "en-GB", false: "vi-VN"}[r.Language == "en"]) + `</w:styles>`},
		{"word/footer1.xml", xmlHead + `<w:ftr ` + wordMain + `><w:p><w:pPr><w:pStyle w:val="Note"/><w:jc w:val="center"/></w:pPr><w:r><w:t xml:space="preserve">` + title + ` · ` + page + ` </w:t></w:r>` +
			`<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple><w:r><w:t xml:space="preserve"> / </w:t></w:r><w:fldSimple w:instr=" NUMPAGES "><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:ftr>`},
		{"word/document.xml", xmlHead + `<w:document ` + wordMain + ` xmlns:r="` + relation + `" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"><w:body>` + d.body.String() +
			`<w:sectPr><w:footerReference w:type="default" r:id="footer"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1701" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr></w:body></w:document>`},
	}
	for i, c := range d.charts {
		parts = append(parts, struct{ name, content string }{"word/charts/chart" + strconv.Itoa(i+1) + ".xml", string(c)})
	}
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, compression) })
	for _, p := range parts {
		out, err := z.Create(p.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, p.content); err != nil {
			return err
		}
	}
	return z.Close()
}

// wordStyles are the styles of the document: Times New Roman, as official texts
// are set here.
const wordStyles = `<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="Times New Roman" w:cs="Times New Roman"/><w:sz w:val="26"/><w:szCs w:val="26"/><w:lang w:val="LANG"/></w:rPr></w:rPrDefault>` +
	`<w:pPrDefault><w:pPr><w:spacing w:after="120" w:line="276" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>` +
	`<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:pPr><w:jc w:val="both"/></w:pPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:before="120" w:after="60"/><w:jc w:val="center"/></w:pPr><w:rPr><w:b/><w:caps/><w:sz w:val="30"/></w:rPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Subtitle"><w:name w:val="Subtitle"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:after="240"/><w:jc w:val="center"/></w:pPr><w:rPr><w:b/></w:rPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="240" w:after="80"/><w:jc w:val="left"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/></w:rPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Caption"><w:name w:val="caption"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="120" w:after="60"/><w:jc w:val="left"/></w:pPr><w:rPr><w:i/><w:sz w:val="24"/></w:rPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Quote"><w:name w:val="Quote"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:after="60"/><w:ind w:left="284"/></w:pPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Note"><w:name w:val="Note"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:after="60" w:line="240" w:lineRule="auto"/><w:jc w:val="left"/></w:pPr><w:rPr><w:i/><w:sz w:val="20"/></w:rPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="Cell"><w:name w:val="Cell"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/><w:jc w:val="left"/></w:pPr><w:rPr><w:sz w:val="20"/></w:rPr></w:style>` +
	`<w:style w:type="table" w:styleId="Numbers"><w:name w:val="Numbers"/><w:tblPr><w:tblBorders><w:top w:val="single" w:sz="6" w:color="305496"/><w:bottom w:val="single" w:sz="6" w:color="305496"/><w:insideH w:val="single" w:sz="4" w:color="BFBFBF"/></w:tblBorders>` +
	`<w:tblCellMar><w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>`
